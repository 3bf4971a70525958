#include "mesos/host_lookups.h"

#include <algorithm>
#include <utility>

namespace viaduct::mesos {

void HostLookups::want(const std::vector<std::string>& hosts, base::Time now) {
  std::map<std::string, Host> wanted;
  for (const std::string& host : hosts) {
    if (wanted.size() == kMaxLookedUpHosts) break;
    const auto known = hosts_.find(host);
    wanted.emplace(host, known == hosts_.end() ? Host{.due = now} : known->second);
  }
  hosts_ = std::move(wanted);
}

std::optional<std::string> HostLookups::take_due(base::Time now) {
  const auto first = next_due();
  if (!first || *first > now) return std::nullopt;
  for (auto& [name, host] : hosts_)
    if (host.due == first) {
      host.due.reset();
      return name;
    }
  return std::nullopt;
}

std::optional<std::vector<base::Address>> HostLookups::on_answer(
    const std::string& host, std::optional<std::vector<base::Address>> addresses, base::Time now) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return std::nullopt;
  Host& known = found->second;
  known.due = now + options_.again;
  if (addresses && !addresses->empty()) {
    known.failing_since.reset();
    known.gave_up = false;
    return addresses;
  }
  if (!known.failing_since) known.failing_since = now;
  if (known.gave_up || now - *known.failing_since < options_.give_up) return std::nullopt;
  known.gave_up = true;
  return std::vector<base::Address>();
}

std::optional<base::Time> HostLookups::next_due() const {
  std::optional<base::Time> first;
  for (const auto& [name, host] : hosts_)
    if (host.due && (!first || *host.due < *first)) first = host.due;
  return first;
}

}  // namespace viaduct::mesos
