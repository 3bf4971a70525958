#include "dns/io/upstream_udp.h"

#include <algorithm>

namespace viaduct::dns {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

// Upstreams are told 1,232 octets; what is longer is cut and then malformed.
constexpr std::size_t kReceiveOctets = 4096;
constexpr int kMessagesPerWakeUp = 32;  // of one socket; others get their turn then

}  // namespace

asio::ip::address to_asio(const base::Address& address) {
  const auto octets = address.octets();
  if (address.is_v4()) {
    asio::ip::address_v4::bytes_type bytes;
    std::copy(octets.begin(), octets.end(), bytes.begin());
    return asio::ip::address_v4(bytes);
  }
  asio::ip::address_v6::bytes_type bytes;
  std::copy(octets.begin(), octets.end(), bytes.begin());
  return asio::ip::address_v6(bytes);
}

UpstreamUdp::UpstreamUdp(asio::io_context& io, UpstreamEvents events)
    : io_(io), events_(std::move(events)), octets_(kReceiveOctets) {}

bool UpstreamUdp::send(forward::ExchangeId exchange, const base::Endpoint& upstream,
                       base::ByteView message) {
  boost::system::error_code ec;
  const udp::endpoint to(to_asio(upstream.address), upstream.port);
  udp::socket socket(io_);
  socket.open(to.protocol(), ec);
  if (!ec) socket.non_blocking(true, ec);
  if (!ec) socket.connect(to, ec);
  if (ec) return false;
  socket.send(asio::buffer(message.data(), message.size()), 0, ec);
  if (ec) return false;
  const std::uint16_t port = socket.local_endpoint(ec).port();
  const auto [at, fresh] = sockets_.try_emplace(exchange, Socket{std::move(socket), port});
  by_port_[port] = exchange;
  wait(exchange, at->second);
  return fresh;
}

void UpstreamUdp::close(forward::ExchangeId exchange) {
  const auto known = sockets_.find(exchange);
  if (known == sockets_.end()) return;
  const auto port = by_port_.find(known->second.local_port);
  if (port != by_port_.end() && port->second == exchange) by_port_.erase(port);
  sockets_.erase(known);
}

std::optional<forward::ExchangeId> UpstreamUdp::find(std::uint16_t local_port) const {
  const auto known = by_port_.find(local_port);
  if (known == by_port_.end()) return std::nullopt;
  return known->second;
}

void UpstreamUdp::wait(forward::ExchangeId exchange, Socket& socket) {
  socket.socket.async_wait(udp::socket::wait_read,
                           [this, exchange](const boost::system::error_code& ec) {
                             if (!ec) drain(exchange);
                           });
}

void UpstreamUdp::drain(forward::ExchangeId exchange) {
  for (int i = 0; i < kMessagesPerWakeUp; ++i) {
    // The exchange may have ended by what the message before brought.
    const auto known = sockets_.find(exchange);
    if (known == sockets_.end()) return;
    boost::system::error_code ec;
    const std::size_t octets = known->second.socket.receive(asio::buffer(octets_), 0, ec);
    if (ec == asio::error::would_block) return wait(exchange, known->second);
    if (ec) return events_.on_error(exchange);
    events_.on_message(exchange, base::ByteView(octets_).first(octets));
  }
  if (const auto known = sockets_.find(exchange); known != sockets_.end())
    wait(exchange, known->second);
}

}  // namespace viaduct::dns
