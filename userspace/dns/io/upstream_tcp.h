#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "dns/forward/engine.h"
#include "dns/io/upstream_udp.h"

namespace viaduct::dns {

/// The TCP connection to one upstream: opened when it is needed, shared by all exchanges, kept for
/// a while. Replies come in any order (RFC 7766, 6.2.1, 7).
class UpstreamTcp {
 public:
  /// @param is_reply_of  tells exchanges apart whose messages happen to have the same id.
  UpstreamTcp(boost::asio::io_context& io, const base::Endpoint& upstream, UpstreamEvents events,
              std::function<bool(forward::ExchangeId, base::ByteView)> is_reply_of);

  void send(forward::ExchangeId exchange, base::ByteView message);
  void close(forward::ExchangeId exchange);

  std::size_t open() const { return connection_ ? 1 : 0; }

 private:
  struct Connection;
  struct Pending {
    base::Bytes message;
    bool sent_again = false;  ///< on a second connection, because the first ended
  };

  void write(const base::Bytes& message);
  void connect();
  boost::asio::awaitable<void> read_all(std::shared_ptr<Connection> connection);
  boost::asio::awaitable<void> write_all(std::shared_ptr<Connection> connection);
  void deliver(base::ByteView message);
  void lost(const std::shared_ptr<Connection>& connection);
  void drop();

  boost::asio::io_context& io_;
  const boost::asio::ip::tcp::endpoint upstream_;
  UpstreamEvents events_;
  std::function<bool(forward::ExchangeId, base::ByteView)> is_reply_of_;
  std::shared_ptr<Connection> connection_;
  std::unordered_map<forward::ExchangeId, Pending> pending_;
  std::unordered_multimap<std::uint16_t, forward::ExchangeId> by_id_;
  boost::asio::steady_timer idle_;
};

}  // namespace viaduct::dns
