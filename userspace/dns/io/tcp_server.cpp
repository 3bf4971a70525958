#include "dns/io/tcp_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "dns/io/counters.h"
#include "dns/io/listen_socket.h"
#include "dns/io/thread.h"
#include "dns/tcp_framer.h"

namespace viaduct::dns {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::Clock;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kSweepInterval{100};  // how late a time limit may be noticed
constexpr std::chrono::milliseconds kAcceptPause{100};    // after a failed accept

struct Connection {
  tcp::socket socket;
  base::Address client;
  base::Time deadline;
};

base::Address to_address(const asio::ip::address& address) {
  if (address.is_v4()) return base::Address::v4(address.to_v4().to_bytes());
  return base::Address::v6(address.to_v6().to_bytes());
}

}  // namespace

class TcpServer::Impl {
 public:
  Impl(const TableBox& tables, const TcpLimits& limits, const std::string& thread_name)
      : limits_(limits), table_(tables), answer_(answer_capacity(Transport::tcp)) {
    thread_ = start_thread(thread_name, [this, work = asio::make_work_guard(io_)] { io_.run(); });
  }

  ~Impl() {
    io_.stop();
    thread_.join();
  }

  void add(base::Fd socket) {
    asio::post(io_, [this, socket = std::move(socket)]() mutable {
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
      acceptors_.emplace_back(io_, address.ss_family == AF_INET ? tcp::v4() : tcp::v6(),
                              socket.release());
      asio::co_spawn(io_, accept(std::prev(acceptors_.end())), asio::detached);
    });
  }

  void remove(const base::Endpoint& endpoint) {
    asio::post(io_, [this, endpoint] {
      boost::system::error_code ignored;
      for (tcp::acceptor& acceptor : acceptors_)
        if (bound_to(acceptor.native_handle()) == endpoint) acceptor.close(ignored);
    });
  }

  TcpStats stats() const {
    TcpStats stats;
    outcomes_.add_to(stats.outcomes);
    stats.open = open_.get();
    stats.accepted = accepted_.get();
    stats.over_limit = over_limit_.get();
    stats.timed_out = timed_out_.get();
    stats.broken = broken_.get();
    stats.accept_failures = accept_failures_.get();
    return stats;
  }

 private:
  using Connections = std::list<Connection>;

  asio::awaitable<void> accept(std::list<tcp::acceptor>::iterator acceptor) {
    while (acceptor->is_open()) {
      auto [ec, socket] = co_await acceptor->async_accept(kToken);
      if (!ec) {
        admit(std::move(socket));
        continue;
      }
      if (!acceptor->is_open()) break;
      accept_failures_.add();
      asio::steady_timer pause(io_, kAcceptPause);
      co_await pause.async_wait(kToken);
    }
    acceptors_.erase(acceptor);
  }

  /// Keeps a new connection, or closes it because of a limit.
  void admit(tcp::socket socket) {
    accepted_.add();
    boost::system::error_code ec;
    const tcp::endpoint peer = socket.remote_endpoint(ec);
    if (ec) return;  // it is gone already
    const base::Address client = to_address(peer.address());
    const auto known = per_client_.find(client);
    if (connections_.size() >= limits_.connections ||
        (known != per_client_.end() && known->second >= limits_.connections_per_client)) {
      over_limit_.add();
      return;
    }
    ++per_client_[client];
    socket.set_option(tcp::no_delay(true), ec);
    connections_.push_back({std::move(socket), client, Clock::now() + limits_.idle});
    open_.set(connections_.size());
    if (connections_.size() == 1) sweep();
    asio::co_spawn(io_, serve(std::prev(connections_.end())), asio::detached);
  }

  asio::awaitable<void> serve(Connections::iterator connection) {
    TcpFramer framer;
    std::vector<std::uint8_t> answers;
    while (!framer.broken()) {
      const std::span<std::uint8_t> room = framer.prepare();
      auto [ec, octets] = co_await connection->socket.async_read_some(
          asio::buffer(room.data(), room.size()), kToken);
      if (ec) break;  // the client has nothing more to say; all that it asked is answered
      const bool was_in_message = framer.in_message();
      framer.commit(octets);
      bool answered = false;
      while (take_queries(framer, answers, answered)) {
        connection->deadline = Clock::now() + limits_.write;
        auto [write_ec, written] =
            co_await asio::async_write(connection->socket, asio::buffer(answers), kToken);
        if (write_ec) co_return remove(connection);
        answers.clear();
      }
      if (!framer.in_message())
        connection->deadline = Clock::now() + limits_.idle;
      else if (answered || !was_in_message)
        connection->deadline = Clock::now() + limits_.message;
    }
    if (framer.broken()) broken_.add();
    remove(connection);
  }

  /// Answers whole messages until a batch of answers is full.
  /// @param took  set when there was a message.
  /// @return whether there is something to send.
  bool take_queries(TcpFramer& framer, std::vector<std::uint8_t>& answers, bool& took) {
    const Table& table = table_.get();
    while (answers.size() < limits_.pending_answer_octets) {
      const auto message = framer.next();
      if (!message) break;
      took = true;
      const Response response = respond(*message, table, Transport::tcp, answer_);
      outcomes_.count(response.outcome);
      if (response.octets == 0) continue;
      const std::size_t at = answers.size();
      answers.resize(at + 2);
      write16(&answers[at], static_cast<std::uint16_t>(response.octets));
      answers.insert(answers.end(), answer_.begin(),
                     answer_.begin() + static_cast<std::ptrdiff_t>(response.octets));
    }
    return !answers.empty();
  }

  void remove(Connections::iterator connection) {
    const auto client = per_client_.find(connection->client);
    if (--client->second == 0) per_client_.erase(client);
    connections_.erase(connection);
    open_.set(connections_.size());
  }

  /// Closes what is over its time, as long as there are connections. Their coroutines then remove
  /// them.
  void sweep() {
    sweep_timer_.expires_after(kSweepInterval);
    sweep_timer_.async_wait([this](const boost::system::error_code& ec) {
      if (ec || connections_.empty()) return;
      const base::Time now = Clock::now();
      for (Connection& connection : connections_) {
        if (connection.deadline > now || !connection.socket.is_open()) continue;
        timed_out_.add();
        boost::system::error_code ignored;
        connection.socket.close(ignored);
      }
      sweep();
    });
  }

  const TcpLimits limits_;
  OutcomeCounters outcomes_;
  Counter open_, accepted_, over_limit_, timed_out_, broken_, accept_failures_;
  TableBox::Reader table_;
  std::vector<std::uint8_t> answer_;
  asio::io_context io_{1};
  asio::steady_timer sweep_timer_{io_};
  std::list<tcp::acceptor> acceptors_;
  Connections connections_;
  std::unordered_map<base::Address, std::size_t> per_client_;
  std::jthread thread_;
};

TcpServer::TcpServer(const TableBox& tables, const TcpLimits& limits,
                     const std::string& thread_name)
    : impl_(std::make_unique<Impl>(tables, limits, thread_name)) {}
TcpServer::~TcpServer() = default;
void TcpServer::add(base::Fd socket) { impl_->add(std::move(socket)); }
void TcpServer::remove(const base::Endpoint& endpoint) { impl_->remove(endpoint); }
TcpStats TcpServer::stats() const { return impl_->stats(); }

}  // namespace viaduct::dns
