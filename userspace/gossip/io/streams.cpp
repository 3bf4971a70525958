#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <string>
#include <utility>

#include "base/io/log.h"
#include "gossip/io/endpoint.h"
#include "gossip/io/transport_state.h"
#include "gossip/stream.h"

namespace viaduct::gossip {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{100};  // after a failed accept
constexpr std::chrono::seconds kLinger{1};              // for a refused peer to read why
constexpr std::size_t kLingerOctets = 1U << 20;
constexpr std::size_t kReadOctets = 16U << 10;

/// An open stream: messages in both directions, each with its deadline. Counts itself.
class Connection {
 public:
  /// @param peer_is  whose half comes in.
  Connection(StatePtr state, tcp::socket socket, base::Endpoint peer, StreamSide peer_is)
      : state_(std::move(state)),
        stream_(std::move(socket)),
        peer_(peer),
        reader_(peer_is, state_->options.wire, state_->keyring) {
    state_->streams.insert(&stream_);
    ++state_->stats.streams_open;
  }
  ~Connection() {
    hold(0);
    --state_->stats.streams_open;
    state_->streams.erase(&stream_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  asio::awaitable<base::Result<void>> connect() {
    deadline();
    const auto [ec] = co_await stream_.async_connect(to_asio<tcp>(peer_), kNoThrow);
    if (ec) co_return failure(ec, "connect to ");
    error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
    co_return base::Result<void>();
  }

  /// @errors eof: the peer ended the stream between messages
  asio::awaitable<base::Result<StreamMessage>> read() {
    deadline();
    while (true) {
      auto message = reader_.next();
      note_reading();
      if (message && message->has_error()) co_return dropped(message->error());
      if (message) co_return **std::move(message);
      if (state_->held_octets > state_->options.limits.held_octets)
        co_return dropped(Errc::too_large);
      const auto [ec, octets] = co_await stream_.async_read_some(asio::buffer(buffer_), kNoThrow);
      if (state_->stopped) co_return base::Error{asio::error::operation_aborted, "read"};
      if (ec == asio::error::eof && reader_.idle())
        co_return base::Error{ec, "read from " + name()};
      if (ec == asio::error::eof) co_return dropped(Errc::truncated);
      if (ec) co_return failure(ec, "read from ");
      state_->stats.stream_bytes_in += octets;
      reader_.feed(base::ByteView(buffer_).first(octets));
    }
  }

  /// @param with_head  it is the first message of a dialler.
  asio::awaitable<base::Result<void>> write(const StreamMessage& message, bool with_head = false) {
    base::Bytes bytes;
    if (with_head) bytes = stream_head(state_->options.wire);
    const auto sealed = seal_stream(message, state_->options.wire, state_->keyring, random_nonce);
    if (sealed.has_error()) co_return base::Error{sealed.error(), "write to " + name()};
    bytes.insert(bytes.end(), sealed->begin(), sealed->end());
    deadline();
    const auto [ec, octets] = co_await asio::async_write(stream_, asio::buffer(bytes), kNoThrow);
    state_->stats.stream_bytes_out += octets;
    if (ec) co_return failure(ec, "write to ");
    co_return base::Result<void>();
  }

  /// Ends our half and passes over what the peer still sends; closing at once could destroy what it
  /// has not read yet.
  asio::awaitable<void> finish() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kLinger);
    for (std::size_t passed = 0; passed < kLingerOctets && !state_->stopped;) {
      const auto [ec, octets] = co_await stream_.async_read_some(asio::buffer(buffer_), kNoThrow);
      if (ec) co_return;
      passed += octets;
    }
  }

 private:
  void deadline() { stream_.expires_after(state_->options.limits.message_timeout); }
  std::string name() const { return peer_.to_string(); }

  void hold(std::size_t octets) {
    state_->held_octets += octets;
    state_->held_octets -= std::exchange(held_, octets);
  }
  void note_reading() {
    hold(reader_.held());
    ErrcCounts dropped_now = reader_.take_dropped();
    state_->stats.member_drops.add(dropped_now);
  }

  base::Error dropped(Errc errc) {
    if (!state_->stopped) state_->stats.stream_drops.add(errc);
    return {errc, "read from " + name()};
  }
  base::Error failure(error_code ec, const char* what) {
    const bool late = ec == boost::beast::error::timeout;
    if (!state_->stopped) {
      ++state_->stats.stream_failures;
      if (late) ++state_->stats.stream_timeouts;
    }
    return {late ? error_code(asio::error::timed_out) : ec, what + name()};
  }

  StatePtr state_;
  TcpStream stream_;
  base::Endpoint peer_;
  StreamReader reader_;
  std::size_t held_ = 0;
  std::array<std::uint8_t, kReadOctets> buffer_;
};

/// Counts an inbound stream for as long as it lives.
class Admission {
 public:
  Admission(StatePtr state, const base::Address& source)
      : state_(std::move(state)), source_(source) {
    ++state_->inbound;
    ++state_->inbound_of[source_];
  }
  Admission(Admission&&) = default;
  ~Admission() {
    if (!state_) return;
    --state_->inbound;
    const auto count = state_->inbound_of.find(source_);
    if (--count->second == 0) state_->inbound_of.erase(count);
  }

  static bool possible(const Transport::State& state, const base::Address& source) {
    const TransportLimits& limits = state.options.limits;
    const auto count = state.inbound_of.find(source);
    return state.inbound < limits.inbound_streams &&
           (count == state.inbound_of.end() || count->second < limits.inbound_streams_per_source);
  }

 private:
  StatePtr state_;
  base::Address source_;
};

/// Whether a peer learns why it is not understood. One of another cluster does not.
bool is_told(const base::Error& error) {
  return error.code.category() == gossip_category() && error.code != Errc::wrong_label &&
         error.code != Errc::truncated;
}

asio::awaitable<void> serve(StatePtr state, tcp::socket socket, base::Endpoint from, Admission) {
  Connection connection(state, std::move(socket), from, StreamSide::dialler);
  for (std::size_t i = 0; i < state->options.limits.messages_per_stream; ++i) {
    base::Result<StreamMessage> message = co_await connection.read();
    if (state->stopped) co_return;
    if (message.has_error()) {
      if (message.error().code == asio::error::eof) co_return;
      log::debug("gossip_stream_dropped", {{"error", message.error().message()}});
      if (!is_told(message.error())) co_return;
      const StreamMessage refusal = Refusal{message.error().code.message()};
      (void)co_await connection.write(refusal);
      if (!state->stopped) co_await connection.finish();
      co_return;
    }
    const std::optional<StreamMessage> answer = state->handlers.stream(*std::move(message), from);
    if (state->stopped) co_return;
    if (!answer) continue;
    const base::Result<void> written = co_await connection.write(*answer);
    if (written.has_error()) co_return;
  }
  ++state->stats.streams_over_limit;
}

void admit(const StatePtr& state, tcp::socket socket) {
  error_code ec;
  const base::Endpoint from = from_asio(socket.remote_endpoint(ec));
  if (ec) return;  // it is gone already
  if (!Admission::possible(*state, from.address)) {
    ++state->stats.streams_over_limit;
    return;
  }
  ++state->stats.streams_in;
  socket.set_option(tcp::no_delay(true), ec);
  asio::co_spawn(state->io, serve(state, std::move(socket), from, Admission(state, from.address)),
                 asio::detached);
}

/// A socket for a stream of ours, from the address that peers know.
base::Result<tcp::socket> make_socket(Transport::State& state, const base::Endpoint& to) {
  tcp::socket socket(state.io);
  error_code ec;
  socket.open(to_asio<tcp>(to).protocol(), ec);
  if (const auto source = state.source_for(to.address); source && !ec) {
    // The port is chosen when connecting, so one serves streams to several peers.
    const int yes = 1;
    ::setsockopt(socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    socket.bind(to_asio<tcp>({*source, 0}), ec);
  }
  if (ec) return base::Error{ec, "make a socket to " + to.to_string()};
  return socket;
}

}  // namespace

asio::awaitable<void> accept_streams(StatePtr state, tcp::acceptor& acceptor) {
  while (!state->stopped) {
    auto [ec, socket] = co_await acceptor.async_accept(kNoThrow);
    if (state->stopped) co_return;
    if (!ec) {
      admit(state, std::move(socket));
      continue;
    }
    ++state->stats.accept_failures;
    asio::steady_timer pause(state->io, kAcceptPause);
    co_await pause.async_wait(kNoThrow);
  }
}

asio::awaitable<void> run_exchange(StatePtr state, base::Endpoint to, StreamMessage first,
                                   Transport::Next next) {
  co_await asio::post(state->io, kNoThrow);  // so that the caller has returned
  if (state->stopped) co_return;
  if (state->outbound >= state->options.limits.outbound_streams) {
    ++state->stats.streams_over_limit;
    next(base::Error{asio::error::no_buffer_space, "too many streams: " + to.to_string()});
    co_return;
  }
  base::Result<tcp::socket> socket = make_socket(*state, to);
  if (socket.has_error()) {
    ++state->stats.stream_failures;
    next(socket.error());
    co_return;
  }
  struct Count {
    explicit Count(std::size_t& counted) : count(counted) { ++count; }
    ~Count() { --count; }
    std::size_t& count;
  } counted(state->outbound);
  ++state->stats.streams_out;

  Connection connection(state, *std::move(socket), to, StreamSide::acceptor);
  base::Result<void> done = co_await connection.connect();
  if (!done.has_error() && !state->stopped) done = co_await connection.write(first, true);
  while (!state->stopped) {
    if (done.has_error()) {
      next(done.error());
      co_return;
    }
    base::Result<StreamMessage> message = co_await connection.read();
    if (state->stopped) co_return;
    const bool failed = message.has_error();
    const std::optional<StreamMessage> answer = next(std::move(message));
    if (failed || !answer || state->stopped) co_return;
    done = co_await connection.write(*answer);
  }
}

}  // namespace viaduct::gossip
