#include "tests/io/gossip/pair.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <chrono>

#include "gossip/io/endpoint.h"

namespace viaduct::test {

using namespace gossip;
namespace asio = boost::asio;

Keyring keyring_of(const std::vector<std::string>& keys) {
  Keyring keyring;
  for (const std::string& key : keys) keyring.install(base::as_bytes(key)).value();
  return keyring;
}

Peer::Peer(asio::io_context& io, const base::Endpoint& listen, WireOptions wire,
           const std::vector<std::string>& keys, TransportLimits limits)
    : keyring(keyring_of(keys)) {
  TransportHandlers handlers;
  handlers.packet = [this](std::span<Message> messages, const base::Endpoint& from) {
    heard_from = from;
    std::move(messages.begin(), messages.end(), std::back_inserter(heard));
  };
  handlers.stream = [this](StreamMessage message, const base::Endpoint&) {
    stream_heard.push_back(std::move(message));
    return answer ? answer(stream_heard.back()) : std::nullopt;
  };
  TransportOptions options{{listen}, std::move(wire), limits};
  transport = std::make_unique<Transport>(io, options, keyring, handlers);
  const auto started = transport->start();
  EXPECT_TRUE(started.has_value()) << started.error().message();
}

void Peer::send(const base::Endpoint& to, std::vector<Message> messages, bool with_crc) {
  std::vector<MessagePtr> shared;
  for (Message& message : messages)
    shared.push_back(std::make_shared<const Message>(std::move(message)));
  transport->send(to, shared, with_crc);
}

bool run_until(asio::io_context& io, const std::function<bool()>& holds) {
  using namespace std::chrono_literals;
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    io.restart();
    io.run_one_for(20ms);
  }
  return true;
}

RawStream::RawStream(asio::io_context& io, const base::Endpoint& to) : io_(io), socket_(io) {
  socket_.connect(to_asio<asio::ip::tcp>(to));
  socket_.non_blocking(true);
}

bool RawStream::write(base::ByteView bytes) {
  boost::system::error_code ec;
  std::size_t written = 0;
  const bool all = run_until(io_, [&] {
    written += socket_.write_some(asio::buffer(bytes.data() + written, bytes.size() - written), ec);
    return written == bytes.size() || (ec && ec != asio::error::would_block);
  });
  return all && written == bytes.size();
}

std::optional<base::Bytes> RawStream::read_to_end() {
  base::Bytes all;
  std::array<std::uint8_t, 4096> buffer;
  const bool ended = run_until(io_, [&] {
    boost::system::error_code ec;
    const std::size_t octets = socket_.read_some(asio::buffer(buffer), ec);
    all.insert(all.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(octets));
    return ec && ec != asio::error::would_block;
  });
  if (!ended) return std::nullopt;
  return all;
}

namespace {
NodeInfoPtr node(const std::string& name) {
  return std::make_shared<const NodeInfo>(
      NodeInfo{name, {base::Address::v4({192, 0, 2, 1}), 7946}, {1, 2, 3}, {}});
}
}  // namespace

std::vector<Message> one_of_each() {
  const base::Endpoint where{base::Address::v4({192, 0, 2, 7}), 7946};
  return {Ping{1, "b", PingSource{where, "a"}},
          IndirectPing{2, where, "c", true, PingSource{where, "a"}},
          Ack{3, {9, 8, 7}},
          Nack{4},
          Suspect{5, "b", "a"},
          Dead{6, "b", "a"},
          Alive{7, node("b")},
          User{base::Bytes(300, 'u')}};
}

PushPull push_pull(std::size_t members) {
  PushPull message{true, {}, base::Bytes(1000, 's')};
  for (std::size_t i = 0; i < members; ++i)
    message.members.push_back({node("node-" + std::to_string(i)), 3, NodeState::suspect});
  return message;
}

}  // namespace viaduct::test
