#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <cstddef>
#include <list>
#include <memory>
#include <set>
#include <unordered_map>

#include "base/address.h"
#include "gossip/io/transport.h"

namespace viaduct::gossip {

inline constexpr auto kNoThrow = boost::asio::as_tuple(boost::asio::use_awaitable);

/// A TCP socket with a deadline.
using TcpStream = boost::beast::basic_stream<boost::asio::ip::tcp>;

/// What the parts of a transport share. Coroutines hold it, so that it lives until the last of them
/// has seen that it stopped.
struct Transport::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& context, TransportOptions opts, const Keyring& keys,
        TransportHandlers handle)
      : io(context), options(std::move(opts)), keyring(keys), handlers(std::move(handle)) {}

  /// Where a stream of ours to a peer of this family comes from, if that is a certain address.
  std::optional<base::Address> source_for(const base::Address& peer) const;

  boost::asio::io_context& io;
  TransportOptions options;
  const Keyring& keyring;
  TransportHandlers handlers;
  TransportStats stats;
  bool stopped = false;

  std::list<boost::asio::ip::udp::socket> datagram_sockets;
  std::list<boost::asio::ip::tcp::acceptor> acceptors;
  std::set<TcpStream*> streams;  ///< all that are open, to be closed at the end
  std::size_t inbound = 0;
  std::size_t outbound = 0;
  std::unordered_map<base::Address, std::size_t> inbound_of;
  std::size_t held_octets = 0;
};

using StatePtr = std::shared_ptr<Transport::State>;

/// A fresh random nonce from the system's generator.
Nonce random_nonce();

// datagrams.cpp
boost::asio::awaitable<void> receive_datagrams(StatePtr state,
                                               boost::asio::ip::udp::socket& socket);
void send_datagrams(Transport::State& state, const base::Endpoint& to,
                    std::span<const MessagePtr> messages, bool with_crc);

// streams.cpp
boost::asio::awaitable<void> accept_streams(StatePtr state,
                                            boost::asio::ip::tcp::acceptor& acceptor);
boost::asio::awaitable<void> run_exchange(StatePtr state, base::Endpoint to, StreamMessage first,
                                          Transport::Next next);

}  // namespace viaduct::gossip
