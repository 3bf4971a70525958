#include "mesos/io/summary_poll.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>

#include "mesos/errors.h"
#include "mesos/io/master_call.h"

namespace viaduct::mesos {

namespace asio = boost::asio;

struct SummaryPoll::Impl {
  Impl(asio::io_context& io, const MasterConfig& settings, Timing times, Callbacks calls)
      : context(io), config(settings), timing(times), callbacks(std::move(calls)), pause(io) {}

  asio::awaitable<void> run() {
    while (!stopped && wanted) {
      const http::Origin master = *wanted;
      wanted.reset();
      const auto taken = co_await ask(master);
      if (stopped) break;
      if (!taken) {
        callbacks.on_failure(taken.error());
        if (!wanted) wanted = master;
      }
      pause.expires_after(taken ? timing.pause : timing.retry);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    running = false;
  }

  asio::awaitable<base::Result<void>> ask(http::Origin master) {
    auto body = co_await fetch(master, "/master/state-summary");
    if (!stopped && !body && body.error().code == Errc::refused)
      body = co_await fetch(master, "/master/frameworks");
    if (stopped || !body) co_return body ? base::Result<void>() : body.error();
    polls++;
    co_return callbacks.on_summary(*body);
  }

  /// @errors Errc::refused: a status other than 200.
  asio::awaitable<base::Result<std::string>> fetch(http::Origin master, std::string target) {
    const auto own =
        std::make_shared<MasterCall>(context.get_executor(), config, callbacks.trusted());
    call = own;
    const http::Place place{std::move(master), std::move(target)};
    http::Request request{.headers = {{"Accept", "application/json"}}};
    const auto head =
        co_await own->open(place, std::move(request), config.timeout, config.max_answer_bytes);
    if (!head) co_return head.error();
    if (head->status != 200) co_return co_await own->refusal(*head);
    co_return co_await own->body();
  }

  asio::io_context& context;
  MasterConfig config;  // the coroutine may outlive the owner's
  Timing timing;
  Callbacks callbacks;
  asio::steady_timer pause;
  std::optional<http::Origin> wanted;
  std::shared_ptr<MasterCall> call;  // the last one
  std::uint64_t polls = 0;
  bool running = false;
  bool stopped = false;
};

SummaryPoll::SummaryPoll(asio::io_context& context, const MasterConfig& config, Timing timing,
                         Callbacks callbacks)
    : impl_(std::make_shared<Impl>(context, config, timing, std::move(callbacks))) {}

SummaryPoll::~SummaryPoll() { stop(); }

void SummaryPoll::want(http::Origin master) {
  if (impl_->stopped) return;
  // A failure's wait is for a master that cannot be asked; another one may be asked at once.
  if (impl_->running && impl_->wanted && *impl_->wanted != master) impl_->pause.cancel();
  impl_->wanted = std::move(master);
  if (impl_->running) return;
  impl_->running = true;
  const auto run = [](std::shared_ptr<Impl> impl) -> asio::awaitable<void> {
    co_await impl->run();
  };
  asio::co_spawn(impl_->context, run(impl_), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

void SummaryPoll::stop() {
  impl_->stopped = true;
  impl_->pause.cancel();
  if (impl_->call) impl_->call->stop();
}

std::uint64_t SummaryPoll::polls() const { return impl_->polls; }

}  // namespace viaduct::mesos
