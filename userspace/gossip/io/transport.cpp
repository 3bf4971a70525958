#include "gossip/io/transport.h"

#include <linux/sock_diag.h>
#include <openssl/rand.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <cstdlib>
#include <utility>

#include "base/io/log.h"
#include "gossip/io/endpoint.h"
#include "gossip/io/transport_state.h"

namespace viaduct::gossip {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

/// Tries for a port that is free for both protocols.
constexpr int kPortTries = 16;

struct Sockets {
  udp::socket datagrams;
  tcp::acceptor streams;
};

/// Opens and binds one of the sockets of an endpoint.
template <class Socket, class Protocol>
error_code bind(Socket& socket, const asio::ip::basic_endpoint<Protocol>& endpoint) {
  error_code ec;
  socket.open(endpoint.protocol(), ec);
  if (!ec && endpoint.address().is_v6()) socket.set_option(asio::ip::v6_only(true), ec);
  if (!ec) socket.bind(endpoint, ec);
  return ec;
}

void set_receive_buffer(udp::socket& socket, int bytes) {
  const int fd = socket.native_handle();
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

/// Datagrams that came while the receive buffer was full.
std::uint64_t lost(udp::socket& socket) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof memory;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0)
    return 0;
  return memory[SK_MEMINFO_DROPS];
}

base::Result<Sockets> open_once(asio::io_context& io, const base::Endpoint& endpoint,
                                int receive_buffer_bytes) {
  Sockets sockets{udp::socket(io), tcp::acceptor(io)};
  const auto failure = [&](const error_code& ec, const char* what) {
    return base::Error{ec, std::string(what) + endpoint.to_string()};
  };
  error_code ec;
  sockets.streams.open(to_asio<tcp>(endpoint).protocol(), ec);
  if (!ec) sockets.streams.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec && endpoint.address.is_v6()) sockets.streams.set_option(asio::ip::v6_only(true), ec);
  if (!ec) sockets.streams.bind(to_asio<tcp>(endpoint), ec);
  if (!ec) sockets.streams.listen(tcp::acceptor::max_listen_connections, ec);
  if (ec) return failure(ec, "listen on TCP ");

  const std::uint16_t port = sockets.streams.local_endpoint(ec).port();
  ec = bind(sockets.datagrams, to_asio<udp>({endpoint.address, port}));
  if (!ec) sockets.datagrams.non_blocking(true, ec);
  if (ec) return failure(ec, "listen on UDP ");
  set_receive_buffer(sockets.datagrams, receive_buffer_bytes);
  return sockets;
}

base::Result<Sockets> open_sockets(asio::io_context& io, const base::Endpoint& endpoint,
                                   int receive_buffer_bytes) {
  base::Result<Sockets> sockets = open_once(io, endpoint, receive_buffer_bytes);
  for (int i = 1; i < kPortTries && sockets.has_error() && endpoint.port == 0; ++i)
    sockets = open_once(io, endpoint, receive_buffer_bytes);
  return sockets;
}

}  // namespace

Nonce random_nonce() {
  Nonce nonce;
  if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) != 1) {
    // A nonce that repeats gives the key away.
    log::error("no_random_numbers");
    std::abort();
  }
  return nonce;
}

std::optional<base::Address> Transport::State::source_for(const base::Address& peer) const {
  for (const base::Endpoint& endpoint : options.listen)
    if (endpoint.address.is_v4() == peer.is_v4() && !endpoint.address.is_unspecified())
      return endpoint.address;
  return std::nullopt;
}

Transport::Transport(asio::io_context& context, TransportOptions options, const Keyring& keyring,
                     TransportHandlers handlers)
    : state_(std::make_shared<State>(context, std::move(options), keyring, std::move(handlers))) {}

Transport::~Transport() {
  state_->stopped = true;
  error_code ignored;
  for (udp::socket& socket : state_->datagram_sockets) socket.close(ignored);
  for (tcp::acceptor& acceptor : state_->acceptors) acceptor.close(ignored);
  for (TcpStream* stream : state_->streams) stream->close();
}

base::Result<void> Transport::start() {
  std::vector<Sockets> opened;
  for (const base::Endpoint& endpoint : state_->options.listen) {
    base::Result<Sockets> sockets =
        open_sockets(state_->io, endpoint, state_->options.receive_buffer_bytes);
    if (sockets.has_error()) return sockets.error();
    opened.push_back(*std::move(sockets));
  }
  for (Sockets& sockets : opened) {
    state_->datagram_sockets.push_back(std::move(sockets.datagrams));
    state_->acceptors.push_back(std::move(sockets.streams));
    asio::co_spawn(state_->io, receive_datagrams(state_, state_->datagram_sockets.back()),
                   asio::detached);
    asio::co_spawn(state_->io, accept_streams(state_, state_->acceptors.back()), asio::detached);
  }
  return {};
}

std::vector<base::Endpoint> Transport::listening() const {
  std::vector<base::Endpoint> endpoints;
  for (const tcp::acceptor& acceptor : state_->acceptors) {
    error_code ec;
    endpoints.push_back(from_asio(acceptor.local_endpoint(ec)));
  }
  return endpoints;
}

void Transport::send(const base::Endpoint& to, std::span<const MessagePtr> messages,
                     bool with_crc) {
  send_datagrams(*state_, to, messages, with_crc);
}

void Transport::exchange(const base::Endpoint& to, StreamMessage first, Next next) {
  asio::co_spawn(state_->io, run_exchange(state_, to, std::move(first), std::move(next)),
                 asio::detached);
}

void Transport::set_wire(WireOptions wire) { state_->options.wire = std::move(wire); }

TransportStats Transport::stats() const {
  TransportStats stats = state_->stats;
  for (udp::socket& socket : state_->datagram_sockets) stats.packets_lost_in += lost(socket);
  return stats;
}

}  // namespace viaduct::gossip
