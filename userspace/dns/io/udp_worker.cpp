#include "dns/io/udp_worker.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <list>
#include <thread>

#include "dns/io/counters.h"
#include "dns/io/listen_socket.h"
#include "dns/io/thread.h"

namespace viaduct::dns {
namespace {

namespace asio = boost::asio;

constexpr unsigned kBatch = 32;  // queries per system call; more gains less than 5 % of the time
constexpr int kRoundsPerWakeUp = 8;  // then other sockets get their turn
constexpr std::chrono::seconds kDropsInterval{1};

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

  void answer(unsigned count, const Table& table, OutcomeCounters& counters) {
    answers_ = 0;
    for (unsigned i = 0; i < count; ++i) {
      Response response;  // dropped
      if (client_port(i) != 0)
        response = respond({octets_in_[i].data(), received_[i].msg_len}, table, Transport::udp,
                           octets_out_[answers_]);
      counters.count(response.outcome);
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
  // Nobody may send more than the size that our OPT advertises; a longer query is cut and gets
  // FORMERR.
  std::array<std::array<std::uint8_t, kMaxUdpOctets>, kBatch> octets_in_;
  std::array<std::array<std::uint8_t, kMaxUdpOctets>, kBatch> octets_out_;
  unsigned answers_ = 0;
};

}  // namespace

class UdpWorker::Impl {
 public:
  Impl(const TableBox& tables, const std::string& thread_name) : table_(tables) {
    watch_drops();
    thread_ = start_thread(thread_name, [this] { io_.run(); });
  }

  ~Impl() {
    io_.stop();
    thread_.join();
  }

  void add(base::Fd socket) {
    asio::post(io_, [this, socket = std::move(socket)]() mutable {
      sockets_.emplace_back(io_, socket.release());
      wait(std::prev(sockets_.end()));
    });
  }

  void remove(const base::Endpoint& endpoint) {
    asio::post(io_, [this, endpoint] {
      boost::system::error_code ignored;
      for (Socket& socket : sockets_)
        if (bound_to(socket.native_handle()) == endpoint) socket.close(ignored);
    });
  }

  void add_to(UdpStats& stats) const {
    outcomes_.add_to(stats.outcomes);
    stats.kernel_drops += kernel_drops_.get();
    stats.send_failures += send_failures_.get();
  }

 private:
  using Socket = asio::posix::stream_descriptor;

  void wait(std::list<Socket>::iterator socket) {
    socket->async_wait(Socket::wait_read, [this, socket](const boost::system::error_code& ec) {
      if (ec || !socket->is_open()) return void(sockets_.erase(socket));
      drain(socket->native_handle());
      wait(socket);
    });
  }

  void drain(int fd) {
    for (int round = 0; round < kRoundsPerWakeUp; ++round) {
      const unsigned count = batch_.receive(fd);
      if (count == 0) return;
      batch_.answer(count, table_.get(), outcomes_);
      if (const unsigned failures = batch_.send(fd)) send_failures_.add(failures);
      if (count < kBatch) return;
    }
  }

  void watch_drops() {
    drops_timer_.expires_after(kDropsInterval);
    drops_timer_.async_wait([this](const boost::system::error_code& ec) {
      if (ec) return;
      std::uint64_t drops = 0;
      for (Socket& socket : sockets_) drops += dropped_packets(socket.native_handle());
      kernel_drops_.set(drops);
      watch_drops();
    });
  }

  OutcomeCounters outcomes_;
  Counter kernel_drops_;
  Counter send_failures_;
  TableBox::Reader table_;
  Batch batch_;
  asio::io_context io_{1};
  asio::steady_timer drops_timer_{io_};
  std::list<Socket> sockets_;
  std::jthread thread_;
};

UdpWorker::UdpWorker(const TableBox& tables, const std::string& thread_name)
    : impl_(std::make_unique<Impl>(tables, thread_name)) {}
UdpWorker::~UdpWorker() = default;
void UdpWorker::add(base::Fd socket) { impl_->add(std::move(socket)); }
void UdpWorker::remove(const base::Endpoint& endpoint) { impl_->remove(endpoint); }
void UdpWorker::add_to(UdpStats& stats) const { impl_->add_to(stats); }

}  // namespace viaduct::dns
