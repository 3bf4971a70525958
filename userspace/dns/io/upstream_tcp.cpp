#include "dns/io/upstream_tcp.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace viaduct::dns {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using forward::ExchangeId;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kIdle{10};  // servers keep idle connections for a few seconds

}  // namespace

struct UpstreamTcp::Connection {
  explicit Connection(asio::io_context& io) : socket(io) {}

  tcp::socket socket;
  bool established = false;
  bool writing = false;
  bool answered = false;  ///< a reply came, so the upstream may end it at any time
  base::Bytes out;
};

UpstreamTcp::UpstreamTcp(asio::io_context& io, const base::Endpoint& upstream,
                         UpstreamEvents events,
                         std::function<bool(ExchangeId, base::ByteView)> is_reply_of)
    : io_(io),
      upstream_(to_asio(upstream.address), upstream.port),
      events_(std::move(events)),
      is_reply_of_(std::move(is_reply_of)),
      idle_(io) {}

void UpstreamTcp::send(ExchangeId exchange, base::ByteView message) {
  Pending& pending = pending_[exchange];
  pending.message.assign(message.begin(), message.end());
  by_id_.emplace(read16(message.data()), exchange);
  idle_.cancel();
  if (!connection_) connect();
  write(pending.message);
}

void UpstreamTcp::close(ExchangeId exchange) {
  const auto known = pending_.find(exchange);
  if (known == pending_.end()) return;
  const auto [from, to] = by_id_.equal_range(read16(known->second.message.data()));
  for (auto at = from; at != to; ++at) {
    if (at->second != exchange) continue;
    by_id_.erase(at);
    break;
  }
  pending_.erase(known);
  if (!pending_.empty() || !connection_) return;
  if (!connection_->established) return drop();
  idle_.expires_after(kIdle);
  idle_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec && pending_.empty()) drop();
  });
}

void UpstreamTcp::write(const base::Bytes& message) {
  const std::size_t at = connection_->out.size();
  connection_->out.resize(at + 2);
  write16(&connection_->out[at], static_cast<std::uint16_t>(message.size()));
  connection_->out.insert(connection_->out.end(), message.begin(), message.end());
  if (connection_->established && !connection_->writing)
    asio::co_spawn(io_, write_all(connection_), asio::detached);
}

void UpstreamTcp::connect() {
  connection_ = std::make_shared<Connection>(io_);
  asio::co_spawn(io_, read_all(connection_), asio::detached);
}

asio::awaitable<void> UpstreamTcp::read_all(std::shared_ptr<Connection> connection) {
  const auto [connect_ec] = co_await connection->socket.async_connect(upstream_, kToken);
  if (connect_ec) co_return lost(connection);
  boost::system::error_code ignored;
  connection->socket.set_option(tcp::no_delay(true), ignored);
  connection->established = true;
  asio::co_spawn(io_, write_all(connection), asio::detached);
  base::Bytes message;
  while (true) {
    std::array<std::uint8_t, 2> length;
    const auto [length_ec, length_octets] =
        co_await asio::async_read(connection->socket, asio::buffer(length), kToken);
    if (length_ec) break;
    message.resize(read16(length.data()));
    const auto [ec, octets] =
        co_await asio::async_read(connection->socket, asio::buffer(message), kToken);
    if (ec || connection_ != connection) break;
    connection->answered = true;
    deliver(message);
  }
  lost(connection);
}

asio::awaitable<void> UpstreamTcp::write_all(std::shared_ptr<Connection> connection) {
  if (connection->writing) co_return;
  connection->writing = true;
  while (!connection->out.empty()) {
    const base::Bytes batch = std::exchange(connection->out, {});
    const auto [ec, octets] =
        co_await asio::async_write(connection->socket, asio::buffer(batch), kToken);
    if (!ec) continue;
    boost::system::error_code ignored;
    connection->socket.close(ignored);  // the reader sees it
    break;
  }
  connection->writing = false;
}

void UpstreamTcp::deliver(base::ByteView message) {
  if (message.size() < kHeaderOctets) return;
  const auto [from, to] = by_id_.equal_range(read16(message.data()));
  if (from == to) return;
  ExchangeId exchange = from->second;
  for (auto at = from; std::next(from) != to && at != to; ++at)
    if (is_reply_of_(at->second, message)) exchange = at->second;
  events_.on_message(exchange, message);
}

void UpstreamTcp::lost(const std::shared_ptr<Connection>& connection) {
  if (connection_ != connection) return;
  const bool was_used = connection->answered;
  drop();
  // An upstream may end a connection that it answered on just as the next query leaves (RFC 7766,
  // 6.2.4).
  std::vector<ExchangeId> failed;
  for (auto& [exchange, pending] : pending_) {
    if (!was_used || pending.sent_again) {
      failed.push_back(exchange);
      continue;
    }
    pending.sent_again = true;
    if (!connection_) connect();
    write(pending.message);
  }
  for (const ExchangeId exchange : failed) events_.on_error(exchange);
}

void UpstreamTcp::drop() {
  boost::system::error_code ignored;
  connection_->socket.close(ignored);
  connection_.reset();
}

}  // namespace viaduct::dns
