#include "mesos/io/master_watch.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <random>
#include <vector>

#include "base/io/log.h"
#include "base/rng.h"
#include "http/errors.h"
#include "http/record_io.h"
#include "mesos/back_off.h"
#include "mesos/errors.h"
#include "mesos/io/master_call.h"
#include "mesos/io/state_keeper.h"
#include "mesos/io/summary_poll.h"
#include "mesos/state_leader.h"

namespace viaduct::mesos {
namespace {

namespace asio = boost::asio;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr int kHeartbeatsMissed = 3;
constexpr std::chrono::milliseconds kMaxHeartbeat = std::chrono::minutes(10);
constexpr std::string_view kSubscribeTarget = "/api/v1";

/// Whether a status says that the master has no such call; then it may have the older ones.
bool lacks_subscribe(unsigned status) {
  // 400: a type of call that it does not know.
  for (const unsigned known : {400u, 404u, 405u, 415u, 501u})
    if (status == known) return true;
  return false;
}

std::optional<std::chrono::milliseconds> clamp(std::optional<std::chrono::milliseconds> heartbeat) {
  if (!heartbeat) return heartbeat;
  return std::clamp(*heartbeat, std::chrono::milliseconds(1), kMaxHeartbeat);
}

/// What came of asking a master.
enum class Outcome {
  failed,     ///< nothing
  undecided,  ///< it answered, but nobody leads
  listened,   ///< it told all that there is; its stream has ended
  polled,     ///< the same, without a stream
};

}  // namespace

struct MasterWatch::Impl : std::enable_shared_from_this<MasterWatch::Impl> {
  Impl(asio::io_context& io, MasterConfig settings, Callbacks calls, Timing times)
      : context(io),
        config(std::move(settings)),
        callbacks(std::move(calls)),
        timing(times),
        keeper(io, MasterState::Options{.hold = config.hold}, times.hosts_pause,
               [this](service::MasterChange change) { callbacks.on_change(std::move(change)); }),
        masters{config.masters, std::nullopt},
        back_off(times.retry_min, times.retry_max),
        pause(io) {}

  // What is known.

  void tell_masters() {
    Masters now = masters;
    if (found) now.leader = found;
    if (told == now) return;
    told = now;
    keeper.hand_on(keeper.state().on_masters(now));
  }

  void take_step(MasterStep step, const http::Origin& origin) {
    if (step.wants_summary) summaries->want(origin);
    keeper.hand_on(std::move(step.change));
  }

  void succeed(const std::optional<base::Endpoint>& leader) {
    found = leader;
    tell_masters();
    if (!stopped) callbacks.on_success();
  }

  Outcome fail(const base::Error& error, Outcome outcome = Outcome::failed) {
    if (stopped || superseded) return outcome;
    counters.failures++;
    callbacks.on_failure(error.message());
    return outcome;
  }

  // Whom to ask.

  std::vector<base::Endpoint> candidates() const {
    std::vector<base::Endpoint> all;
    if (found) all.push_back(*found);
    if (masters.leader && masters.leader != found) all.push_back(*masters.leader);
    for (const auto* list : {&masters.all, &config.masters})
      for (const base::Endpoint& master : *list)
        if (std::ranges::find(all, master) == all.end()) all.push_back(master);
    return all;
  }

  /// Who may see credentials: not whom redirects or answers name.
  std::vector<base::Endpoint> trusted() const {
    std::vector<base::Endpoint> all = config.masters;
    all.insert(all.end(), masters.all.begin(), masters.all.end());
    if (masters.leader) all.push_back(*masters.leader);
    return all;
  }

  asio::awaitable<void> run() {
    while (!stopped) {
      superseded = false;
      Outcome best = Outcome::failed;
      const auto round = candidates();
      for (const base::Endpoint& master : round) {
        best = std::max(best, co_await ask(master));
        call.reset();
        if (stopped) co_return;
        if (superseded || best >= Outcome::listened) break;
      }
      streaming = false;
      if (superseded) continue;
      if (round.empty())
        pause.expires_at(base::Time::max());
      else if (best == Outcome::polled)
        pause.expires_after(config.refresh);
      else
        pause.expires_after(back_off.next(random.unit(), best == Outcome::undecided
                                                             ? timing.retry_election
                                                             : base::Duration::max()));
      co_await pause.async_wait(kNoThrow);
    }
  }

  asio::awaitable<Outcome> ask(base::Endpoint master) {
    call = std::make_shared<MasterCall>(context.get_executor(), config, trusted());
    const auto own = call;  // stop() must not take it away
    http::Request request{
        .method = "POST",
        .headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}},
        .body = R"({"type":"SUBSCRIBE"})"};
    const http::Place place{origin_of(master, config.tls), std::string(kSubscribeTarget)};
    const auto head =
        co_await own->open(place, std::move(request), std::min(timing.head, config.timeout));
    counters.redirects += own->redirects();
    // A redirect to one that is gone, or back: the others have yet to agree on a leader.
    if (!head)
      co_return fail(head.error(), own->redirects() > 0 ? Outcome::undecided : Outcome::failed);
    if (head->status == 200) co_return co_await listen(*own);
    if (lacks_subscribe(head->status)) {
      own->stop();
      co_return co_await poll(own->place().origin);
    }
    const base::Error refusal = co_await own->refusal(*head);
    co_return fail(refusal, head->status == 503 ? Outcome::undecided : Outcome::failed);
  }

  // A stream.

  asio::awaitable<Outcome> listen(MasterCall& own) {
    counters.subscriptions++;
    http::RecordDecoder decoder(config.max_answer_bytes);
    std::optional<std::chrono::milliseconds> heartbeat;
    std::optional<base::Time> since;  // there has been a snapshot
    base::Error ended;
    while (true) {
      base::Time deadline = base::Clock::now() + config.timeout;
      if (since)
        deadline =
            heartbeat ? base::Clock::now() + kHeartbeatsMissed * *heartbeat : base::Time::max();
      const auto piece = co_await own.stream().read(deadline);
      if (stopped || superseded) co_return Outcome::listened;
      if (!piece) ended = piece.error();
      if (piece && piece->empty()) ended = {http::Errc::cut_off, own.place().to_string()};
      if (!piece || piece->empty()) break;
      counters.bytes += piece->size();
      const auto read = take_records(decoder, *piece, own, heartbeat, since);
      if (stopped || superseded) co_return Outcome::listened;
      if (read) continue;
      ended = {read.error().code, own.place().to_string() + ": " + read.error().context};
      break;
    }
    if (since && base::Clock::now() - *since >= timing.settled) back_off.reset();
    co_return fail(ended, since ? Outcome::listened : Outcome::failed);
  }

  /// @errors of a record; the stream is of no use then, for an event is missing.
  base::Result<void> take_records(http::RecordDecoder& decoder, std::string_view piece,
                                  MasterCall& own,
                                  std::optional<std::chrono::milliseconds>& heartbeat,
                                  std::optional<base::Time>& since) {
    while (true) {
      const auto record = decoder.next(piece);
      if (!record) return record.error();
      if (!*record || stopped || superseded) return {};
      const base::Time now = base::Clock::now();
      auto step = keeper.state().on_record(**record, now);
      if (!step)
        return base::Error{step.error().code, "record " + std::to_string(decoder.records()) + ": " +
                                                  step.error().context};
      counters.records++;
      counters.last_record = now;
      const MasterStep::Kind kind = step->kind;
      if (kind == MasterStep::Kind::heartbeat) counters.heartbeats++;
      if (kind == MasterStep::Kind::snapshot) heartbeat = clamp(step->heartbeat);
      take_step(std::move(*step), own.place().origin);
      if (stopped || kind != MasterStep::Kind::snapshot) continue;
      log::info("mesos_master_subscribed", {{"master", own.place().origin.to_string()}});
      since = now;
      streaming = true;
      succeed(own.peer());
    }
  }

  // A master without a stream.

  asio::awaitable<Outcome> poll(http::Origin origin) {
    std::vector<base::Endpoint> asked;
    while (true) {
      const auto body = co_await fetch_state(origin);
      if (stopped || superseded) co_return Outcome::failed;
      if (!body) co_return fail(body.error());
      const auto leader = state_leader(*body);
      const auto peer = call->peer();
      if (!leader)
        co_return fail(
            {leader.error().code, call->place().to_string() + ": " + leader.error().context},
            Outcome::undecided);
      if (!peer) co_return Outcome::failed;
      asked.push_back(*peer);
      if (leader->address == peer->address) co_return take_state(*body, *peer);
      const auto same = [&](const base::Endpoint& one) { return one.address == leader->address; };
      if (asked.size() > http::kMaxRedirects || std::ranges::any_of(asked, same))
        co_return fail({Errc::unexpected_shape, call->place().to_string() + ": leader " +
                                                    leader->to_string() + " has named another one"},
                       Outcome::undecided);
      counters.redirects++;
      origin = origin_of(*leader, config.tls);
    }
  }

  Outcome take_state(const std::string& body, const base::Endpoint& peer) {
    const base::Time now = base::Clock::now();
    auto step = keeper.state().on_state(body, now);
    if (!step)
      return fail({step.error().code, call->place().to_string() + ": " + step.error().context});
    counters.last_record = now;
    take_step(std::move(*step), call->place().origin);
    if (!stopped) succeed(peer);
    back_off.reset();
    return Outcome::polled;
  }

  asio::awaitable<base::Result<std::string>> fetch_state(http::Origin origin) {
    for (const char* target : {"/master/state", "/state"}) {
      call = std::make_shared<MasterCall>(context.get_executor(), config, trusted());
      const auto own = call;
      const http::Place place{origin, target};
      http::Request request{.headers = {{"Accept", "application/json"}}};
      const auto head =
          co_await own->open(place, std::move(request), config.timeout, config.max_answer_bytes);
      counters.redirects += own->redirects();
      if (!head) co_return head.error();
      if (head->status == 404 && std::string_view(target) != "/state") continue;
      if (head->status != 200) co_return co_await own->refusal(*head);
      counters.polls++;
      auto body = co_await own->body();
      if (body) counters.bytes += body->size();
      co_return body;
    }
    co_return base::Error{Errc::refused, origin.to_string()};
  }

  void stop() {
    stopped = true;
    if (call) call->stop();
    summaries->stop();
    keeper.stop();
    pause.cancel();
  }

  void set_masters(Masters now) {
    if (stopped || now == masters) return;
    const bool is_other = now.leader && now.leader != masters.leader;
    masters = std::move(now);
    if (is_other) found.reset();  // the elected one counts until another one has answered
    tell_masters();
    if (stopped) return;
    const auto asked = call ? call->peer() : std::nullopt;
    if (is_other && asked != masters.leader) {
      superseded = true;
      back_off.reset();
      if (call) call->stop();
    }
    pause.cancel();
  }

  asio::io_context& context;
  MasterConfig config;
  Callbacks callbacks;
  Timing timing;
  StateKeeper keeper;
  Masters masters;
  std::optional<base::Endpoint> found;  // who told all that there is last
  std::optional<Masters> told;          // to the state
  BackOff back_off;
  base::Rng random{std::random_device{}()};
  asio::steady_timer pause;
  std::unique_ptr<SummaryPoll> summaries;
  std::shared_ptr<MasterCall> call;  // under way
  Counters counters;
  bool streaming = false;
  bool superseded = false;  // another master leads than the one that is asked
  bool stopped = false;
};

MasterWatch::MasterWatch(asio::io_context& context, MasterConfig config, Callbacks callbacks,
                         Timing timing)
    : impl_(std::make_shared<Impl>(context, std::move(config), std::move(callbacks), timing)) {
  Impl* impl = impl_.get();
  impl->summaries = std::make_unique<SummaryPoll>(
      context, impl->config, SummaryPoll::Timing{timing.summary_pause, timing.summary_retry},
      SummaryPoll::Callbacks{.trusted = [impl] { return impl->trusted(); },
                             .on_summary = [impl](std::string_view body) -> base::Result<void> {
                               auto change = impl->keeper.state().on_summary(body);
                               if (!change) return change.error();
                               impl->keeper.hand_on(std::move(*change));
                               return {};
                             },
                             // It ends nothing that the stream tells, and is asked again.
                             .on_failure =
                                 [impl](const base::Error& error) {
                                   impl->counters.failures++;
                                   log::warn("mesos_summary_failed", {{"error", error.message()}});
                                 }});
}

MasterWatch::~MasterWatch() { stop(); }

void MasterWatch::start() {
  // The coroutine's own pointer keeps what it uses alive until its pending operation has ended.
  const auto run = [](std::shared_ptr<Impl> impl) -> asio::awaitable<void> {
    impl->tell_masters();
    co_await impl->run();
  };
  asio::co_spawn(impl_->context, run(impl_), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

void MasterWatch::stop() {
  if (!impl_->stopped) impl_->stop();
}

void MasterWatch::set_masters(Masters masters) { impl_->set_masters(std::move(masters)); }

MasterWatch::Counters MasterWatch::counters() const {
  Counters all = impl_->counters;
  all.summaries = impl_->summaries->polls();
  all.lookups = impl_->keeper.lookups().lookups;
  all.failed_lookups = impl_->keeper.lookups().failures;
  return all;
}

const MasterState& MasterWatch::state() const { return impl_->keeper.state(); }

std::optional<base::Endpoint> MasterWatch::leader() const {
  return impl_->found ? impl_->found : impl_->masters.leader;
}

bool MasterWatch::is_streaming() const { return impl_->streaming; }

}  // namespace viaduct::mesos
