#include "mesos/io/host_watch.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>

#include "base/io/log.h"
#include "http/io/lookup.h"
#include "mesos/host_lookups.h"

namespace viaduct::mesos {

namespace asio = boost::asio;

struct HostWatch::Impl {
  Impl(asio::io_context& io, OnAddresses addresses_to)
      : context(io), on_addresses(std::move(addresses_to)), wake(io), lookup(io.get_executor()) {}

  asio::awaitable<void> run() {
    while (!stopped) {
      if (const auto host = lookups.take_due(base::Clock::now())) {
        co_await look_up(*host);
        continue;
      }
      wake.expires_at(lookups.next_due().value_or(base::Time::max()));
      co_await wake.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }

  asio::awaitable<void> look_up(std::string host) {
    counters.lookups++;
    auto found = co_await lookup.resolve(host);
    if (stopped) co_return;
    std::optional<std::vector<base::Address>> addresses;
    if (found) {
      addresses = std::move(*found);
    } else {
      counters.failures++;
      log::debug("mesos_host_unresolved", {{"host", host}, {"error", found.error().message()}});
    }
    auto told = lookups.on_answer(host, std::move(addresses), base::Clock::now());
    if (told) on_addresses(host, std::move(*told));
  }

  asio::io_context& context;
  OnAddresses on_addresses;
  asio::steady_timer wake;
  http::Lookup lookup;
  HostLookups lookups;
  Counters counters;
  bool started = false;
  bool stopped = false;
};

HostWatch::HostWatch(asio::io_context& context, OnAddresses on_addresses)
    : impl_(std::make_shared<Impl>(context, std::move(on_addresses))) {}

HostWatch::~HostWatch() { stop(); }

void HostWatch::want(const std::vector<std::string>& hosts) {
  if (impl_->stopped) return;
  impl_->lookups.want(hosts, base::Clock::now());
  if (impl_->started) {
    impl_->wake.cancel();
    return;
  }
  if (hosts.empty()) return;
  impl_->started = true;
  const auto run = [](std::shared_ptr<Impl> impl) -> asio::awaitable<void> {
    co_await impl->run();
  };
  asio::co_spawn(impl_->context, run(impl_), [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

void HostWatch::stop() {
  impl_->stopped = true;
  impl_->wake.cancel();
  impl_->lookup.stop();
}

const HostWatch::Counters& HostWatch::counters() const { return impl_->counters; }

}  // namespace viaduct::mesos
