#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "mesos/io/master_watch.h"
#include "tests/support/coro_server.h"

namespace viaduct::mesos {

/// A recording under tests/data/mesos/stream.
std::string recorded(const std::string& name);

/// All that changed, in order.
struct Changes {
  std::vector<service::TaskRow> tasks_removed;
  std::vector<service::TaskRow> tasks_added;
  std::vector<service::MesosRow> removed;
  std::vector<service::MesosRow> added;

  void add(const service::MasterChange& change);
  bool operator==(const Changes&) const = default;
};

/// The masters of a test stand at loopback, and who they are is not what they say.
service::MasterChange without_masters(service::MasterChange change);

/// What a MasterState makes of recorded records, and its rows afterwards.
Changes changes_of(const std::vector<std::string>& recordio);

/// A MasterWatch in a loop of its own, with what it handed on.
class Watcher {
 public:
  /// Short waits; no names are looked up.
  static MasterWatch::Timing fast();
  static MasterConfig config_of(const std::vector<const test::CoroServer*>& masters);

  /// Makes the watch and starts it.
  void start(MasterConfig config, MasterWatch::Timing timing = fast());

  /// Runs until the condition holds, for 20 s at most.
  template <class Condition>
  bool until(Condition condition) {
    const auto end = base::Clock::now() + std::chrono::seconds(20);
    while (!condition() && base::Clock::now() < end)
      context.run_one_for(std::chrono::milliseconds(50));
    return condition();
  }
  void run_for(base::Duration time);
  /// Whether some failure so far says that.
  bool has_failed_with(const std::string& part) const;

  boost::asio::io_context context{1};
  Changes changes;
  int handed_on = 0;
  int successes = 0;
  std::vector<std::string> failures;
  std::unique_ptr<MasterWatch> watch;
};

/// Writes octets in pieces.
/// @param ends  where each piece ends.
boost::asio::awaitable<void> send_cut(test::CoroExchange& exchange, std::string octets,
                                      std::vector<std::size_t> ends);
/// Ends of pieces at random places.
std::vector<std::size_t> random_cuts(std::size_t size, std::uint64_t seed);
/// Ends of the recorder's reads.
std::vector<std::size_t> recorded_cuts(const std::string& reads);

/// The head of a stream, and a record as one chunk of it.
std::string stream_head();
std::string chunk(const std::string& record);
/// A SUBSCRIBED record of a cluster with nothing in it.
std::string subscribed(const std::string& heartbeat_seconds = "15.0");

}  // namespace viaduct::mesos
