#include "dns/zones/zones.h"

#include <utility>

#include "dns/zones/custom.h"
#include "dns/zones/l4lb.h"
#include "dns/zones/local.h"
#include "dns/zones/reverse.h"
#include "dns/zones/task_zones.h"
#include "dns/zones/zk.h"

namespace viaduct::dns {

Zones::Zones(ZoneOptions options, TableWriter writer)
    : options_(std::move(options)),
      writer_(std::move(writer)),
      ports_(writer_.seed()),
      tasks_(std::make_unique<zones::TaskZones>(writer_.seed())) {}

Zones::~Zones() = default;
Zones::Zones(Zones&&) noexcept = default;

void Zones::update(const service::Snapshot& snapshot) {
  for (const Zone& zone : zones::local(snapshot, options_)) writer_.set_whole(zone);
  writer_.set_whole(zones::zk(snapshot, options_));
  update_names(snapshot);
  tasks_->update(snapshot, options_, writer_, rejected_);
  update_custom(snapshot);
}

/// They are few, and may lead to any name of ours.
void Zones::update_custom(const service::Snapshot& snapshot) {
  if (options_.cnames.empty()) return;
  const auto known = writer_.table();
  for (const Zone& zone : zones::custom(snapshot, options_, *known)) writer_.set_whole(zone);
}

void Zones::update_ports(const service::Snapshot& snapshot, const Name& apex) {
  using ServicePointer = std::shared_ptr<const service::Service>;
  const auto record = [&](const ServicePointer* service,
                          std::vector<base::Error>* rejected) -> std::optional<Record> {
    if (!service || (*service)->name.empty()) return std::nullopt;
    auto made = zones::l4lb_port(**service, options_);
    if (made) return *std::move(made);
    if (rejected) rejected->push_back(made.error());
    return std::nullopt;
  };
  service::Services::compare(services_, snapshot.services,
                             [&](const ServicePointer* before, const ServicePointer* after) {
                               if (const auto come = record(after, &rejected_)) ports_.add(*come);
                               if (const auto gone = record(before, nullptr)) ports_.remove(*gone);
                             });
  services_ = snapshot.services;
  ports_.write(writer_, {&apex, 1});
}

/// Named VIPs are many: only those that differ are looked at.
void Zones::update_names(const service::Snapshot& snapshot) {
  const ZoneHead names = zones::l4lb(snapshot, options_);
  const std::vector<zones::ReverseZone> reverse = zones::reverse(snapshot, options_);
  const auto start = [&](const ZoneHead& head) {
    if (writer_.set_zone(head)) writer_.set_name(head.apex, head.apex, {zones::apex_ns(head)});
  };
  start(names);
  for (const zones::ReverseZone& zone : reverse) start(zone.head);
  if (!snapshot.complete) return;
  const auto set_reverse = [&](const base::Address& address, const std::vector<Record>& records) {
    for (const zones::ReverseZone& zone : reverse)
      if (zone.holds(address))
        writer_.set_name(zone.head.apex, zones::reverse_name(address), records);
  };
  // An address may go from one name to another: what goes is taken away first.
  service::NamedVips::compare(names_, snapshot.names,
                              [&](const service::NamedVip* before, const service::NamedVip* after) {
                                if (!before) return;
                                for (const base::Address& address : before->addresses)
                                  set_reverse(address, {});
                                if (const auto owner = zones::l4lb_name(*before); owner && !after)
                                  writer_.set_name(names.apex, *owner, {});
                              });
  service::NamedVips::compare(
      names_, snapshot.names, [&](const service::NamedVip*, const service::NamedVip* after) {
        if (!after) return;
        const auto owner = zones::l4lb_name(*after);
        if (!owner) return rejected_.push_back(owner.error());
        writer_.set_name(names.apex, *owner, zones::l4lb_records(*after, *owner, options_));
        for (const base::Address& address : after->addresses)
          set_reverse(address, {ptr_record(zones::reverse_name(address), *owner, options_.ttl_s)});
      });
  names_ = snapshot.names;
  update_ports(snapshot, names.apex);
}

std::vector<base::Error> Zones::take_rejected() {
  std::vector<base::Error> rejected = std::exchange(rejected_, {});
  for (base::Error& error : writer_.take_rejected()) rejected.push_back(std::move(error));
  return rejected;
}

BuiltTable build_table(const service::Snapshot& snapshot, const ZoneOptions& options) {
  Zones zones(options);
  zones.update(snapshot);
  return {zones.table(), zones.take_rejected()};
}

}  // namespace viaduct::dns
