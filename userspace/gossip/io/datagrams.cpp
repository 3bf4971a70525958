#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <vector>

#include "gossip/io/endpoint.h"
#include "gossip/io/transport_state.h"
#include "gossip/packet.h"

namespace viaduct::gossip {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

/// Datagrams that are taken before others get their turn.
constexpr int kBatch = 64;
constexpr std::size_t kBufferOctets = 65'536;

void take(Transport::State& state, base::ByteView datagram, const base::Endpoint& from) {
  ++state.stats.packets_in;
  state.stats.packet_bytes_in += datagram.size();
  OpenedPacket packet = open_packet(datagram, state.options.wire, state.keyring);
  state.stats.packet_drops.add(packet.dropped);
  if (!packet.messages.empty()) state.handlers.packet(packet.messages, from);
}

}  // namespace

asio::awaitable<void> receive_datagrams(StatePtr state, udp::socket& socket) {
  std::vector<std::uint8_t> buffer(kBufferOctets);
  while (!state->stopped) {
    const auto [wait_error] = co_await socket.async_wait(udp::socket::wait_read, kNoThrow);
    if (state->stopped || wait_error) co_return;
    for (int i = 0; i < kBatch && !state->stopped; ++i) {
      udp::endpoint from;
      error_code ec;
      const std::size_t octets = socket.receive_from(asio::buffer(buffer), from, 0, ec);
      if (ec == asio::error::would_block) break;
      // Other errors tell of datagrams that we sent.
      if (!ec) take(*state, base::ByteView(buffer).first(octets), from_asio(from));
    }
    if (!state->stopped) co_await asio::post(state->io, kNoThrow);
  }
}

void send_datagrams(Transport::State& state, const base::Endpoint& to,
                    std::span<const MessagePtr> messages, bool with_crc) {
  const SealedPackets packets =
      seal_packet(messages, with_crc, state.options.wire, state.keyring, random_nonce);
  state.stats.packet_send_failures += packets.too_large;
  udp::socket* socket = nullptr;
  for (udp::socket& candidate : state.datagram_sockets) {
    error_code ec;
    if (candidate.local_endpoint(ec).address().is_v4() == to.address.is_v4()) socket = &candidate;
  }
  for (const base::Bytes& datagram : packets.datagrams) {
    error_code ec = asio::error::address_family_not_supported;
    if (socket) socket->send_to(asio::buffer(datagram), to_asio<udp>(to), 0, ec);
    if (ec) {
      ++state.stats.packet_send_failures;
      continue;
    }
    ++state.stats.packets_out;
    state.stats.packet_bytes_out += datagram.size();
  }
}

}  // namespace viaduct::gossip
