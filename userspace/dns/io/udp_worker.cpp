#include "dns/io/udp_worker.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/time.h"
#include "dns/io/counters.h"
#include "dns/io/listen_socket.h"
#include "dns/io/socket_address.h"
#include "dns/io/thread.h"

namespace viaduct::dns {
namespace {

constexpr unsigned kBatch = 32;  // queries per system call; more gains less than 5 % of the time
constexpr int kRoundsPerWakeUp = 8;  // then other sockets get their turn
constexpr std::chrono::seconds kDropsInterval{1};
constexpr int kPollMs = 1000;

union ClientAddress {
  sockaddr_in v4;
  sockaddr_in6 v6;
};

/// Buffers for one batch, shared by all sockets of a worker.
class Batch {
 public:
  Batch() {
    for (unsigned i = 0; i < kBatch; ++i) {
      queries_[i] = {octets_in_[i].data(), octets_in_[i].size()};
      received_[i].msg_hdr = {};
      received_[i].msg_hdr.msg_name = &clients_[i];
      received_[i].msg_hdr.msg_iov = &queries_[i];
      received_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  /// @return queries taken; 0 when there are none.
  unsigned receive(int fd) {
    for (mmsghdr& message : received_) message.msg_hdr.msg_namelen = sizeof(ClientAddress);
    const int count = ::recvmmsg(fd, received_.data(), kBatch, MSG_DONTWAIT, nullptr);
    return count > 0 ? static_cast<unsigned>(count) : 0;
  }

  /// @param forwarded  takes the queries that others must answer.
  void answer(unsigned count, int fd, const Table& table, Forwarding forwarding,
              OutcomeCounters& counters, std::vector<ForwardedQuery>& forwarded) {
    answers_ = 0;
    for (unsigned i = 0; i < count; ++i)
      parsed_[i].read({octets_in_[i].data(), received_[i].msg_len}, table);
    for (unsigned i = 0; i < count; ++i) parsed_[i].fetch();
    for (unsigned i = 0; i < count; ++i) {
      Response response;  // dropped
      if (client_port(i) != 0)
        response = parsed_[i].respond(Transport::udp, octets_out_[answers_], forwarding);
      counters.count(response.outcome);
      if (response.outcome == Outcome::forwarded) forwarded.push_back(to_forward(i, fd));
      if (response.octets != 0) enqueue(i, response.octets);
    }
  }

  /// @return answers that could not be sent.
  unsigned send(int fd) {
    unsigned failures = 0;
    for (unsigned done = 0; done < answers_;) {
      const int count = ::sendmmsg(fd, &sent_[done], answers_ - done, MSG_DONTWAIT);
      if (count > 0) {
        done += static_cast<unsigned>(count);
      } else if (errno !=
                 EINTR) {  // the first of the rest cannot be sent, e.g. its client is unreachable
        ++done;
        ++failures;
      }
    }
    return failures;
  }

 private:
  /// 0 for what nobody can be answered at.
  in_port_t client_port(unsigned i) const {
    // The port lies at the same place in both kinds of address.
    static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
    return clients_[i].v4.sin_port;
  }

  ForwardedQuery to_forward(unsigned i, int fd) const {
    UdpReturn back;
    back.socket = fd;
    std::memcpy(&back.client, &clients_[i], sizeof clients_[i]);
    back.client_octets = received_[i].msg_hdr.msg_namelen;
    const auto begin = octets_in_[i].begin();
    return {{begin, begin + received_[i].msg_len}, to_endpoint(back.client), back};
  }

  void enqueue(unsigned query, std::size_t octets) {
    answer_octets_[answers_] = {octets_out_[answers_].data(), octets};
    msghdr& header = sent_[answers_].msg_hdr;
    header = {};
    header.msg_name = &clients_[query];
    header.msg_namelen = received_[query].msg_hdr.msg_namelen;
    header.msg_iov = &answer_octets_[answers_];
    header.msg_iovlen = 1;
    ++answers_;
  }

  std::array<mmsghdr, kBatch> received_{};
  std::array<mmsghdr, kBatch> sent_{};
  std::array<iovec, kBatch> queries_{};
  std::array<iovec, kBatch> answer_octets_{};
  std::array<ClientAddress, kBatch> clients_{};
  std::array<Query, kBatch> parsed_;
  // Nobody may send more than the size that our OPT advertises; a longer query is cut and gets
  // FORMERR.
  std::array<std::array<std::uint8_t, kMaxUdpOctets>, kBatch> octets_in_;
  std::array<std::array<std::uint8_t, kMaxUdpOctets>, kBatch> octets_out_;
  unsigned answers_ = 0;
};

}  // namespace

// A loop of poll(2), since epoll(7), which Asio uses, stays on a socket's wait queue while the
// thread works: each answer sent over loopback and each query that comes meanwhile then takes its
// lock, on two processors.
class UdpWorker::Impl {
 public:
  Impl(const TableBox& tables, Forwarder* forwarder, const std::string& thread_name)
      : table_(tables), forwarder_(forwarder), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    thread_ = start_thread(thread_name, [this](const std::stop_token& stop) { run(stop); });
  }

  ~Impl() {
    thread_.request_stop();
    wake();
  }

  void add(base::Fd socket) {
    const std::lock_guard lock(mutex_);
    coming_.push_back(std::move(socket));
    wake();
  }

  void remove(const base::Endpoint& endpoint) {
    const std::lock_guard lock(mutex_);
    going_.push_back(endpoint);
    wake();
  }

  void add_to(UdpStats& stats) const {
    outcomes_.add_to(stats.outcomes);
    stats.kernel_drops += kernel_drops_.get();
    stats.send_failures += send_failures_.get();
  }

  base::Time last_alive() const { return alive_.load(std::memory_order_relaxed); }

 private:
  void wake() {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);  // it fails only when it is awake anyway
  }

  void run(const std::stop_token& stop) {
    std::vector<pollfd> polled = {{wake_.get(), POLLIN, 0}};
    base::Time next_drops = base::Clock::now();
    while (!stop.stop_requested()) {
      const base::Time now = base::Clock::now();
      alive_.store(now, std::memory_order_relaxed);
      if (now >= next_drops) {
        count_drops();
        next_drops = now + kDropsInterval;
      }
      ::poll(polled.data(), polled.size(), kPollMs);
      for (const pollfd& ready : std::span(polled).subspan(1))
        if (ready.revents != 0) drain(ready.fd);
      if (polled.front().revents == 0) continue;
      change_sockets();
      polled.resize(1);
      for (const base::Fd& socket : sockets_) polled.push_back({socket.get(), POLLIN, 0});
    }
  }

  void change_sockets() {
    std::uint64_t wakes;
    (void)!::read(wake_.get(), &wakes, sizeof wakes);
    const std::lock_guard lock(mutex_);
    for (base::Fd& socket : coming_) sockets_.push_back(std::move(socket));
    for (const base::Endpoint& endpoint : going_)
      std::erase_if(sockets_, [&](const base::Fd& socket) {
        if (bound_to(socket.get()) != endpoint) return false;
        if (forwarder_) forwarder_->forget(socket.get());
        return true;
      });
    coming_.clear();
    going_.clear();
  }

  void drain(int fd) {
    for (int round = 0; round < kRoundsPerWakeUp; ++round) {
      const unsigned count = batch_.receive(fd);
      if (count == 0) return;
      std::vector<ForwardedQuery> forwarded;
      batch_.answer(count, fd, table_.get(), forwarder_ ? forwarder_->state() : Forwarding::off,
                    outcomes_, forwarded);
      if (!forwarded.empty()) forwarder_->ask(std::move(forwarded));
      if (const unsigned failures = batch_.send(fd)) send_failures_.add(failures);
      if (count < kBatch) return;
    }
  }

  void count_drops() {
    std::uint64_t drops = 0;
    for (const base::Fd& socket : sockets_) drops += dropped_packets(socket.get());
    kernel_drops_.set(drops);
  }

  OutcomeCounters outcomes_;
  Counter kernel_drops_;
  Counter send_failures_;
  std::atomic<base::Time> alive_ = base::Clock::now();
  TableBox::Reader table_;
  Forwarder* const forwarder_;
  Batch batch_;
  std::vector<base::Fd> sockets_;
  base::Fd wake_;
  std::mutex mutex_;  // of the two lists
  std::vector<base::Fd> coming_;
  std::vector<base::Endpoint> going_;
  std::jthread thread_;
};

UdpWorker::UdpWorker(const TableBox& tables, Forwarder* forwarder, const std::string& thread_name)
    : impl_(std::make_unique<Impl>(tables, forwarder, thread_name)) {}
UdpWorker::~UdpWorker() = default;
void UdpWorker::add(base::Fd socket) { impl_->add(std::move(socket)); }
void UdpWorker::remove(const base::Endpoint& endpoint) { impl_->remove(endpoint); }
void UdpWorker::add_to(UdpStats& stats) const { impl_->add_to(stats); }
std::chrono::steady_clock::time_point UdpWorker::last_alive() const { return impl_->last_alive(); }

}  // namespace viaduct::dns
