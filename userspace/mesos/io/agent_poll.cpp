#include "mesos/io/agent_poll.h"

#include <openssl/sha.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <random>

#include "base/io/file.h"
#include "base/io/log.h"
#include "base/quote.h"
#include "http/io/client.h"
#include "mesos/errors.h"
#include "mesos/poll_schedule.h"
#include "mesos/rows.h"

namespace viaduct::mesos {
namespace {

namespace asio = boost::asio;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMaxPasswordBytes = 4096;
constexpr std::string_view kTarget = "/api/v1";
constexpr const char* kAgentPart = "agent";

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest_of(std::string_view text) {
  Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

base::Result<std::string> read_password(const std::string& path) {
  auto text = base::read_file(path, kMaxPasswordBytes);
  if (text)
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return text;
}

}  // namespace

struct AgentPoll::Impl {
  Impl(asio::io_context& io, Config settings, base::Address address, OnRows rows_to,
       OnFailure failure_to)
      : context(io),
        timer(io),
        config(std::move(settings)),
        node(address),
        on_rows(std::move(rows_to)),
        on_failure(std::move(failure_to)),
        schedule(config.poll_min, config.poll_max) {}

  asio::awaitable<void> run() {
    while (!stopped) {
      const PollOutcome outcome = co_await poll();
      if (stopped) break;
      if (outcome != PollOutcome::failed && !asked_who) co_await identify();
      if (stopped) break;
      timer.expires_after(schedule.next(outcome, spread(random)));
      co_await timer.async_wait(kNoThrow);
    }
  }

  asio::awaitable<PollOutcome> poll() {
    counters.polls++;
    const auto body = co_await call("GET_STATE");
    if (stopped) co_return PollOutcome::failed;
    if (!body) co_return fail(body.error());
    counters.last_answer_bytes = body->size();
    const Digest digest = digest_of(*body);
    if (known != digest) {
      auto state = parse_agent_state(*body);
      if (!state)
        co_return fail({state.error().code, what("GET_STATE") + ": " + state.error().context});
      rows = make_rows(*state, node);
      known = digest;
      counters.changes++;
      hand_on();
      co_return PollOutcome::changed;
    }
    hand_on();
    co_return PollOutcome::unchanged;
  }

  void hand_on() const {
    service::SourceParts all = rows;
    if (about_agent) all.put(kAgentPart, about_agent);
    on_rows(std::move(all));
  }

  /// Not every agent answers GET_AGENT, and nothing depends on it.
  asio::awaitable<void> identify() {
    const auto body = co_await call("GET_AGENT");
    if (stopped) co_return;
    asked_who = true;
    const auto info = body ? parse_agent_info(*body) : base::Result<AgentInfo>(body.error());
    if (!info)
      co_return log::debug("mesos_agent_unidentified", {{"error", info.error().message()}});
    agent = *info;
    about_agent = std::make_shared<const service::SourceRows>(agent_row(*agent, node));
    hand_on();
    log::info("mesos_agent_found", {{"id", agent->id}, {"hostname", agent->hostname}});
  }

  asio::awaitable<base::Result<std::string>> call(std::string type) {
    http::Request request{
        .method = "POST",
        .target = std::string(kTarget),
        .headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}},
        .body = "{\"type\":\"" + type + "\"}"};
    if (!config.user.empty()) {
      auto password = read_password(config.password_file);
      if (!password) co_return password.error();
      request.auth = http::BasicAuth{config.user, std::move(*password)};
    }
    const http::Limits limits{config.timeout, config.max_answer_bytes};
    auto response = co_await http::request(*config.agent, std::move(request), limits);
    if (!response) co_return response.error();
    if (response->status != 200)
      co_return base::Error{Errc::refused, what(type) + " gave " +
                                               std::to_string(response->status) + " " +
                                               base::in_quotes(response->body)};
    co_return std::move(response->body);
  }

  std::string what(std::string_view type) const {
    return "POST " + config.agent->to_string() + std::string(kTarget) + " " + std::string(type);
  }

  PollOutcome fail(const base::Error& error) {
    counters.failures++;
    asked_who = false;
    agent.reset();
    on_failure(error.message());
    return PollOutcome::failed;
  }

  asio::io_context& context;
  asio::steady_timer timer;
  Config config;
  base::Address node;
  OnRows on_rows;
  OnFailure on_failure;
  PollSchedule schedule;
  std::minstd_rand random{std::random_device{}()};
  std::uniform_real_distribution<double> spread{0.0, 1.0};

  bool stopped = false;
  service::SourceParts rows;    // of the last good answer
  std::optional<Digest> known;  // of its text
  Counters counters;
  bool asked_who = false;  // since the last failure
  std::optional<AgentInfo> agent;
  std::shared_ptr<const service::SourceRows> about_agent;  // what it said last
};

AgentPoll::AgentPoll(asio::io_context& context, Config config, base::Address node, OnRows on_rows,
                     OnFailure on_failure)
    : impl_(std::make_shared<Impl>(context, std::move(config), node, std::move(on_rows),
                                   std::move(on_failure))) {}

AgentPoll::~AgentPoll() { stop(); }

void AgentPoll::start() {
  // The coroutine's own pointer keeps what it uses alive until its pending operation has ended.
  const auto run = [](std::shared_ptr<Impl> impl) -> asio::awaitable<void> {
    co_await impl->run();
  };
  const auto rethrow = [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  asio::co_spawn(impl_->context, run(impl_), rethrow);
}

void AgentPoll::stop() {
  if (impl_->stopped) return;
  impl_->stopped = true;
  impl_->timer.cancel();
}

const AgentPoll::Counters& AgentPoll::counters() const { return impl_->counters; }

const std::optional<AgentInfo>& AgentPoll::agent() const { return impl_->agent; }

}  // namespace viaduct::mesos
