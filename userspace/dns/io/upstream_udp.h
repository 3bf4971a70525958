#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "dns/forward/engine.h"

namespace viaduct::dns {

/// What upstream sockets tell the forwarder.
struct UpstreamEvents {
  std::function<void(forward::ExchangeId, base::ByteView)> on_message;
  std::function<void(forward::ExchangeId)> on_error;
};

boost::asio::ip::address to_asio(const base::Address& address);

/// UDP sockets towards upstreams, one for each exchange: connected, so that the kernel keeps what
/// others send away and reports a refusal at once, and on a port of the kernel's random choice.
class UpstreamUdp {
 public:
  UpstreamUdp(boost::asio::io_context& io, UpstreamEvents events);

  /// @return false: no socket, or the system refused to send; on_error is not called.
  bool send(forward::ExchangeId exchange, const base::Endpoint& upstream, base::ByteView message);
  void close(forward::ExchangeId exchange);
  /// The exchange whose socket has this port.
  std::optional<forward::ExchangeId> find(std::uint16_t local_port) const;

  std::size_t open() const { return sockets_.size(); }

 private:
  struct Socket {
    boost::asio::ip::udp::socket socket;
    std::uint16_t local_port = 0;
  };
  void wait(forward::ExchangeId exchange, Socket& socket);
  void drain(forward::ExchangeId exchange);

  boost::asio::io_context& io_;
  UpstreamEvents events_;
  std::unordered_map<forward::ExchangeId, Socket> sockets_;
  std::unordered_map<std::uint16_t, forward::ExchangeId> by_port_;
  std::vector<std::uint8_t> octets_;
};

}  // namespace viaduct::dns
