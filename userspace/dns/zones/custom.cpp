#include "dns/zones/custom.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/errors.h"

namespace viaduct::dns::zones {
namespace {

constexpr std::string_view kDirectory = "thisdcos.directory";
constexpr std::string_view kGlobal = "thisdcos.global";
constexpr std::string_view kTaken[] = {"l4lb", "dclb", "mesos", "dcos", "thisnode"};
constexpr int kMaxChain = 8;  ///< names that lead to names

base::Error refused(std::string why) { return {base::Errc::bad_format, std::move(why)}; }

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// The label before `thisdcos.directory`, folded; "" of a name elsewhere.
std::string zone_label(const Name& name) {
  static const Name directory = constant(kDirectory);
  if (!name.is_within(directory) || name.label_count() <= directory.label_count()) return "";
  Name at = name.folded();
  while (at.label_count() > directory.label_count() + 1) at = at.parent();
  const auto wire = at.wire();
  return {wire.begin() + 1, wire.begin() + 1 + wire[0]};
}

/// What the zones that are there say of a name.
struct Known {
  bool ready = true;
  std::vector<Record> addresses;
};

Known look_up(const Table& table, const Name& name) {
  const Table::ZoneInfo* zone = nullptr;
  std::size_t longest = 0;
  const auto wire = name.wire();
  for (const Table::ZoneInfo& one : table.zones())
    for (const auto& suffix : one.suffixes)
      if (suffix.size() > longest && name.is_within(Name::from_wire(suffix))) {
        zone = &one;
        longest = suffix.size();
      }
  Known known;
  if (!zone) return known;
  known.ready = zone->ready;
  FoldedName folded(wire);
  folded.replace_suffix(wire.size() - longest, zone->apex);
  Found found;
  if (!zone->ready || !table.find(folded, found)) return known;
  found.append_to(name, known.addresses);
  std::erase_if(known.addresses, [](const Record& record) {
    return record.type != Type::a && record.type != Type::aaaa;
  });
  return known;
}

class CustomZones {
 public:
  CustomZones(const service::Snapshot& snapshot, const ZoneOptions& options, const Table& table)
      : snapshot_(snapshot), options_(options), table_(table) {
    for (const Cname& cname : options.cnames) targets_.emplace(cname.name.folded(), cname.target);
  }

  std::vector<Zone> build() {
    for (const Cname& cname : options_.cnames) add(cname);
    std::vector<Zone> zones;
    for (auto& [label, zone] : zones_) zones.push_back(std::move(zone));
    return zones;
  }

 private:
  Zone& zone_of(const Name& name) {
    const std::string label = zone_label(name) + ".";
    const auto known = zones_.find(label);
    if (known != zones_.end()) return known->second;
    Zone zone = start_zone(constant(label + std::string(kDirectory)), snapshot_, options_);
    zone.aliases = {constant(label + std::string(kGlobal))};
    return zones_.emplace(label, std::move(zone)).first->second;
  }

  void add(const Cname& cname) {
    Zone& zone = zone_of(cname.name);
    zone.records.push_back(cname_record(cname.name, cname.target, options_.ttl_s));
    Name target = cname.target.folded();
    for (int i = 0; i < kMaxChain; i++) {
      const auto next = targets_.find(target);
      if (next == targets_.end()) break;
      target = next->second.folded();
    }
    Known known = look_up(table_, target);
    zone.ready = zone.ready && known.ready;
    for (Record& record : known.addresses) {
      record.owner = cname.name;
      zone.records.push_back(std::move(record));
    }
  }

  const service::Snapshot& snapshot_;
  const ZoneOptions& options_;
  const Table& table_;
  std::map<Name, Name> targets_;       ///< by folded name
  std::map<std::string, Zone> zones_;  ///< by their label
};

}  // namespace

base::Result<Cname> parse_cname(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return refused("is not of the form name=target");
  const auto name = Name::parse(trimmed(text.substr(0, equals)));
  const auto target = Name::parse(trimmed(text.substr(equals + 1)));
  if (!name || name->is_root()) return refused("does not begin with a domain name");
  if (!target || target->is_root()) return refused("does not end with a domain name");
  const std::string label = zone_label(*name);
  if (label.empty() || name->label_count() < constant(kDirectory).label_count() + 2)
    return refused("names nothing that lies two labels below thisdcos.directory");
  if (std::find(std::begin(kTaken), std::end(kTaken), label) != std::end(kTaken))
    return refused("names something in " + label + ".thisdcos.directory, which is served anyway");
  if (name->folded() == target->folded()) return refused("leads to itself");
  return Cname{*name, *target};
}

std::vector<Zone> custom(const service::Snapshot& snapshot, const ZoneOptions& options,
                         const Table& table) {
  return CustomZones(snapshot, options, table).build();
}

}  // namespace viaduct::dns::zones
