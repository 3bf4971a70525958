#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gossip/io/transport.h"

namespace viaduct::test {

gossip::Keyring keyring_of(const std::vector<std::string>& keys);
/// A key of 16 octets.
inline const std::string kKey = "0123456789abcdef", kOtherKey = "fedcba9876543210";

/// A transport on loopback that keeps what it hears.
struct Peer {
  Peer(boost::asio::io_context& io, const base::Endpoint& listen, gossip::WireOptions wire,
       const std::vector<std::string>& keys, gossip::TransportLimits limits = {});

  base::Endpoint endpoint() const { return transport->listening().front(); }
  gossip::TransportStats stats() const { return transport->stats(); }
  void send(const base::Endpoint& to, std::vector<gossip::Message> messages, bool with_crc = false);

  std::vector<gossip::Message> heard;
  base::Endpoint heard_from;
  std::vector<gossip::StreamMessage> stream_heard;
  /// What it answers on streams.
  std::function<std::optional<gossip::StreamMessage>(const gossip::StreamMessage&)> answer;
  gossip::Keyring keyring;
  std::unique_ptr<gossip::Transport> transport;
};

/// Runs the context until something holds.
/// @return whether it did within 10 s.
bool run_until(boost::asio::io_context& io, const std::function<bool()>& holds);

/// A plain TCP client whose reads run the context meanwhile.
class RawStream {
 public:
  RawStream(boost::asio::io_context& io, const base::Endpoint& to);
  bool write(base::ByteView bytes);
  /// All that comes until the peer closes, or resets; absent after 10 s.
  std::optional<base::Bytes> read_to_end();
  void close() { socket_.close(); }

 private:
  boost::asio::io_context& io_;
  boost::asio::ip::tcp::socket socket_;
};

/// Some message of each kind.
std::vector<gossip::Message> one_of_each();
gossip::PushPull push_pull(std::size_t members);

}  // namespace viaduct::test
