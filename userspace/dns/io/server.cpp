#include "dns/io/server.h"

#include <algorithm>
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
#include "dns/io/table_box.h"
#include "dns/io/thread.h"

namespace viaduct::dns {
namespace {

struct Listener {
  base::Address address;
  std::optional<base::Endpoint> bound;
  std::string last_error;
};

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
    for (unsigned i = 0; i < std::max(1u, config_.workers); ++i)
      workers_.push_back(std::make_unique<UdpWorker>(tables_, "vd-dns-" + std::to_string(i)));
    tcp_ = std::make_unique<TcpServer>(tables_, config_.tcp, "vd-dns-tcp");

    std::optional<base::Error> failure;
    for (const base::Error& error : open_missing()) {
      if (!failure)
        failure = error;
      else
        failure->context += "; " + error.message();
    }
    if (!failure) return {};
    retry_ =
        start_thread("vd-dns-retry", [this](const std::stop_token& stop) { retry_missing(stop); });
    return *failure;
  }

  void publish(std::shared_ptr<const Table> table) { tables_.put(std::move(table)); }

  void stop() {
    retry_ = {};  // asks it to stop and waits
    tcp_.reset();
    workers_.clear();
    listeners_.clear();
  }

  Stats stats() const {
    Stats stats;
    for (const auto& worker : workers_) worker->add_to(stats.udp);
    if (tcp_) stats.tcp = tcp_->stats();
    return stats;
  }

  std::vector<base::Endpoint> listening() const {
    const std::lock_guard lock(mutex_);
    std::vector<base::Endpoint> endpoints;
    for (const Listener& listener : listeners_)
      if (listener.bound) endpoints.push_back(*listener.bound);
    return endpoints;
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
      log::info("dns_listening", {{"address", sockets->endpoint.to_string()}});
    }
    return failures;
  }

  bool all_bound() const {
    const std::lock_guard lock(mutex_);
    return std::all_of(listeners_.begin(), listeners_.end(),
                       [](const Listener& listener) { return !!listener.bound; });
  }

  void retry_missing(const std::stop_token& stop) {
    std::mutex mutex;  // only for the wait; nothing is shared
    std::condition_variable_any never;
    while (!all_bound()) {
      std::unique_lock lock(mutex);
      never.wait_for(lock, stop, config_.retry, [] { return false; });
      if (stop.stop_requested()) return;
      for (const base::Error& error : open_missing())
        log::warn("dns_listen_failed", {{"error", error.message()}});
    }
  }

  const Config config_;
  TableBox tables_;
  std::vector<std::unique_ptr<UdpWorker>> workers_;
  std::unique_ptr<TcpServer> tcp_;
  // The listeners are written by the retry thread and read by the owner; a snapshot of them would
  // be as much code.
  mutable std::mutex mutex_;
  std::vector<Listener> listeners_;
  std::jthread retry_;
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
Stats Server::stats() const { return impl_->stats(); }
std::vector<base::Endpoint> Server::listening() const { return impl_->listening(); }

}  // namespace viaduct::dns
