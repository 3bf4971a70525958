#include "dataplane/io/data_plane.h"

#include <fnmatch.h>
#include <net/if.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/io/log.h"
#include "dataplane/io/bpffs.h"
#include "dataplane/plan.h"

namespace viaduct::dataplane {
namespace {

bool matches(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

std::set<base::Address> vip_addresses(const service::Snapshot& snapshot) {
  std::set<base::Address> addresses;
  for (const auto& service : snapshot.services) addresses.insert(service->key.address);
  return addresses;
}

std::set<base::Address> without(const std::set<base::Address>& all,
                                const std::set<base::Address>& fewer) {
  std::set<base::Address> rest;
  std::set_difference(all.begin(), all.end(), fewer.begin(), fewer.end(),
                      std::inserter(rest, rest.end()));
  return rest;
}

}  // namespace

DataPlane::DataPlane(Config config, base::Fd lock, HostDevice device, Programs programs, Maps maps,
                     Image image, base::Time)
    : config_(std::move(config)),
      lock_(std::move(lock)),
      device_(std::move(device)),
      programs_(std::move(programs)),
      maps_(std::move(maps)),
      image_(std::move(image)),
      ledger_(image_, maps_.capacity()) {}

base::Result<DataPlane> DataPlane::start(const Config& config,
                                         const std::vector<base::Address>& addresses,
                                         base::Time now) {
  auto lock = claim_bpffs(config.bpffs);
  if (!lock) return lock.error();
  auto device = ensure_host_device(config.link);
  if (!device) return device.error();
  auto programs = Programs::load(config, device->ifindex);
  if (!programs) return programs.error();
  auto maps = Maps::open(config.bpffs, Access::write);
  if (!maps) return maps.error();
  auto image = maps->read();
  if (!image) return image.error();

  DataPlane plane(config, std::move(*lock), *device, std::move(*programs), std::move(*maps),
                  std::move(*image), now);
  plane.addresses_ = addresses;
  auto& capabilities = plane.capabilities_;
  capabilities.push_back(
      {"dummy", device->kind == "dummy", config.link + " is of kind " + device->kind});
  auto cgroup = config.cgroup.empty() ? find_cgroup2() : base::Result<std::string>(config.cgroup);
  auto sockets =
      cgroup ? plane.programs_.attach_sockets(*cgroup) : base::Result<void>(cgroup.error());
  capabilities.push_back({"socket hooks", sockets.has_value(),
                          sockets ? "attached to " + *cgroup
                                  : sockets.error().message() + "; packets are balanced instead"});
  if (auto host = plane.programs_.attach_host_device(device->ifindex); !host) return host.error();
  if (auto given = ensure_addresses(*device, addresses); !given)
    log::warn("address_failed", {{"error", given.error().message()}});
  auto routes = read_routes(*device);
  if (!routes) return routes.error();
  plane.routes_ = std::move(*routes);
  if (auto scanned = plane.scan_links(); !scanned) return scanned.error();
  return plane;
}

std::vector<Capability> DataPlane::capabilities() const {
  std::vector<Capability> all = programs_.capabilities();
  all.insert(all.end(), capabilities_.begin(), capabilities_.end());
  return all;
}

bool DataPlane::has_host_device() const {
  return if_nametoindex(config_.link.c_str()) == device_.ifindex;
}

base::Result<void> DataPlane::scan_links() { return attach_links(false); }

/// @param again  attach to links that have our programs already, too: repairs what was detached by
/// others.
base::Result<void> DataPlane::attach_links(bool again) {
  auto links = list_links();
  if (!links) return links.error();
  std::set<std::uint32_t> attached;
  std::vector<std::string> names;
  for (const Link& link : *links) {
    const bool container = link.name != config_.link && matches(config_.container_links, link.name);
    const bool uplink = !container && matches(config_.uplinks, link.name);
    if (!container && !uplink) continue;
    const bool known = attached_.contains(link.ifindex);
    if (again || !known) {
      auto done = container ? programs_.attach_container(link.ifindex)
                            : programs_.attach_uplink(link.ifindex);
      if (!done) {
        log::warn("attach_failed", {{"link", link.name}, {"error", done.error().message()}});
        continue;
      }
      if (!known)
        log::info("link_attached",
                  {{"link", link.name}, {"role", container ? "container" : "uplink"}});
    }
    attached.insert(link.ifindex);
    names.push_back(link.name);
  }
  if (attached != attached_) sweep_dead_tc_links(config_.bpffs + "/links");
  attached_ = std::move(attached);
  status_.links = std::move(names);
  return {};
}

base::Result<void> DataPlane::reread() {
  known_ = nullptr;
  auto image = maps_.read();
  if (!image) return image.error();
  image_ = std::move(*image);
  ledger_ = Ledger(image_, maps_.capacity());
  return {};
}

base::Result<std::size_t> DataPlane::write_plan(const service::Snapshot& snapshot,
                                                const service::Snapshot* known, base::Time now) {
  Plan made = plan(image_, maps_.slots(), snapshot, known, ledger_, now);
  for (const Op& op : made.ops) {
    if (auto done = maps_.write(op); !done) return done.error();
    dataplane::apply(image_, op);
    status_.writes++;
  }
  if (made.problems.size() != status_.problems.size())
    for (const PlanProblem& problem : made.problems)
      log::error("service_not_programmed",
                 {{"vip", problem.key.to_string()}, {"reason", problem.reason}});
  status_.problems = std::move(made.problems);
  return made.ops.size();
}

base::Result<std::size_t> DataPlane::sync_routes(const service::Snapshot& snapshot, bool removals) {
  const std::set<base::Address> wanted = vip_addresses(snapshot);
  if (removals && !snapshot.complete) return 0;
  const std::set<base::Address> change =
      removals ? without(routes_, wanted) : without(wanted, routes_);
  auto done = removals ? remove_routes(device_, change) : add_routes(device_, change);
  if (!done) return done.error();
  if (removals)
    for (const base::Address& address : change) routes_.erase(address);
  else
    routes_.insert(change.begin(), change.end());
  return change.size();
}

/// Routes that go, maps, routes that come: whoever has a route finds a service behind it.
base::Result<std::size_t> DataPlane::show(bool from_scratch, base::Time now) {
  auto gone = sync_routes(*wanted_, true);
  if (!gone) return gone;
  auto written = write_plan(*wanted_, from_scratch ? nullptr : known_.get(), now);
  if (!written) return written;
  auto come = sync_routes(*wanted_, false);
  if (!come) return come;
  return *gone + *written + *come;
}

base::Result<void> DataPlane::apply(std::shared_ptr<const service::Snapshot> snapshot,
                                    base::Time now) {
  wanted_ = std::move(snapshot);
  if (!known_)
    if (auto done = reread(); !done) return done;
  auto shown = show(known_ == nullptr, now);
  if (!shown) {
    known_ = nullptr;
    status_.last_error = shown.error().message();
    return shown.error();
  }
  known_ = status_.problems.empty() ? wanted_ : nullptr;
  status_.applied_revision = wanted_->revision;
  status_.last_error.clear();
  return {};
}

base::Result<void> DataPlane::reconcile(base::Time now) {
  auto device = ensure_host_device(config_.link);
  if (!device) return device.error();
  if (auto given = ensure_addresses(*device, addresses_); !given) return given;
  const bool moved = device->ifindex != device_.ifindex;
  device_ = *device;
  if (moved) {
    auto programs = Programs::load(config_, device_.ifindex);
    if (!programs) return programs.error();
    programs_ = std::move(*programs);
  }
  if (auto host = programs_.attach_host_device(device_.ifindex); !host) return host;
  auto cgroup = config_.cgroup.empty() ? find_cgroup2() : base::Result<std::string>(config_.cgroup);
  if (cgroup)
    if (auto sockets = programs_.attach_sockets(*cgroup); !sockets) return sockets;
  if (auto scanned = attach_links(true); !scanned) return scanned;

  auto routes = read_routes(device_);
  if (!routes) return routes.error();
  routes_ = std::move(*routes);
  if (auto done = reread(); !done) return done;
  if (!wanted_) return {};
  auto shown = show(true, now);
  if (!shown) {
    status_.last_error = shown.error().message();
    return shown.error();
  }
  known_ = status_.problems.empty() ? wanted_ : nullptr;
  if (*shown > 0) {
    status_.repairs += *shown;
    log::warn("kernel_repaired", {{"operations", *shown}});
  }
  status_.applied_revision = wanted_->revision;
  status_.last_error.clear();
  return {};
}

}  // namespace viaduct::dataplane
