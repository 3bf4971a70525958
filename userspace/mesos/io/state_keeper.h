#pragma once

#include <functional>
#include <memory>

#include "base/time.h"
#include "mesos/io/host_watch.h"
#include "mesos/master_state.h"
#include "service/master_change.h"

namespace viaduct::mesos {

/// A MasterState with what it needs of the world: a clock that ends what is held for too long, and
/// a resolver for the host names that it meets.
class StateKeeper {
 public:
  /// Some change, never an empty one.
  using OnChange = std::function<void(service::MasterChange)>;

  /// @param hosts_pause  for so long new host names are gathered before they are looked up.
  StateKeeper(boost::asio::io_context& context, MasterState::Options options,
              base::Duration hosts_pause, OnChange on_change);
  /// Stops.
  ~StateKeeper();
  StateKeeper(const StateKeeper&) = delete;
  StateKeeper& operator=(const StateKeeper&) = delete;

  /// To tell it something. What comes out goes to hand_on().
  MasterState& state();
  const MasterState& state() const;
  /// Hands on a change, and sees to names and times that have come with it.
  void hand_on(service::MasterChange change);

  /// After it no callback is called.
  void stop();

  const HostWatch::Counters& lookups() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // a timer's handler looks whether it is still there
};

}  // namespace viaduct::mesos
