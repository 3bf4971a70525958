#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/time.h"
#include "mesos/master_config.h"
#include "mesos/master_state.h"
#include "mesos/masters.h"
#include "service/master_change.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::mesos {

/// Keeps a MasterState up with the leading master and hands on what changes.
///
/// The masters are asked in turn, the leader first where it is known, and redirects are followed.
/// Who answers SUBSCRIBE with its events is listened to; who has no such call is polled. A master
/// that hangs costs a time limit and not the others' turn. What was known holds until a master says
/// something else.
/// Runs on the thread of the io_context, which must outlive it.
class MasterWatch {
 public:
  /// Some change, never an empty one.
  using OnChange = std::function<void(service::MasterChange)>;
  /// After each whole word of the leading master: a snapshot, or a state that was polled.
  using OnSuccess = std::function<void()>;
  /// After each failure, with a sentence; what was handed on before still holds.
  using OnFailure = std::function<void(std::string)>;

  struct Callbacks {
    OnChange on_change;
    OnSuccess on_success;
    OnFailure on_failure;
  };

  /// What is fixed in a daemon, and shorter in a test.
  struct Timing {
    base::Duration retry_min{std::chrono::milliseconds(250)};
    base::Duration retry_max{std::chrono::seconds(30)};
    /// While masters answer, but none leads yet.
    base::Duration retry_election{std::chrono::seconds(2)};
    base::Duration settled{std::chrono::seconds(10)};  ///< a stream that held for so long was good
    std::chrono::milliseconds head{10'000};            ///< for connecting and the head of an answer
    base::Duration summary_pause{std::chrono::seconds(2)};       ///< between two summaries
    base::Duration summary_retry{std::chrono::seconds(30)};      ///< after one that failed
    base::Duration hosts_pause{std::chrono::milliseconds(200)};  ///< new host names are gathered
  };

  struct Counters {
    std::uint64_t subscriptions = 0;  ///< streams whose head came
    std::uint64_t records = 0;        ///< of streams, heartbeats too
    std::uint64_t heartbeats = 0;
    std::uint64_t polls = 0;      ///< of /state
    std::uint64_t summaries = 0;  ///< of /state-summary or /frameworks
    std::uint64_t redirects = 0;
    std::uint64_t failures = 0;
    std::uint64_t bytes = 0;  ///< of records and states
    std::uint64_t lookups = 0;
    std::uint64_t failed_lookups = 0;
    std::optional<base::Time> last_record;  ///< or the last state that was polled
  };

  MasterWatch(boost::asio::io_context& context, MasterConfig config, Callbacks callbacks)
      : MasterWatch(context, std::move(config), std::move(callbacks), Timing{}) {}
  MasterWatch(boost::asio::io_context& context, MasterConfig config, Callbacks callbacks,
              Timing timing);
  /// Stops.
  ~MasterWatch();
  MasterWatch(const MasterWatch&) = delete;
  MasterWatch& operator=(const MasterWatch&) = delete;

  /// Begins. Call it once.
  void start();
  /// After it no callback is called, and all connections are closed. Only a host name that is being
  /// looked up may keep the io_context's own end waiting.
  void stop();

  /// What ZooKeeper says: these masters instead of the configured ones. A new leader is asked at
  /// once, and a stream of another master ends.
  /// Credentials go to these masters too.
  void set_masters(Masters masters);

  Counters counters() const;
  /// For people: counts(), rejected(), all().
  const MasterState& state() const;
  /// Whom we listen to or polled last; absent: nobody.
  std::optional<base::Endpoint> leader() const;
  /// Whether the leader tells its events; else it is polled, or there is none.
  bool is_streaming() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // the running coroutines hold it too
};

}  // namespace viaduct::mesos
