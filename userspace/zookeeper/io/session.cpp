#include "zookeeper/io/session.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "base/io/log.h"
#include "base/time.h"
#include "zookeeper/io/handle.h"
#include "zookeeper/io/reading.h"
#include "zookeeper/limits.h"

namespace viaduct::zookeeper {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::tcp;
using base::Clock;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr auto kFirstPause = 100ms;  // before all servers are tried once more; doubles
constexpr auto kLongestPause = 2s;
constexpr auto kPace = 50ms;         // between the beginnings of two readings
constexpr auto kRetry = 10s;         // of what no watch tells about: a permission, say
constexpr auto kShortestWait = 1ms;  // the library rounds down, and would be asked in a circle

base::Address address_of(const asio::ip::address& from) {
  return from.is_v4() ? base::Address::v4(from.to_v4().to_uint())
                      : base::Address::v6(from.to_v6().to_bytes());
}

}  // namespace

struct Session::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& io, Options settings, OnContents contents_to, OnFailure failure_to)
      : context(io),
        wake(io),
        resolver(io),
        options(std::move(settings)),
        on_contents(std::move(contents_to)),
        on_failure(std::move(failure_to)),
        reading(options.url.path, options.wanted) {}
  ~Impl() {
    stopped = true;
    handle = {};  // completions that are still due use the members
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  asio::awaitable<void> run() {
    while (!stopped) {
      std::vector<base::Endpoint> servers = co_await resolve();
      if (stopped) break;
      if (!servers.empty()) co_await serve(std::move(servers));
      if (!stopped) co_await rest();
    }
    handle = {};
  }

  /// The addresses of the servers. The library would look names up itself, and block.
  asio::awaitable<std::vector<base::Endpoint>> resolve() {
    std::vector<base::Endpoint> out;
    std::string unknown;
    for (const Server& server : options.url.servers) {
      if (const auto address = base::Address::parse(server.host)) {
        out.push_back({*address, server.port});
        continue;
      }
      const auto [error, found] =
          co_await resolver.async_resolve(server.host, std::to_string(server.port), kNoThrow);
      if (stopped) co_return out;
      if (error) unknown += (unknown.empty() ? "" : "; ") + server.host + ": " + error.message();
      for (const auto& entry : found)
        out.push_back({address_of(entry.endpoint().address()), server.port});
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    if (out.size() > kMaxEndpoints) out.resize(kMaxEndpoints);
    if (out.empty()) fail("look up " + options.url.to_string() + ": " + unknown);
    co_return out;
  }

  /// One session, from its beginning until it ends, or no server has answered for long.
  asio::awaitable<void> serve(std::vector<base::Endpoint> servers) {
    auto opened = Handle::open(servers, options.timeout, options.url.credentials, on_event, this);
    if (!opened) co_return fail(opened.error().message());
    handle = std::move(*opened);
    counters.sessions++;
    attempts = 0;
    over = false;
    was_connected = false;
    last_connected = Clock::now();
    while (!stopped && !ended()) {
      begin_reading();
      const Handle::Interest interest = handle.interest();
      if (interest.failed) {
        co_await after_failure(servers.size());
        continue;
      }
      readable = writable = false;
      co_await wait(interest);
      if (stopped || interest.descriptor < 0) continue;
      const bool failed = !handle.process(readable, writable);
      take_reading();
      if (failed) co_await after_failure(servers.size());
    }
    reading.forget();
    was_connected = false;
    handle = {};
  }

  /// Whether this session is over.
  bool ended() {
    if (!stopped && !over) over = ends();
    return stopped || over;
  }

  /// Looks whether this session ends now; tells why.
  bool ends() {
    const auto now = Clock::now();
    note_connection(now);
    if (handle.expired()) {
      counters.expirations++;
      log::info("zookeeper_session_expired", {{"url", options.url.to_string()}});
      return true;
    }
    if (handle.refused()) {
      fail(where() + ": the credentials are refused");
      return true;
    }
    // Asked what it never was, the library would look for another server, and wait meanwhile.
    if (handle.read_only() ||
        (was_connected && (handle.timeout() <= 0ms || handle.timeout() > kMaxTimeout))) {
      fail(where() + ": the answer is not that of a ZooKeeper server");
      return true;
    }
    if (reading.state() == Reading::State::under_way && now - reading.since() > 2 * patience()) {
      fail(where() + ": no answer for " +
           std::to_string(std::chrono::seconds(2 * patience() / 1s).count()) + " s");
      return true;
    }
    // The servers' names may have got other addresses.
    return !was_connected && now - last_connected > 2 * patience();
  }

  std::chrono::milliseconds patience() const {
    return std::max<std::chrono::milliseconds>(options.timeout, 1s);
  }
  std::string where() const { return options.url.to_string() + ", server " + handle.server(); }

  void note_connection(base::Time now) {
    if (handle.connected()) last_connected = now;
    if (handle.connected() == was_connected) return;
    was_connected = handle.connected();
    if (was_connected) {
      counters.connections++;
      attempts = 0;
      due = now;
    } else {
      reading.forget();
      fail(where() + ": the connection is lost");
    }
  }

  /// Lets the other servers have their turn at once, and then all of them some rest.
  asio::awaitable<void> after_failure(std::size_t servers) {
    const bool was_attempt = !was_connected;
    if (ended() || !was_attempt || ++attempts % servers != 0) co_return;
    fail("no server of " + options.url.to_string() + " can be reached");
    co_await rest();
  }

  asio::awaitable<void> rest() {
    wake.expires_after(pause);
    pause = std::min<std::chrono::milliseconds>(pause * 2, kLongestPause);
    co_await wake.async_wait(kNoThrow);
  }

  asio::awaitable<void> wait(const Handle::Interest& interest) {
    turn++;
    std::optional<asio::posix::stream_descriptor> socket;
    // The library closes its own descriptor whenever it likes; this is another name of the socket.
    if (const int copy = ::fcntl(interest.descriptor, F_DUPFD_CLOEXEC, 0); copy >= 0)
      socket.emplace(context, copy);
    const auto tell = [this, self = weak_from_this(), now = turn](bool& what) {
      return [this, self, now, &what](boost::system::error_code error) {
        if (error || self.expired() || turn != now) return;
        what = true;
        wake.cancel();
      };
    };
    if (socket && interest.read)
      socket->async_wait(asio::posix::descriptor_base::wait_read, tell(readable));
    if (socket && interest.write)
      socket->async_wait(asio::posix::descriptor_base::wait_write, tell(writable));
    auto until = Clock::now() + std::max<base::Duration>(interest.wait, kShortestWait);
    if (interest.descriptor < 0) until = std::max(until, Clock::now() + kFirstPause);
    if (const auto next = next_reading()) until = std::min(until, *next);
    wake.expires_at(until);
    co_await wake.async_wait(kNoThrow);
    turn++;
  }

  std::optional<base::Time> next_reading() const {
    if (!was_connected || reading.state() == Reading::State::under_way) return std::nullopt;
    if (reading.stale()) return reading.since() + kPace;
    return due;
  }

  void begin_reading() {
    const auto now = Clock::now();
    const auto next = next_reading();
    if (!next || *next > now) return;
    due.reset();
    reading.begin(handle, now);
    take_reading();
  }

  /// Tells what a reading has brought.
  void take_reading() {
    const auto now = Clock::now();
    switch (reading.state()) {
      case Reading::State::idle:
      case Reading::State::under_way:
        return;
      case Reading::State::lost:
        due = now + kPace;
        break;
      case Reading::State::failed:
        due = now + kRetry;
        fail(where() + ": " + reading.error());
        break;
      case Reading::State::done:
        if (reading.incomplete()) due = now + kRetry;
        pause = kFirstPause;
        tell(reading.contents());
        break;
    }
    const bool stale = reading.stale();
    reading.forget();
    if (stale) reading.changed();
  }

  void tell(const Contents& now) {
    counters.readings++;
    if (told && *told == now && last_failure.empty()) return;
    last_failure.clear();
    told = now;
    if (!stopped) on_contents(now);
  }

  void fail(std::string text) {
    if (stopped) return;
    counters.failures++;
    if (text == last_failure) return;
    last_failure = text;
    on_failure(std::move(text));
  }

  static void on_event(_zhandle*, int, int, const char*, void*) {}  // the state is asked for

  asio::io_context& context;
  asio::steady_timer wake;
  tcp::resolver resolver;
  Options options;
  OnContents on_contents;
  OnFailure on_failure;

  bool stopped = false;
  Counters counters;
  std::optional<Contents> told;
  std::string last_failure;  // "": none since the last reading

  std::chrono::milliseconds pause{kFirstPause};
  std::size_t attempts = 0;  // that failed, since the last connection
  bool was_connected = false;
  bool over = false;  // the present session
  base::Time last_connected;
  std::uint64_t turn = 0;  // of wait(): what comes late for one is not for the next
  bool readable = false;
  bool writable = false;
  std::optional<base::Time> due;  // of the next reading that no change asks for
  Reading reading;
  Handle handle;
};

Session::Session(asio::io_context& context, Options options, OnContents on_contents,
                 OnFailure on_failure)
    : impl_(std::make_shared<Impl>(context, std::move(options), std::move(on_contents),
                                   std::move(on_failure))) {}

Session::~Session() { stop(); }

void Session::start() {
  // The coroutine's own pointer keeps what it uses alive until its pending operation has ended.
  const auto run = [](std::shared_ptr<Impl> impl) -> asio::awaitable<void> {
    co_await impl->run();
  };
  const auto rethrow = [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  asio::co_spawn(impl_->context, run(impl_), rethrow);
}

void Session::stop() {
  if (impl_->stopped) return;
  impl_->stopped = true;
  impl_->wake.cancel();
  impl_->resolver.cancel();
}

const Session::Counters& Session::counters() const { return impl_->counters; }

bool Session::connected() const { return impl_->was_connected; }

}  // namespace viaduct::zookeeper
