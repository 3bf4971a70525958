#include "mesos/io/state_keeper.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <utility>

namespace viaduct::mesos {

namespace asio = boost::asio;
using boost::system::error_code;

struct StateKeeper::Impl : std::enable_shared_from_this<StateKeeper::Impl> {
  Impl(asio::io_context& io, MasterState::Options options, base::Duration pause, OnChange change_to)
      : state(options),
        hosts_pause(pause),
        on_change(std::move(change_to)),
        tick(io),
        hosts_due(io),
        hosts(io, [this](const std::string& host, std::vector<base::Address> addresses) {
          hand_on(state.on_resolved(host, std::move(addresses)));
        }) {}

  void hand_on(service::MasterChange change) {
    if (stopped) return;
    arm_tick();
    gather_hosts();
    if (change) on_change(std::move(change));
  }

  void arm_tick() {
    const auto next = state.next_tick();
    if (next == armed_tick) return;
    armed_tick = next;
    if (!next) return void(tick.cancel());
    tick.expires_at(*next);
    tick.async_wait([weak = weak_from_this()](error_code error) {
      const auto impl = weak.lock();
      if (error || !impl || impl->stopped) return;
      impl->armed_tick.reset();
      impl->hand_on(impl->state.on_tick(base::Clock::now()));
    });
  }

  void gather_hosts() {
    if (hosts_armed) return;
    hosts_armed = true;
    hosts_due.expires_after(hosts_pause);
    hosts_due.async_wait([weak = weak_from_this()](error_code error) {
      const auto impl = weak.lock();
      if (error || !impl || impl->stopped) return;
      impl->hosts_armed = false;
      impl->hosts.want(impl->state.hosts());
    });
  }

  MasterState state;
  base::Duration hosts_pause;
  OnChange on_change;
  asio::steady_timer tick;
  std::optional<base::Time> armed_tick;
  asio::steady_timer hosts_due;
  bool hosts_armed = false;
  HostWatch hosts;
  bool stopped = false;
};

StateKeeper::StateKeeper(asio::io_context& context, MasterState::Options options,
                         base::Duration hosts_pause, OnChange on_change)
    : impl_(std::make_shared<Impl>(context, options, hosts_pause, std::move(on_change))) {}

StateKeeper::~StateKeeper() { stop(); }

MasterState& StateKeeper::state() { return impl_->state; }
const MasterState& StateKeeper::state() const { return impl_->state; }

void StateKeeper::hand_on(service::MasterChange change) {
  const auto keep = impl_;  // the callback may end its owner
  keep->hand_on(std::move(change));
}

void StateKeeper::stop() {
  impl_->stopped = true;
  impl_->hosts.stop();
  impl_->tick.cancel();
  impl_->hosts_due.cancel();
}

const HostWatch::Counters& StateKeeper::lookups() const { return impl_->hosts.counters(); }

}  // namespace viaduct::mesos
