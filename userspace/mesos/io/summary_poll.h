#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "http/origin.h"
#include "mesos/master_config.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::mesos {

/// Asks a master for its summary, which alone says where schedulers are, whenever that is wanted:
/// one request at a time, and any number of wishes meanwhile are one.
class SummaryPoll {
 public:
  struct Timing {
    base::Duration pause;  ///< between two
    base::Duration retry;  ///< after one that failed
  };
  struct Callbacks {
    std::function<std::vector<base::Endpoint>()> trusted;  ///< as MasterCall has it
    /// A body; what it returns is what the master did wrong.
    std::function<base::Result<void>(std::string_view)> on_summary;
    std::function<void(const base::Error&)> on_failure;
  };

  /// @param config  outlives this.
  SummaryPoll(boost::asio::io_context& context, const MasterConfig& config, Timing timing,
              Callbacks callbacks);
  /// Stops.
  ~SummaryPoll();
  SummaryPoll(const SummaryPoll&) = delete;
  SummaryPoll& operator=(const SummaryPoll&) = delete;

  /// GET `/master/state-summary` of that master, else `/master/frameworks`.
  void want(http::Origin master);
  /// After it no callback is called.
  void stop();

  std::uint64_t polls() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // the running coroutine holds it too
};

}  // namespace viaduct::mesos
