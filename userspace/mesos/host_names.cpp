#include "mesos/host_names.h"

#include <algorithm>
#include <utility>

#include "service/task_row.h"

namespace viaduct::mesos {

void HostNames::use(const std::string& host, Known& user) { entries_[host].users.insert(&user); }

void HostNames::drop(const std::string& host, Known& user) {
  const auto found = entries_.find(host);
  if (found == entries_.end()) return;
  found->second.users.erase(&user);
  if (found->second.users.empty()) entries_.erase(found);
}

std::vector<std::string> HostNames::names() const {
  std::vector<std::string> names;
  names.reserve(entries_.size());
  for (const auto& entry : entries_) names.push_back(entry.first);
  return names;
}

const std::vector<base::Address>& HostNames::addresses(const std::string& host) const {
  static const std::vector<base::Address> none;
  const auto found = entries_.find(host);
  return found == entries_.end() ? none : found->second.addresses;
}

bool HostNames::has_none(const std::string& host) const {
  const auto found = entries_.find(host);
  return found != entries_.end() && found->second.resolved && found->second.addresses.empty();
}

const std::set<Known*>& HostNames::users(const std::string& host) const {
  static const std::set<Known*> none;
  const auto found = entries_.find(host);
  return found == entries_.end() ? none : found->second.users;
}

bool HostNames::would_change(const std::string& host,
                             const std::vector<base::Address>& addresses) const {
  const auto found = entries_.find(host);
  return found != entries_.end() && found->second.addresses != usable_addresses(addresses);
}

void HostNames::set(const std::string& host, std::vector<base::Address> addresses) {
  const auto found = entries_.find(host);
  if (found == entries_.end()) return;
  found->second.addresses = usable_addresses(std::move(addresses));
  found->second.resolved = true;
}

std::vector<base::Address> usable_addresses(std::vector<base::Address> addresses) {
  // A host's name often stands for loopback too, on that host.
  const bool any = std::any_of(addresses.begin(), addresses.end(), service::can_be_dialled);
  std::erase_if(addresses, [any](const base::Address& each) {
    return !(any ? service::can_be_dialled : service::is_unicast)(each);
  });
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  if (addresses.size() > service::kMaxAgentAddresses) addresses.resize(service::kMaxAgentAddresses);
  return addresses;
}

}  // namespace viaduct::mesos
