#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace viaduct::mesos {

/// Names that are looked up, at most; more are left out.
inline constexpr std::size_t kMaxLookedUpHosts = 4096;

/// Which host name is looked up when, and what an answer means.
class HostLookups {
 public:
  struct Options {
    base::Duration again{std::chrono::seconds(60)};    ///< from one answer to the next question
    base::Duration give_up{std::chrono::minutes(10)};  ///< of failures, until the name is empty
  };

  HostLookups() = default;
  explicit HostLookups(Options options) : options_(options) {}

  /// The names that are needed now; a new one is due at once, one that is missing is forgotten.
  void want(const std::vector<std::string>& hosts, base::Time now);
  /// Takes the name that has been due for longest; it is not due again before an answer.
  std::optional<std::string> take_due(base::Time now);
  /// What the resolver said of a name that was taken.
  /// @param addresses  absent: it failed.
  /// @return what MasterState::on_resolved() has to hear; absent: nothing, what was known holds.
  std::optional<std::vector<base::Address>> on_answer(
      const std::string& host, std::optional<std::vector<base::Address>> addresses, base::Time now);
  /// When take_due() has something; absent: not before want() or on_answer().
  std::optional<base::Time> next_due() const;
  std::size_t size() const { return hosts_.size(); }

 private:
  struct Host {
    std::optional<base::Time> due;  ///< absent: being looked up
    std::optional<base::Time> failing_since;
    bool gave_up = false;
  };

  Options options_;
  std::map<std::string, Host> hosts_;
};

}  // namespace viaduct::mesos
