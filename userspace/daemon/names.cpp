#include "daemon/names.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace viaduct::daemon {
namespace {

using service::NamedVip;
using service::NamedVips;
using service::Services;
using service::Snapshot;
using VipPort = std::pair<std::uint16_t, base::Protocol>;

/// Without these names and their services, whose ports DNS would tell.
std::shared_ptr<const Snapshot> without_names(const std::shared_ptr<const Snapshot>& snapshot,
                                              const std::vector<std::string>& names) {
  if (names.empty()) return snapshot;
  auto fewer = std::make_shared<Snapshot>(*snapshot);
  NamedVips::Editor editor(std::move(fewer->names));
  Services::Editor services(std::move(fewer->services));
  for (const std::string& name : names) {
    if (const NamedVip* named = snapshot->names.find(name))
      for (const base::Address& address : named->addresses)
        for (auto at = snapshot->services.lower_bound({address, 0, base::Protocol{}});
             at != snapshot->services.end() && (*at)->key.address == address; ++at)
          services.remove((*at)->key);
    editor.remove(name);
  }
  fewer->names = editor.finish();
  fewer->services = services.finish();
  return fewer;
}

/// The name and port of a service that DNS tells of; absent: it does not.
std::optional<std::pair<std::string, VipPort>> port_of(
    const std::shared_ptr<const service::Service>* service) {
  if (!service || (*service)->name.empty()) return std::nullopt;
  return std::pair((*service)->name, VipPort((*service)->key.port, (*service)->key.protocol));
}

/// The snapshot without the ports of named VIPs that `shown` lacks.
std::shared_ptr<const Snapshot> without_new_ports(const std::shared_ptr<const Snapshot>& snapshot,
                                                  const Snapshot* shown) {
  std::vector<service::VipKey> come;
  Services::compare(shown ? shown->services : Services{}, snapshot->services,
                    [&](const auto* before, const auto* after) {
                      if (port_of(after) && port_of(before) != port_of(after))
                        come.push_back((*after)->key);
                    });
  if (come.empty()) return snapshot;
  auto fewer = std::make_shared<Snapshot>(*snapshot);
  Services::Editor editor(std::move(fewer->services));
  for (const service::VipKey& key : come) editor.remove(key);
  fewer->services = editor.finish();
  return fewer;
}

/// Addresses that names have in `shown` and no longer in `next`.
std::vector<base::Address> left_addresses(const Snapshot& next, const Snapshot& shown) {
  std::vector<base::Address> left;
  NamedVips::compare(shown.names, next.names, [&](const NamedVip* before, const NamedVip* after) {
    if (!before) return;
    for (const base::Address& address : before->addresses)
      if (!after || std::find(after->addresses.begin(), after->addresses.end(), address) ==
                        after->addresses.end())
        left.push_back(address);
  });
  return left;
}

}  // namespace

bool names_differ(const Snapshot& next, const Snapshot* shown) {
  if (!shown || shown->complete != next.complete) return true;
  bool differ = false;
  NamedVips::compare(shown->names, next.names, [&](auto*, auto*) { differ = true; });
  const auto differs = [&](auto*, auto*) { differ = true; };
  service::Tasks::compare(shown->tasks, next.tasks, differs);
  service::MesosProcesses::compare(shown->processes, next.processes, differs);
  differ |= shown->master.known != next.master.known;
  service::Tasks::compare(shown->master.tasks, next.master.tasks, differs);
  service::MesosProcesses::compare(shown->master.processes, next.master.processes, differs);
  if (differ) return true;
  Services::compare(shown->services, next.services, [&](const auto* before, const auto* after) {
    differ |= port_of(before) != port_of(after);
  });
  return differ;
}

bool hands_over(const Snapshot& next, const Snapshot& shown) {
  const auto left = left_addresses(next, shown);
  return std::any_of(left.begin(), left.end(), [&](const base::Address& address) {
    return service::has_address(next, address);
  });
}

std::shared_ptr<const Snapshot> common_names(const std::shared_ptr<const Snapshot>& next,
                                             const Snapshot* shown) {
  std::vector<std::string> come;
  NamedVips::compare(shown ? shown->names : NamedVips{}, next->names,
                     [&](const NamedVip*, const NamedVip* after) {
                       if (after) come.push_back(after->name);
                     });
  return without_new_ports(without_names(next, come), shown);
}

std::shared_ptr<const Snapshot> with_leaving(const std::shared_ptr<const Snapshot>& next,
                                             const Snapshot& kernel, const Snapshot& shown) {
  Services::Editor services(next->services);
  bool any = false;
  for (const base::Address& address : left_addresses(*next, shown)) {
    if (service::has_address(*next, address)) continue;
    for (auto at = kernel.services.lower_bound({address, 0, base::Protocol{}});
         at != kernel.services.end() && (*at)->key.address == address; ++at) {
      services.put(*at);
      any = true;
    }
  }
  if (!any) return next;
  auto more = std::make_shared<Snapshot>(*next);
  more->services = services.finish();
  more->revision = kernel.revision;
  return more;
}

std::shared_ptr<const Snapshot> without_failed(const std::shared_ptr<const Snapshot>& snapshot,
                                               const std::vector<service::VipKey>& failed) {
  std::vector<std::string> names;
  for (const service::VipKey& key : failed)
    if (const service::Service* service = snapshot->find(key); service && !service->name.empty())
      names.push_back(service->name);
  return without_names(snapshot, names);
}

}  // namespace viaduct::daemon
