// Members of a cluster in one process, each with sockets of its own on a loopback address, for one
// real viaductd to live among:
//   gossip_crowd MEMBERS ROWS SEED-ADDRESS CHANGES-PER-SECOND
// Member i listens on 127.1.(i / 250).(i % 250 + 1), port 7946, and publishes ROWS backends. Prints
// "ready" when all have begun to join SEED-ADDRESS; changes begin after a line on standard
// input, and its end is the end.
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "gossip/engine.h"
#include "gossip/io/transport.h"
#include "gossip/meta.h"
#include "gossip/row_codec.h"

namespace {

using namespace viaduct;

constexpr std::uint16_t kPort = 7946;
constexpr std::size_t kPerOctet = 250;
constexpr std::size_t kVips = 1000;  // shared by all members
/// Between two members that join: news of all at once would keep one core busy for minutes.
constexpr std::chrono::milliseconds kJoinPause{60};

class Member {
 public:
  Member(boost::asio::io_context& context, std::size_t number, base::Endpoint seed)
      : timer_(context), number_(number) {
    const base::Endpoint endpoint{
        base::Address::v4(static_cast<std::uint32_t>(0x7f010000 + ((number / kPerOctet) << 8) +
                                                     number % kPerOctet + 1)),
        kPort};
    gossip::NodeInfo self;
    self.name = "crowd-" + std::to_string(number);
    self.endpoint = endpoint;
    self.meta = gossip::encode_tags({{"role", "viaduct"}, {gossip::kViaductTag, "1"}});
    gossip::EngineOptions options;
    options.seeds = {seed};
    options.random_seed = number + 1;
    // A thousand members on one core: they must not take each other for dead, and what each does
    // now and then would keep it busy all the time. The viaductd among them has its own timing.
    options.timing.probe_interval = std::chrono::seconds(20);
    options.timing.probe_timeout = std::chrono::seconds(8);
    options.timing.push_pull_interval = std::chrono::minutes(3);
    options.timing.second_opinion = std::chrono::minutes(3);
    options.timing.digest_interval = std::chrono::minutes(3);
    options.timing.eager_delay = options.timing.gossip_interval;
    engine_ = std::make_unique<gossip::Engine>(
        std::make_shared<const gossip::NodeInfo>(std::move(self)), options, base::Clock::now());
    gossip::TransportOptions sockets;
    sockets.listen = {endpoint};
    sockets.receive_buffer_bytes = 256 << 10;
    gossip::TransportHandlers handlers;
    handlers.packet = [this](std::span<gossip::Message> messages, const base::Endpoint& from) {
      std::vector<gossip::MessagePtr> shared;
      for (gossip::Message& message : messages)
        shared.push_back(std::make_shared<const gossip::Message>(std::move(message)));
      gossip::Actions actions;
      engine_->on_packet(shared, from, base::Clock::now(), actions);
      settle(actions);
    };
    handlers.stream = [this](gossip::StreamMessage message, const base::Endpoint& from) {
      gossip::Actions actions;
      auto answer = engine_->on_request(message, from, base::Clock::now(), actions);
      settle(actions);
      return answer;
    };
    transport_ =
        std::make_unique<gossip::Transport>(context, sockets, keyring_, std::move(handlers));
  }

  void start() {
    if (auto started = transport_->start(); !started) {
      std::fprintf(stderr, "%s\n", started.error().message().c_str());
      std::exit(1);
    }
    started_ = true;
    gossip::Actions none;
    settle(none);
  }

  /// Sets the weight of one backend, the number-th of ours.
  void publish(std::size_t first, std::size_t count, std::uint16_t weight) {
    std::vector<gossip::RowChange> changes;
    for (std::size_t i = first; i < first + count; ++i) {
      service::BackendRow row;
      row.vip = base::Address::v4(static_cast<std::uint32_t>(
          0xc6120001 + (number_ * 31 + i * 7) % kVips));  // 198.18.0.1 and on
      row.vip_port = 80;
      row.backend = {base::Address::v4(static_cast<std::uint32_t>(0x0a000000 + number_)),
                     static_cast<std::uint16_t>(1024 + i)};
      row.weight = weight;
      const auto wire = gossip::encode_row(row);
      changes.emplace_back(std::string(wire->key()), std::string(wire->value()));
    }
    if (auto done = engine_->publish(std::move(changes), base::Clock::now()); !done)
      std::fprintf(stderr, "%s\n", done.error().message().c_str());
    gossip::Actions none;
    settle(none);
  }

  gossip::Store& store() { return engine_->store(); }
  void know(const gossip::OwnerRecord& owner) {
    store().restore(owner.name, owner.version, owner.rows, {}, base::Clock::now());
  }

 private:
  void settle(gossip::Actions& actions) {
    if (!started_) return;
    for (gossip::SendPacket& packet : actions.packets)
      transport_->send(packet.to, packet.messages, packet.crc);
    for (gossip::OpenStream& stream : actions.streams)
      transport_->exchange(stream.to, std::move(stream.first),
                           [this, id = stream.id](base::Result<gossip::StreamMessage> message)
                               -> std::optional<gossip::StreamMessage> {
                             gossip::Actions next;
                             std::optional<gossip::StreamMessage> answer;
                             if (message)
                               answer = engine_->on_answer(id, *message, base::Clock::now(), next);
                             if (!answer) engine_->on_stream_end(id, base::Clock::now(), next);
                             settle(next);
                             return answer;
                           });
    engine_->store().take_changes();
    timer_.expires_at(engine_->next_tick());
    timer_.async_wait([this](const boost::system::error_code& failed) {
      if (failed) return;
      gossip::Actions due;
      engine_->on_tick(base::Clock::now(), due);
      settle(due);
    });
  }

  gossip::Keyring keyring_;
  std::unique_ptr<gossip::Engine> engine_;
  std::unique_ptr<gossip::Transport> transport_;
  boost::asio::steady_timer timer_;
  std::size_t number_;
  bool started_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: gossip_crowd MEMBERS ROWS SEED-ADDRESS CHANGES-PER-SECOND\n");
    return 2;
  }
  const std::size_t count = std::strtoul(argv[1], nullptr, 10);
  const std::size_t rows = std::strtoul(argv[2], nullptr, 10);
  const auto seed = base::Address::parse(argv[3]);
  const unsigned long rate = std::strtoul(argv[4], nullptr, 10);
  if (count == 0 || rows == 0 || rows > 16'000 || !seed || rate == 0 || rate > 10'000) return 2;

  boost::asio::io_context context;
  std::vector<std::unique_ptr<Member>> members;
  for (std::size_t i = 0; i < count; ++i) {
    members.push_back(std::make_unique<Member>(context, i, base::Endpoint{*seed, kPort}));
    members.back()->publish(0, rows, 1);
  }
  // They know each other's rows, as members of an old cluster do: one thread would need many
  // minutes to bring a thousand tables to each. The viaductd among them learns all by gossip.
  for (const auto& owner : members)
    for (const auto& other : members)
      if (owner != other) other->know(owner->store().own());
  boost::asio::steady_timer join(context);
  std::size_t started = 0;
  std::function<void()> start = [&] {
    members[started++]->start();
    if (started == count) {
      std::puts("ready");
      std::fflush(stdout);
      return;
    }
    join.expires_after(kJoinPause);
    join.async_wait([&](const boost::system::error_code&) { start(); });
  };
  start();

  boost::asio::steady_timer change(context);
  std::uint64_t turn = 0;
  std::function<void()> next = [&] {
    members[turn % count]->publish(turn % rows, 1, static_cast<std::uint16_t>(2 + turn % 9));
    ++turn;
    change.expires_after(std::chrono::microseconds(1'000'000 / rate));
    change.async_wait([&](const boost::system::error_code&) { next(); });
  };
  boost::asio::posix::stream_descriptor input(context, 0);
  boost::asio::streambuf line;
  std::function<void()> listen = [&] {
    boost::asio::async_read_until(input, line, '\n',
                                  [&](const boost::system::error_code& failed, std::size_t size) {
                                    if (failed) return context.stop();
                                    line.consume(size);
                                    next();
                                    listen();
                                  });
  };
  listen();
  context.run();
  return 0;
}
