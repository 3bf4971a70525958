#include "dns/io/server.h"

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "base/io/log.h"
#include "dns/io/listen_socket.h"
#include "dns/io/probe.h"
#include "dns/io/resolv_conf_file.h"
#include "dns/io/table_box.h"
#include "dns/io/thread.h"

namespace viaduct::dns {
namespace {

struct Listener {
  base::Address address;
  std::optional<base::Endpoint> bound;
  std::string last_error;  ///< of binding
  std::string fault;       ///< why it does not answer; empty: it does, or was not asked yet
  unsigned silent_looks = 0;
};

constexpr std::chrono::seconds kPatience{1};
constexpr unsigned kLooksBeforeRebind = 3;

/// After 3 silent looks, after 6, 12, 24 and so on: an address that never comes is not bound anew
/// for ever.
bool is_time_to_rebind(unsigned silent_looks) {
  return silent_looks % kLooksBeforeRebind == 0 &&
         std::has_single_bit(silent_looks / kLooksBeforeRebind);
}

}  // namespace

class Server::Impl {
 public:
  explicit Impl(Config config)
      : config_(std::move(config)),
        tables_(build_table(service::Snapshot{}, config_.zones).table) {}

  ~Impl() { stop(); }

  base::Result<void> start() {
    for (const base::Address& address : config_.listen)
      listeners_.push_back({address, std::nullopt, {}});
    if (config_.forward.enabled()) forwarder_ = std::make_unique<Forwarder>(config_.forward);
    for (unsigned i = 0; i < std::max(1u, config_.workers); ++i)
      workers_.push_back(
          std::make_unique<UdpWorker>(tables_, forwarder_.get(), "vd-dns-" + std::to_string(i)));
    tcp_ = std::make_unique<TcpServer>(tables_, forwarder_.get(), config_.tcp, "vd-dns-tcp");

    std::optional<base::Error> failure;
    for (const base::Error& error : open_missing()) {
      if (!failure)
        failure = error;
      else
        failure->context += "; " + error.message();
    }
    if (!config_.resolv_conf.path.empty()) resolv_conf_.emplace(config_.resolv_conf);
    watch_ = start_thread("vd-dns-watch", [this](const std::stop_token& stop) { watch(stop); });
    return failure ? base::Result<void>(*failure) : base::Result<void>();
  }

  void publish(std::shared_ptr<const Table> table) { tables_.put(std::move(table)); }

  void stop() {
    watch_ = {};                         // asks it to stop and waits
    if (forwarder_) forwarder_->stop();  // it answers on the workers' sockets
    tcp_.reset();
    workers_.clear();
    forwarder_.reset();
    listeners_.clear();
  }

  Stats stats() const {
    Stats stats;
    for (const auto& worker : workers_) worker->add_to(stats.udp);
    if (tcp_) stats.tcp = tcp_->stats();
    if (forwarder_) stats.forward = forwarder_->stats();
    return stats;
  }

  bool look_up(base::Bytes query, TakeAnswer take) {
    if (!forwarder_) return false;
    std::vector<ForwardedQuery> queries;
    queries.push_back({std::move(query), {}, std::move(take)});
    forwarder_->ask(std::move(queries));
    return true;
  }

  std::chrono::steady_clock::time_point last_alive() const {
    if (workers_.empty()) return {};
    auto earliest = workers_.front()->last_alive();
    for (const auto& worker : workers_) earliest = std::min(earliest, worker->last_alive());
    return earliest;
  }

  std::vector<base::Endpoint> listening() const {
    const std::lock_guard lock(mutex_);
    std::vector<base::Endpoint> endpoints;
    for (const Listener& listener : listeners_)
      if (listener.bound) endpoints.push_back(*listener.bound);
    return endpoints;
  }

  std::vector<std::string> faults() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> faults;
    for (const Listener& listener : listeners_) {
      if (!listener.bound) faults.push_back(listener.last_error);
      if (listener.bound && !listener.fault.empty())
        faults.push_back(listener.bound->to_string() + " " + listener.fault);
    }
    return faults;
  }

 private:
  /// Tries every address that is not bound.
  /// @return the failures that differ from the last ones of their address.
  std::vector<base::Error> open_missing() {
    const std::lock_guard lock(mutex_);
    std::vector<base::Error> failures;
    for (Listener& listener : listeners_) {
      if (listener.bound) continue;
      auto sockets =
          open_listen_sockets({listener.address, config_.port},
                              static_cast<unsigned>(workers_.size()), config_.receive_buffer_bytes);
      if (!sockets) {
        if (listener.last_error != sockets.error().message()) failures.push_back(sockets.error());
        listener.last_error = sockets.error().message();
        continue;
      }
      for (std::size_t i = 0; i < workers_.size(); ++i)
        workers_[i]->add(std::move(sockets->udp[i]));
      tcp_->add(std::move(sockets->tcp));
      listener.bound = sockets->endpoint;
      listener.last_error.clear();
      log::info("dns_listening", {{"address", sockets->endpoint.to_string()}});
    }
    return failures;
  }

  /// Binds what could not be bound, and asks each address whether it answers.
  void watch(const std::stop_token& stop) {
    std::mutex mutex;  // only for the wait; nothing is shared
    std::condition_variable_any never;
    base::Time next_look = base::Clock::now() + config_.watch;
    while (true) {
      std::unique_lock lock(mutex);
      never.wait_for(lock, stop, config_.retry, [] { return false; });
      if (stop.stop_requested()) break;
      for (const base::Error& error : open_missing())
        log::warn("dns_listen_failed", {{"error", error.message()}});
      if (base::Clock::now() < next_look) continue;
      look(stop);
      next_look = base::Clock::now() + config_.watch;
    }
    write_resolv_conf({});
  }

  void look(const std::stop_token& stop) {
    std::vector<base::Address> answering;
    for (const base::Endpoint& endpoint : listening()) {
      if (stop.stop_requested()) return;
      std::string fault;
      for (const Transport transport : {Transport::udp, Transport::tcp})
        if (fault.empty()) fault = probe(endpoint, transport, ready_, Type::a, kPatience);
      if (fault.empty()) answering.push_back(endpoint.address);
      judge(endpoint, fault);
    }
    write_resolv_conf(answering);
  }

  /// An address that does not answer for long is bound anew: it may have been taken away and come
  /// back, or its sockets are broken.
  void judge(const base::Endpoint& endpoint, const std::string& fault) {
    const std::lock_guard lock(mutex_);
    for (Listener& listener : listeners_) {
      if (listener.bound != endpoint) continue;
      if (fault != listener.fault)
        fault.empty()
            ? log::info("dns_answers", {{"address", endpoint.to_string()}})
            : log::warn("dns_silent", {{"address", endpoint.to_string()}, {"error", fault}});
      listener.fault = fault;
      listener.silent_looks = fault.empty() ? 0 : listener.silent_looks + 1;
      if (!is_time_to_rebind(listener.silent_looks)) continue;
      log::warn("dns_bound_anew", {{"address", endpoint.to_string()}});
      for (auto& worker : workers_) worker->remove(endpoint);
      tcp_->remove(endpoint);
      listener.bound = {};
    }
  }

  void write_resolv_conf(const std::vector<base::Address>& answering) {
    if (!resolv_conf_) return;
    const auto written = resolv_conf_->show(answering);
    const std::string error = written ? "" : written.error().message();
    if (error != resolv_conf_error_ && !error.empty())
      log::error("resolv_conf_failed", {{"error", error}});
    resolv_conf_error_ = error;
  }

  const Config config_;
  TableBox tables_;
  std::unique_ptr<Forwarder> forwarder_;
  std::vector<std::unique_ptr<UdpWorker>> workers_;
  std::unique_ptr<TcpServer> tcp_;
  // The listeners are written by the retry thread and read by the owner; a snapshot of them would
  // be as much code.
  mutable std::mutex mutex_;
  std::vector<Listener> listeners_;
  const Name ready_ = *Name::parse("ready.spartan");
  std::optional<ResolvConfFile> resolv_conf_;
  std::string resolv_conf_error_;
  std::jthread watch_;
};

std::uint64_t Stats::queries() const {
  return std::accumulate(udp.outcomes.begin(), udp.outcomes.end(), std::uint64_t{0}) +
         std::accumulate(tcp.outcomes.begin(), tcp.outcomes.end(), std::uint64_t{0});
}

Server::Server(Config config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Server::~Server() = default;
base::Result<void> Server::start() { return impl_->start(); }
void Server::publish(std::shared_ptr<const Table> table) { impl_->publish(std::move(table)); }
void Server::stop() { impl_->stop(); }
bool Server::look_up(base::Bytes query, TakeAnswer take) {
  return impl_->look_up(std::move(query), std::move(take));
}
Stats Server::stats() const { return impl_->stats(); }
std::chrono::steady_clock::time_point Server::last_alive() const { return impl_->last_alive(); }
std::vector<base::Endpoint> Server::listening() const { return impl_->listening(); }
std::vector<std::string> Server::faults() const { return impl_->faults(); }

}  // namespace viaduct::dns
