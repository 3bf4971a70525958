#include "daemon/io/dns_view.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "dns/explain.h"
#include "dns/probe.h"
#include "dns/type_name.h"
#include "dns/zones/l4lb.h"
#include "dns/zones/task_zones.h"
#include "service/name.h"
#include "service/vip.h"

namespace viaduct::daemon {
namespace {

constexpr std::size_t kMaxLookups = 64;
constexpr std::chrono::seconds kLookupKept{5};
constexpr std::size_t kMaxSources = 100;          // of a name; more are not listed
constexpr std::uint8_t kRecursionDesired = 0x01;  // third octet of a message

std::string text_of(const dns::Record& record) {
  const dns::RecordText text = dns::to_text(record);
  return std::to_string(record.ttl_s) + " " + text.rtype + " " + text.host;
}

std::string origin_text(const dns::forward::Origin& origin, const dns::forward::Stats& stats) {
  using From = dns::forward::Origin::From;
  const std::string who = origin.upstream && *origin.upstream < stats.upstreams.size()
                              ? " " + stats.upstreams[*origin.upstream].endpoint.to_string()
                              : "";
  switch (origin.from) {
    case From::upstream:
      return "upstream" + who;
    case From::cache:
      return "the cache";
    case From::stale:
      return "the cache, its TTL over: no upstream answers";
    case From::failure:
      return "no upstream answers";
    case From::local:
      break;
  }
  return "no upstream is named for it, or too many queries wait";
}

/// What a named VIP is made of.
void add_vip(const service::Snapshot& snapshot, const service::NamedVip& vip,
             std::vector<std::string>& sources) {
  for (const base::Address& address : vip.addresses)
    for (auto at = snapshot.services.lower_bound({address, 0, base::Protocol{}});
         at != snapshot.services.end() && (*at)->key.address == address; ++at)
      for (const service::Backend& backend : (*at)->backends)
        sources.push_back((*at)->key.to_string() + " backend " + backend.endpoint.to_string() +
                          (backend.task.empty() ? "" : " task " + backend.task) +
                          (backend.node.empty() ? "" : " node " + backend.node));
}

/// Whether a task may have a name: most can be told without making all of their records.
bool may_have_name(const service::Task& task, const std::string& name) {
  constexpr std::size_t kTelling = 8;
  const std::string label = service::sanitise_label(task.row.label());
  return name.ends_with(".arpa.") || name.find(label.substr(0, kTelling)) != std::string::npos;
}

bool has_name(const service::Task& task, const dns::Name& name, const dns::ZoneOptions& options) {
  const auto built = dns::zones::task_records(task.row, options);
  return std::any_of(built.records.begin(), built.records.end(),
                     [&](const dns::Record& record) { return record.owner.folded() == name; });
}

}  // namespace

DnsView::DnsView(const dns::Config& config, dns::Server& server, const Publisher& publisher,
                 const KernelDns* kernel)
    : config_(config), server_(server), publisher_(publisher), kernel_(kernel) {}

base::Result<api::DnsExplanation> DnsView::explain(const std::string& name,
                                                   const std::string& type) {
  const auto parsed = dns::Name::parse(name);
  if (!parsed) return parsed.error();
  const auto number = dns::parse_type(type);
  if (!number) return base::Error{base::Errc::bad_format, "\"" + type + "\" is no record type"};
  api::DnsExplanation made;
  made.name = parsed->to_text();
  made.type = dns::type_name(*number);
  const auto table = publisher_.table();
  const auto found = table ? dns::explain(*table, *parsed, *number) : dns::Explanation{};
  if (found.zone)
    explain_ours(found, made);
  else
    explain_forwarded(*parsed, *number, made);
  return made;
}

void DnsView::explain_ours(const dns::Explanation& found, api::DnsExplanation& made) const {
  made.zone = dns::Name::from_wire(found.zone->apex).to_text();
  made.ready = found.zone->ready;
  made.serial = found.serial;
  made.table_name = found.name.to_text();
  made.exists = found.exists;
  made.slot = found.slot;
  for (const dns::Record& record : found.records) made.records.push_back(text_of(record));
  made.sources = sources_of(found.name);
  const api::Capability kernel =
      kernel_ ? kernel_->capability()
              : api::Capability{"", false, "the kernel's part of DNS is off (dns.kernel)"};
  if (!kernel.available)
    made.kernel = kernel.detail;
  else if (made.table_name != dns::Name::parse(made.name).value().folded().to_text())
    made.kernel = "the name is an alias";
  else if (!found.exists)
    made.kernel = "the name does not exist";
  else if (!found.fits_slot)
    made.kernel = "its records do not fit a slot";
  else if (made.type == "SRV")
    made.kernel = "SRV is answered with its targets' addresses, which is left to user space";
}

std::vector<std::string> DnsView::sources_of(const dns::Name& name) const {
  std::vector<std::string> sources;
  const auto snapshot = publisher_.snapshot();
  if (!snapshot) return sources;
  if (const auto vip_name = dns::zones::l4lb_prefix(name)) {
    // `_80._tcp.NAME` is of the VIP that NAME is.
    for (std::string_view rest = *vip_name; !rest.empty();) {
      if (const auto* vip = snapshot->names.find(std::string(rest)))
        add_vip(*snapshot, *vip, sources);
      const std::size_t dot = rest.find('.');
      rest = dot == std::string_view::npos ? "" : rest.substr(dot + 1);
    }
    return sources;
  }
  const std::string text = name.to_text();
  const auto add_task = [&](const service::Task& task, const std::string& who) {
    if (may_have_name(task, text) && has_name(task, name, config_.zones))
      sources.push_back("task " + task.row.id + " framework " + task.row.framework + " " + who);
  };
  if (config_.zones.mesos == dns::MesosMode::master)
    for (const auto& task : snapshot->master.tasks) add_task(*task, "of the leading master");
  for (const auto& task : snapshot->tasks) add_task(*task, "node " + task->node);
  if (sources.size() > kMaxSources) {
    const std::string more = std::to_string(sources.size() - kMaxSources);
    sources.resize(kMaxSources);
    sources.push_back("and " + more + " more");
  }
  return sources;
}

void DnsView::explain_forwarded(const dns::Name& name, std::uint16_t type,
                                api::DnsExplanation& made) {
  const auto stats = server_.stats().forward;
  if (!stats) return;
  made.forward_zone = ".";
  std::size_t longest = 0;
  std::vector<base::Endpoint> endpoints = config_.forward.upstreams;
  for (const auto& zone : config_.forward.zones) {
    if (!name.is_within(zone.apex) || zone.apex.size() <= longest) continue;
    longest = zone.apex.size();
    made.forward_zone = zone.apex.to_text();
    endpoints = zone.upstreams;
  }
  if (endpoints.empty()) made.forward_zone.clear();
  for (const auto& upstream : stats->upstreams)
    if (std::find(endpoints.begin(), endpoints.end(), upstream.endpoint) != endpoints.end())
      made.upstreams.push_back({upstream.endpoint, 1000 * upstream.round_trip_s, upstream.failures,
                                upstream.aside ? "leads back to this server" : ""});
  if (made.forward_zone.empty()) return;
  const std::string question = made.name + " " + made.type;
  const base::Time now = base::Clock::now();
  {
    const std::lock_guard lock(lookups_->mutex);
    std::erase_if(lookups_->all,
                  [&](const auto& one) { return now - one.second.begun > kLookupKept; });
    if (!lookups_->all.contains(question) && lookups_->all.size() >= kMaxLookups) {
      made.origin = "not looked up: " + std::to_string(kMaxLookups) +
                    " names were asked about in the last seconds";
      return;
    }
    const auto [known, begun] = lookups_->all.try_emplace(question, Lookup{now, ""});
    made.pending = known->second.origin.empty();
    made.origin = known->second.origin;
    if (!begun) return;
  }
  auto query = dns::make_query(0, name, static_cast<dns::Type>(type));
  query[2] |= kRecursionDesired;
  server_.look_up(std::move(query), [lookups = lookups_, question, stats = *stats](
                                        base::Bytes, const dns::forward::Origin& origin) {
    const std::lock_guard lock(lookups->mutex);
    const auto found = lookups->all.find(question);
    if (found != lookups->all.end()) found->second.origin = origin_text(origin, stats);
  });
}

}  // namespace viaduct::daemon
