#include "dataplane/io/data_plane.h"

#include <fnmatch.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/io/log.h"
#include "dataplane/io/bpffs.h"
#include "dataplane/io/greet.h"
#include "dataplane/plan.h"
#include "dataplane/route_plan.h"

namespace viaduct::dataplane {
namespace {

/// What there was no room for is tried again so often: each time costs its whole table, and what
/// others gave back rests for longer.
constexpr base::Duration kRetryUnsettled = std::chrono::seconds(5);

bool matches(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

}  // namespace

DataPlane::DataPlane(Config config, base::Fd lock, HostDevice device, Programs programs, Maps maps,
                     Image image)
    : config_(std::move(config)),
      lock_(std::move(lock)),
      device_(std::move(device)),
      programs_(std::move(programs)),
      maps_(std::move(maps)),
      image_(std::move(image)),
      ledger_(image_, maps_.capacity()) {}

base::Result<DataPlane> DataPlane::start(const Config& config,
                                         const std::vector<base::Address>& addresses) {
  auto device = ensure_host_device(config.link);
  if (!device) return device.error();
  // The addresses of DNS work where BPF does not, so they come first.
  if (auto given = ensure_addresses(*device, addresses); !given)
    log::warn("address_failed", {{"error", given.error().message()}});
  auto lock = claim_bpffs(config.bpffs);
  if (!lock) return lock.error();
  auto programs = Programs::load(config, device->ifindex);
  if (!programs) return programs.error();
  auto maps = Maps::open(config.bpffs, Access::write);
  if (!maps) return maps.error();
  auto image = maps->read();
  if (!image) return image.error();

  DataPlane plane(config, std::move(*lock), *device, std::move(*programs), std::move(*maps),
                  std::move(*image));
  plane.addresses_ = addresses;
  auto& capabilities = plane.capabilities_;
  capabilities.push_back(
      {"dummy", device->kind == "dummy", config.link + " is of kind " + device->kind});
  const auto sockets = plane.attach_sockets();
  plane.has_sockets_ = sockets.has_value();
  capabilities.push_back(
      {"socket hooks", sockets.has_value(),
       sockets ? "attached to the cgroup"
               : "processes in the cgroup reach VIPs by packets: " + sockets.error().message()});
  plane.start_reaper();
  if (auto host = plane.programs_.attach_host_device(device->ifindex); !host) return host.error();
  if (auto loopback = plane.programs_.attach_loopback(); !loopback)
    log::warn("attach_failed", {{"link", "lo"}, {"error", loopback.error().message()}});
  auto routes = read_routes(*device);
  if (!routes) return routes.error();
  plane.routes_ = std::move(*routes);
  if (auto links = default_route_links(); links) plane.default_links_ = std::move(*links);
  if (auto scanned = plane.scan_links(); !scanned) return scanned.error();
  return plane;
}

void DataPlane::start_reaper() {
  auto reaper = config_.socket_destroy
                    ? Reaper::start(config_.bpffs)
                    : base::from_errno(ENOTSUP, "dataplane.socket_destroy is off");
  capabilities_.push_back(
      {"socket destroy", reaper.has_value(),
       reaper ? "sockets connected to a removed backend fail at once"
              : "sockets connected to a removed backend wait for their own timeout, those whose "
                "packets are translated get an RST (needs INET_DIAG_DESTROY): " +
                    reaper.error().message()});
  if (reaper) reaper_ = std::move(*reaper);
}

base::Result<void> DataPlane::attach_sockets() {
  if (!config_.sockets) {
    programs_.detach_sockets();
    return base::from_errno(ENOTSUP, "dataplane.sockets is off");
  }
  auto cgroup = config_.cgroup.empty() ? find_cgroup2() : base::Result<std::string>(config_.cgroup);
  if (!cgroup) return cgroup.error();
  return programs_.attach_sockets(*cgroup);
}

std::vector<Capability> DataPlane::capabilities() const {
  std::vector<Capability> all = programs_.capabilities();
  all.insert(all.end(), capabilities_.begin(), capabilities_.end());
  if (has_sockets_) return all;
  for (Capability& one : all)
    if (one.name == "socket programs" || one.name == "passive health")
      one = {one.name, false, "needs the socket hooks"};
  return all;
}

bool DataPlane::has_host_device() const {
  return if_nametoindex(config_.link.c_str()) == device_.ifindex;
}

base::Result<void> DataPlane::scan_links() {
  auto given = ensure_addresses(device_, addresses_);
  auto attached = attach_links(false);
  return given ? attached : given;
}

/// @param again  attach to links that have our programs already, too: repairs what was detached by
/// others.
base::Result<void> DataPlane::attach_links(bool again) {
  auto links = list_links();
  if (!links) return links.error();
  std::set<std::uint32_t> attached;
  std::vector<std::string> names;
  for (const Link& link : *links) {
    const bool container = link.name != config_.link && matches(config_.container_links, link.name);
    const bool uplink =
        !container && (config_.uplinks.empty() ? default_links_.contains(link.ifindex)
                                               : matches(config_.uplinks, link.name));
    if (!container && !uplink) continue;
    const bool known = attached_.contains(link.ifindex);
    if (again || !known) {
      auto done =
          container ? programs_.attach_container(link.ifindex) : programs_.attach_uplink(link);
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
  if (attached != attached_) sweep_dead_links(config_.bpffs + "/links");
  attached_ = std::move(attached);
  status_.links = std::move(names);
  return {};
}

base::Result<void> DataPlane::reread() {
  known_ = nullptr;
  auto image = maps_.read();
  if (!image) return image.error();
  image_ = std::move(*image);
  ledger_ = Ledger(image_, maps_.capacity(), ledger_);
  return {};
}

/// A service that the kernel does not take is a problem of its own: the others, and the removals
/// that may make room for it, go on.
base::Result<std::size_t> DataPlane::write_plan(const service::Snapshot& snapshot,
                                                const service::Snapshot* known, base::Time now) {
  std::set<service::VipKey> again = drains_.take_due(now);
  if (now >= retry_unsettled_at_) {
    for (const PlanProblem& problem : unsettled_) again.insert(problem.key);
    retry_unsettled_at_ = now + kRetryUnsettled;
  }
  Plan made =
      plan(image_, maps_.slots(), snapshot, known, ledger_, now, {again, expired_}, drains_);
  std::set<std::uint32_t> untouched;  // services whose old entry stays: so do its backends
  bool removed = false, freed = false;
  for (const Op& op : made.ops) {
    const auto* drop = std::get_if<DropBackend>(&op);
    if (drop && untouched.contains(image_.backends.at(drop->id).service_id)) continue;
    if (auto done = maps_.write(op); !done) {
      const auto* put = std::get_if<PutService>(&op);
      if (!put) return done.error();
      made.problems.push_back({put->entry.key, done.error().message()});
      if (!undo(put->entry, now)) untouched.insert(put->entry.id);
      continue;
    }
    dataplane::apply(image_, op);
    if (const auto* node = std::get_if<PutNode>(&op)) greet(node->address);
    status_.writes++;
    removed |= drop != nullptr;
    freed |= std::holds_alternative<DropService>(op);  // its entry can be used at once
  }
  if (freed) retry_unsettled_at_ = now;
  for (PlanProblem& problem : unsettled_)
    if (made.planned && !made.planned->contains(problem.key) && snapshot.find(problem.key))
      made.problems.push_back(std::move(problem));
  unsettled_ = made.problems;
  // What a process did not come to before it died is found by the first look at everything.
  if (reaper_ && (removed || !known)) reaper_->wake();
  status_.problems = std::move(made.problems);
  if (!untouched.empty()) forget_ = true;
  return made.ops.size();
}

/// Gives back what a service that the kernel refused would have used.
/// @return false: the kernel has an older entry of it.
bool DataPlane::undo(const ServiceEntry& refused, base::Time now) {
  if (image_.services.contains(refused.key)) return false;
  std::set<std::uint32_t> ids;
  if (const auto found = image_.backends_of.find(refused.id); found != image_.backends_of.end())
    ids = found->second;
  for (const std::uint32_t id : ids) {
    const DropBackend drop{id, next_generation(image_.backends.at(id).generation)};
    if (!maps_.write(drop)) return false;
    dataplane::apply(image_, drop);
    ledger_.give_backend_id(id, now);
  }
  if (refused.before_count > 0)
    ledger_.give_region(refused.before_offset, region_size(refused.before_count), now);
  if (refused.slot_count > 0)
    ledger_.give_region(refused.slot_offset, region_size(refused.slot_count), now);
  return true;
}

base::Result<std::size_t> DataPlane::remove_stale_routes(const std::set<base::Address>& stale) {
  if (auto done = remove_routes(device_, stale); !done) return done.error();
  for (const base::Address& address : stale) routes_.erase(address);
  return stale.size();
}

/// Without a route the VIP still works for sockets and containers, so this fails nothing but
/// itself.
base::Result<std::size_t> DataPlane::add_missing_routes(const std::set<base::Address>& missing) {
  auto failures = add_routes(device_, missing);
  if (!failures) return failures.error();
  for (const base::Address& address : missing) {
    unrouted_.erase(address);
    routes_.insert(address);
  }
  for (const RouteFailure& failure : *failures) {
    unrouted_[failure.address] = failure.reason;
    routes_.erase(failure.address);
  }
  list_unrouted();
  return missing.size() - failures->size();
}

/// Adds the VIPs without a route to the problems. They are tried again by the next reconcile.
void DataPlane::list_unrouted() {
  std::erase_if(unrouted_,
                [&](const auto& entry) { return !service::has_address(*wanted_, entry.first); });
  for (const auto& [address, reason] : unrouted_) {
    const auto& services = wanted_->services;
    for (auto at = services.lower_bound({address, 0, base::Protocol{}});
         at != services.end() && (*at)->key.address == address; ++at)
      status_.problems.push_back(
          {(*at)->key, reason + "; host processes outside the cgroup do not reach it"});
  }
}

/// Routes that go, maps, routes that come: whoever has a route finds a service behind it.
base::Result<std::size_t> DataPlane::show(bool from_scratch, base::Time now) {
  const std::vector<PlanProblem> before = status_.problems;
  const service::Snapshot* known = from_scratch ? nullptr : known_.get();
  const RoutePlan routes = plan_routes(routes_, *wanted_, known);
  forget_ = false;
  auto gone = remove_stale_routes(routes.stale);
  auto written = write_plan(*wanted_, known, now);
  auto come = written ? add_missing_routes(routes.missing) : base::Result<std::size_t>(0);
  for (const auto* result : {&gone, &written, &come}) {
    if (*result) continue;
    known_ = nullptr;
    status_.last_error = result->error().message();
    return result->error();
  }
  tell_problems(before);
  known_ = forget_ ? nullptr : wanted_;
  status_.applied_revision = wanted_->revision;
  status_.last_error.clear();
  return *gone + *written + *come;
}

void DataPlane::tell_problems(const std::vector<PlanProblem>& before) const {
  const std::set<PlanProblem> told(before.begin(), before.end());
  for (const PlanProblem& problem : status_.problems)
    if (!told.contains(problem))
      log::error("service_problem", {{"vip", problem.key.to_string()}, {"reason", problem.reason}});
}

base::Result<void> DataPlane::apply(std::shared_ptr<const service::Snapshot> snapshot,
                                    base::Time now) {
  drains_.see(*snapshot, wanted_.get(), now);
  wanted_ = std::move(snapshot);
  if (!known_)
    if (auto done = reread(); !done) return done;
  auto shown = show(known_ == nullptr, now);
  return shown ? base::Result<void>() : base::Result<void>(shown.error());
}

base::Result<void> DataPlane::restore_device() {
  auto device = ensure_host_device(config_.link);
  if (!device) return device.error();
  if (auto given = ensure_addresses(*device, addresses_); !given)
    log::warn("address_failed", {{"error", given.error().message()}});
  if (device->ifindex != device_.ifindex) {
    auto programs = Programs::load(config_, device->ifindex);
    if (!programs) return programs.error();
    programs_ = std::move(*programs);
  }
  device_ = *device;
  return programs_.attach_host_device(device_.ifindex);
}

base::Result<void> DataPlane::reconcile(base::Time now) {
  for (const auto& [address, id] : image_.nodes) greet(address);
  base::Result<void> first;  // one fault must not keep the others from being mended
  const auto note = [&](const base::Result<void>& result) {
    if (!result && first) first = result;
  };
  note(restore_device());
  if (has_sockets_) note(attach_sockets());
  if (auto links = default_route_links(); links) default_links_ = std::move(*links);
  note(programs_.attach_loopback());
  note(attach_links(true));
  if (auto routes = read_routes(device_); routes)
    routes_ = std::move(*routes);
  else
    note(routes.error());
  note(reread());
  expired_ = expired_befores(image_, now);
  if (wanted_) {
    auto shown = show(true, now);
    if (!shown) {
      note(shown.error());
    } else if (*shown > 0) {
      status_.repairs += *shown;
      log::warn("kernel_repaired", {{"operations", *shown}});
    }
  }
  if (!first) status_.last_error = first.error().message();
  return first;
}

}  // namespace viaduct::dataplane
