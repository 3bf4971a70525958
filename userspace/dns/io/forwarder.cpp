#include "dns/io/forwarder.h"

#include <sys/random.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <future>
#include <optional>
#include <thread>

#include "base/io/log.h"
#include "base/time.h"
#include "dns/io/thread.h"
#include "dns/io/upstream_tcp.h"
#include "dns/io/upstream_udp.h"

namespace viaduct::dns {
namespace {

namespace asio = boost::asio;
using base::Clock;
using base::Time;
using forward::ExchangeId;
using forward::Ticket;

constexpr std::size_t kMaxQueued = 8192;  // queries on their way to the thread
constexpr rlim_t kOpenFiles = 3 * forward::kMaxLookups + 1024;

/// Numbers of the kernel's random generator, some hundred at a time.
class Entropy {
 public:
  std::uint64_t next() {
    if (left_ == 0) refill();
    return numbers_[--left_];
  }

 private:
  void refill() {
    // At most 256 octets come whole or not at all once the generator is ready.
    if (::getrandom(numbers_.data(), sizeof numbers_, 0) != sizeof numbers_) std::abort();
    left_ = numbers_.size();
  }

  std::array<std::uint64_t, 32> numbers_{};
  std::size_t left_ = 0;
};

void raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kOpenFiles) return;
  limit.rlim_cur = std::min(kOpenFiles, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < kOpenFiles)
    log::warn("dns_forward_few_files", {{"limit", limit.rlim_cur}, {"wanted", kOpenFiles}});
}

}  // namespace

class Forwarder::Impl {
 public:
  explicit Impl(const forward::Options& options)
      : engine_(options, [this] { return entropy_.next(); }),
        udp_(io_, events()),
        out_(kMaxTcpOctets) {
    raise_open_files();
    for (const base::Endpoint& upstream : engine_.routes().upstreams())
      tcp_.push_back(std::make_unique<UpstreamTcp>(
          io_, upstream, events(), [this](ExchangeId exchange, base::ByteView message) {
            return engine_.is_reply_of(exchange, message);
          }));
    asio::post(io_, [this] { probe_loops(); });
    thread_ = start_thread("vd-dns-fwd", [this, work = asio::make_work_guard(io_)] { io_.run(); });
  }

  ~Impl() { stop(); }

  Forwarding state() const {
    return queued_.load(std::memory_order_relaxed) < kMaxQueued ? Forwarding::on : Forwarding::full;
  }

  void ask(std::vector<ForwardedQuery> queries) {
    queued_.fetch_add(queries.size(), std::memory_order_relaxed);
    asio::post(io_, [this, queries = std::move(queries)]() mutable {
      queued_.fetch_sub(queries.size(), std::memory_order_relaxed);
      const Time now = Clock::now();
      for (ForwardedQuery& query : queries) take(query, now);
      finish(now);
    });
  }

  void stop() {
    if (!thread_.joinable()) return;
    io_.stop();
    thread_.join();
  }

  void forget(int socket) {
    run([this, socket] {
      std::erase_if(waiting_, [&](const auto& one) {
        const auto* udp = std::get_if<UdpReturn>(&one.second);
        return udp && udp->socket == socket;
      });
    });
  }

  forward::Stats stats() {
    auto stats = std::make_shared<forward::Stats>();
    run([this, stats] { *stats = engine_.stats(Clock::now()); });
    return *stats;
  }

 private:
  /// Has the thread do something and waits until it did, or until the thread was stopped.
  template <class Function>
  void run(Function function) {
    const auto done = std::make_shared<std::promise<void>>();
    std::future<void> future = done->get_future();
    asio::post(io_, [done, function = std::move(function)] {
      function();
      done->set_value();
    });
    while (future.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready)
      if (io_.stopped()) return;
  }

  UpstreamEvents events() {
    return {[this](ExchangeId exchange, base::ByteView message) {
              const Time now = Clock::now();
              engine_.on_message(exchange, message, now, actions_);
              finish(now);
            },
            [this](ExchangeId exchange) {
              const Time now = Clock::now();
              engine_.on_error(exchange, now, actions_);
              finish(now);
            }};
  }

  void take(ForwardedQuery& query, Time now) {
    const Question question = parse_question(query.message);
    if (question.verdict != Verdict::query) return;
    const auto* udp = std::get_if<UdpReturn>(&query.back);
    // Found by its port: only a query that we sent ourselves can be the exchange's own.
    if (const auto exchange = udp ? udp_.find(query.client.port) : std::nullopt)
      if (engine_.is_own_query(*exchange, query.message, now, actions_)) return;
    const Ticket ticket = ++last_ticket_;
    const auto [octets, origin] =
        engine_.ask(query.message, question, udp ? Transport::udp : Transport::tcp,
                    query.client.address, ticket, now, out_, actions_);
    if (octets == 0)
      waiting_.emplace(ticket, std::move(query.back));
    else
      answer(query.back, {out_.data(), octets}, origin);
  }

  static void answer(const std::variant<UdpReturn, TakeAnswer>& back, base::ByteView message,
                     const forward::Origin& origin) {
    if (const auto* udp = std::get_if<UdpReturn>(&back))
      ::sendto(udp->socket, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&udp->client), udp->client_octets);
    else
      std::get<TakeAnswer>(back)({message.begin(), message.end()}, origin);
  }

  /// Performs what the engine decided, and what it decides on that, then waits for its next time.
  void finish(Time now) {
    for (std::size_t i = 0; i < actions_.size(); ++i) {
      const forward::Action action = std::move(actions_[i]);
      std::visit([&](const auto& one) { perform(one, now); }, action);
    }
    actions_.clear();
    arm();
  }

  void perform(const forward::Send& send, Time now) {
    const base::Endpoint& upstream = engine_.routes().upstreams()[send.upstream];
    if (send.transport == Transport::tcp)
      tcp_[send.upstream]->send(send.exchange, send.message);
    else if (!udp_.send(send.exchange, upstream, send.message))
      engine_.on_error(send.exchange, now, actions_);
    else
      return;
    if (send.transport == Transport::tcp) by_tcp_.emplace(send.exchange, send.upstream);
  }

  void perform(const forward::Close& close, Time) {
    udp_.close(close.exchange);
    const auto tcp = by_tcp_.find(close.exchange);
    if (tcp == by_tcp_.end()) return;
    tcp_[tcp->second]->close(close.exchange);
    by_tcp_.erase(tcp);
  }

  void perform(const forward::Answer& ready, Time) {
    const auto waiting = waiting_.find(ready.ticket);
    if (waiting == waiting_.end()) return;
    answer(waiting->second, ready.message, ready.origin);
    waiting_.erase(waiting);
  }

  void perform(const forward::Aside& aside, Time) {
    log::error("dns_upstream_is_ourselves",
               {{"upstream", engine_.routes().upstreams()[aside.upstream].to_string()}});
  }

  void arm() {
    const std::optional<Time> next = engine_.next_time();
    if (!next || (armed_ && *armed_ <= *next)) return;
    armed_ = next;
    timer_.expires_at(*next);
    timer_.async_wait([this](const boost::system::error_code& ec) {
      if (ec) return;
      armed_.reset();
      const Time now = Clock::now();
      engine_.on_time(now, actions_);
      finish(now);
    });
  }

  void probe_loops() {
    const Time now = Clock::now();
    engine_.probe_loops(now, actions_);
    finish(now);
    probe_timer_.expires_after(forward::kProbeLoops);
    probe_timer_.async_wait([this](const boost::system::error_code& ec) {
      if (!ec) probe_loops();
    });
  }

  Entropy entropy_;
  forward::Engine engine_;
  forward::Actions actions_;
  asio::io_context io_{1};
  asio::steady_timer timer_{io_};
  asio::steady_timer probe_timer_{io_};
  std::optional<Time> armed_;  ///< when timer_ fires
  UpstreamUdp udp_;
  std::vector<std::unique_ptr<UpstreamTcp>> tcp_;  ///< by upstream
  std::unordered_map<ExchangeId, std::size_t> by_tcp_;
  std::unordered_map<Ticket, std::variant<UdpReturn, TakeAnswer>> waiting_;
  Ticket last_ticket_ = 0;
  std::vector<std::uint8_t> out_;
  std::atomic<std::size_t> queued_ = 0;
  std::jthread thread_;
};

Forwarder::Forwarder(const forward::Options& options) : impl_(std::make_unique<Impl>(options)) {}
Forwarder::~Forwarder() = default;
Forwarding Forwarder::state() const { return impl_->state(); }
void Forwarder::ask(std::vector<ForwardedQuery> queries) { impl_->ask(std::move(queries)); }
void Forwarder::forget(int socket) { impl_->forget(socket); }
void Forwarder::stop() { impl_->stop(); }
forward::Stats Forwarder::stats() const { return impl_->stats(); }

}  // namespace viaduct::dns
