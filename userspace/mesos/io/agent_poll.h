#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "mesos/agent_state.h"
#include "mesos/config.h"
#include "service/row.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::mesos {

/// Asks this node's Mesos agent for its state again and again and hands on the rows.
/// Runs on the thread of the io_context, which must outlive it.
class AgentPoll {
 public:
  /// After each answer, also when it says the same as the one before.
  using OnRows = std::function<void(service::SourceParts)>;
  /// After each failure; the rows handed on before still hold.
  using OnFailure = std::function<void(std::string)>;

  struct Counters {
    std::uint64_t polls = 0;
    std::uint64_t failures = 0;
    std::uint64_t changes = 0;  ///< answers that differ from the one before
    std::uint64_t last_answer_bytes = 0;
  };

  /// @param config  with `agent` set.
  /// @param node  this node's address (rows.h).
  AgentPoll(boost::asio::io_context& context, Config config, base::Address node, OnRows on_rows,
            OnFailure on_failure);
  /// Stops.
  ~AgentPoll();
  AgentPoll(const AgentPoll&) = delete;
  AgentPoll& operator=(const AgentPoll&) = delete;

  /// Polls at once and from then on. Call it once.
  void start();
  /// After it no callback is called. A request that is under way ends by itself, at its timeout at
  /// the latest.
  void stop();

  const Counters& counters() const;
  /// What the agent said about itself since the last failure; absent when it did not.
  const std::optional<AgentInfo>& agent() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // the running coroutine holds it too
};

}  // namespace viaduct::mesos
