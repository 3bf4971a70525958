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
#include <memory>
#include <unordered_map>
#include <utility>
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

constexpr std::size_t kMaxForwarded = 32;  // of one connection; its queries are not read meanwhile

struct Connection {
  Connection(tcp::socket taken, base::Endpoint peer, base::Time until)
      : socket(std::move(taken)), client(peer), deadline(until), changed(socket.get_executor()) {
    changed.expires_at(base::Time::max());
  }

  tcp::socket socket;
  base::Endpoint client;
  base::Time deadline;
  std::vector<std::uint8_t> answers;  ///< framed, not yet being sent
  std::size_t forwarded = 0;          ///< queries that others are to answer
  bool writing = false;
  bool failed = false;         ///< answers cannot be sent
  asio::steady_timer changed;  ///< cancelled when one of the last three changes
};
using ConnectionPointer = std::shared_ptr<Connection>;

void append_framed(std::vector<std::uint8_t>& answers, base::ByteView message) {
  const std::size_t at = answers.size();
  answers.resize(at + 2);
  write16(&answers[at], static_cast<std::uint16_t>(message.size()));
  answers.insert(answers.end(), message.begin(), message.end());
}

base::Address to_address(const asio::ip::address& address) {
  if (address.is_v4()) return base::Address::v4(address.to_v4().to_bytes());
  return base::Address::v6(address.to_v6().to_bytes());
}

}  // namespace

class TcpServer::Impl {
 public:
  Impl(const TableBox& tables, Forwarder* forwarder, const TcpLimits& limits,
       const std::string& thread_name)
      : limits_(limits),
        forwarder_(forwarder),
        table_(tables),
        answer_(answer_capacity(Transport::tcp)) {
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
  using Connections = std::list<ConnectionPointer>;

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
    const base::Endpoint from{to_address(peer.address()), peer.port()};
    const base::Address& client = from.address;
    const auto known = per_client_.find(client);
    if (connections_.size() >= limits_.connections ||
        (known != per_client_.end() && known->second >= limits_.connections_per_client)) {
      over_limit_.add();
      return;
    }
    ++per_client_[client];
    socket.set_option(tcp::no_delay(true), ec);
    connections_.push_back(
        std::make_shared<Connection>(std::move(socket), from, Clock::now() + limits_.idle));
    open_.set(connections_.size());
    if (connections_.size() == 1) sweep();
    asio::co_spawn(io_, serve(std::prev(connections_.end())), asio::detached);
  }

  asio::awaitable<void> serve(Connections::iterator place) {
    const ConnectionPointer connection = *place;
    TcpFramer framer;
    while (!framer.broken() && !connection->failed) {
      const std::span<std::uint8_t> room = framer.prepare();
      auto [ec, octets] = co_await connection->socket.async_read_some(
          asio::buffer(room.data(), room.size()), kToken);
      if (ec) break;  // the client has nothing more to say; all that it asked is answered
      const bool was_in_message = framer.in_message();
      framer.commit(octets);
      bool took = false;
      while (take_queries(framer, connection, took)) co_await write_all(connection);
      if (!framer.in_message())
        connection->deadline = Clock::now() + limits_.idle;
      else if (took || !was_in_message)
        connection->deadline = Clock::now() + limits_.message;
    }
    if (framer.broken()) broken_.add();
    connection->deadline = Clock::now() + limits_.write;
    while (!connection->failed && (connection->forwarded != 0 || connection->writing))
      co_await connection->changed.async_wait(kToken);
    connection->failed = true;
    remove(place);
  }

  /// Answers whole messages until a batch of answers is full or too many are forwarded.
  /// @param took  set when there was a message.
  /// @return whether there is something to send, or to wait for before the next message.
  bool take_queries(TcpFramer& framer, const ConnectionPointer& connection, bool& took) {
    if (connection->failed) return false;
    const Table& table = table_.get();
    std::vector<ForwardedQuery> forwarded;
    const Forwarding forwarding = forwarder_ ? forwarder_->state() : Forwarding::off;
    while (connection->answers.size() < limits_.pending_answer_octets &&
           connection->forwarded < kMaxForwarded) {
      const auto message = framer.next();
      if (!message) break;
      took = true;
      const Response response = respond(*message, table, Transport::tcp, answer_, forwarding);
      outcomes_.count(response.outcome);
      if (response.octets != 0)
        append_framed(connection->answers, base::ByteView(answer_).first(response.octets));
      if (response.outcome == Outcome::forwarded)
        forwarded.push_back(to_forward(*message, connection));
    }
    if (!forwarded.empty()) forwarder_->ask(std::move(forwarded));
    return !connection->answers.empty() || connection->forwarded >= kMaxForwarded;
  }

  ForwardedQuery to_forward(base::ByteView message, const ConnectionPointer& asking) {
    ++asking->forwarded;
    // Weak, for it may lie in the forwarder longer than this server lives.
    TakeAnswer back = [this, weak = std::weak_ptr(asking)](base::Bytes answer,
                                                           const forward::Origin&) {
      asio::post(io_, [this, weak, answer = std::move(answer)] {
        const ConnectionPointer connection = weak.lock();
        if (!connection) return;
        --connection->forwarded;
        connection->changed.cancel();
        if (connection->failed) return;
        append_framed(connection->answers, answer);
        if (!connection->writing) asio::co_spawn(io_, write_all(connection), asio::detached);
      });
    };
    return {{message.begin(), message.end()}, asking->client, std::move(back)};
  }

  /// Sends what there is to send, and waits while too many queries are forwarded. Whoever calls it
  /// while somebody else sends waits too.
  asio::awaitable<void> write_all(ConnectionPointer connection) {
    connection->deadline = Clock::now() + limits_.write;
    while (!connection->failed) {
      if (connection->writing ||
          (connection->answers.empty() && connection->forwarded >= kMaxForwarded)) {
        co_await connection->changed.async_wait(kToken);
        continue;
      }
      if (connection->answers.empty()) co_return;
      connection->writing = true;
      const std::vector<std::uint8_t> batch = std::exchange(connection->answers, {});
      auto [ec, written] =
          co_await asio::async_write(connection->socket, asio::buffer(batch), kToken);
      connection->writing = false;
      if (ec) fail(*connection);
      connection->changed.cancel();
    }
  }

  static void fail(Connection& connection) {
    connection.failed = true;
    connection.changed.cancel();
    boost::system::error_code ignored;
    connection.socket.close(ignored);
  }

  void remove(Connections::iterator place) {
    const auto client = per_client_.find((*place)->client.address);
    if (--client->second == 0) per_client_.erase(client);
    boost::system::error_code ignored;
    (*place)->socket.close(ignored);
    connections_.erase(place);
    open_.set(connections_.size());
  }

  /// Closes what is over its time, as long as there are connections. Their coroutines then remove
  /// them.
  void sweep() {
    sweep_timer_.expires_after(kSweepInterval);
    sweep_timer_.async_wait([this](const boost::system::error_code& ec) {
      if (ec || connections_.empty()) return;
      const base::Time now = Clock::now();
      for (const ConnectionPointer& connection : connections_) {
        if (connection->deadline > now || connection->failed) continue;
        timed_out_.add();
        fail(*connection);
      }
      sweep();
    });
  }

  const TcpLimits limits_;
  Forwarder* const forwarder_;
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

TcpServer::TcpServer(const TableBox& tables, Forwarder* forwarder, const TcpLimits& limits,
                     const std::string& thread_name)
    : impl_(std::make_unique<Impl>(tables, forwarder, limits, thread_name)) {}
TcpServer::~TcpServer() = default;
void TcpServer::add(base::Fd socket) { impl_->add(std::move(socket)); }
void TcpServer::remove(const base::Endpoint& endpoint) { impl_->remove(endpoint); }
TcpStats TcpServer::stats() const { return impl_->stats(); }

}  // namespace viaduct::dns
