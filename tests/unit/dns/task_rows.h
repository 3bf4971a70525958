#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dns/record.h"
#include "dns/table_writer.h"
#include "dns/zones/zone.h"
#include "dns/zones/zones.h"
#include "service/snapshot.h"

namespace viaduct::dns {

inline base::Address address(std::string_view text) { return *base::Address::parse(text); }

/// A container of framework "marathon" whose id's hash is known: "iffe9".
inline service::TaskRow task(std::string name, std::string id = "test") {
  service::TaskRow row;
  row.framework = "marathon";
  row.id = std::move(id);
  row.name = std::move(name);
  row.agent_id = "33899f47-S12";
  row.agent = {address("192.0.2.21")};
  row.addresses = {{service::AddressSource::netinfo, address("198.51.100.5")},
                   {service::AddressSource::netinfo, address("2001:db8::5")}};
  return row;
}

inline service::Snapshot running(std::vector<service::TaskRow> rows) {
  service::Snapshot snapshot;
  snapshot.revision = 42;
  snapshot.complete = true;
  std::vector<std::shared_ptr<const service::Task>> tasks;
  for (service::TaskRow& row : rows)
    tasks.push_back(std::make_shared<const service::Task>(service::Task{std::move(row), "node1"}));
  snapshot.tasks = std::move(tasks);
  return snapshot;
}

/// "owner type data" of all records but SOA and NS, sorted; SRV with its priority and weight.
inline std::vector<std::string> texts(std::span<const Zone> zones) {
  std::vector<std::string> texts;
  for (const Record& record : build_table(zones).table->records()) {
    const RecordText text = to_text(record);
    if (text.rtype == "SOA" || text.rtype == "NS") continue;
    std::string line = text.name + " " + text.rtype + " ";
    if (record.type == Type::srv)
      line += std::to_string(read16(&record.data[0])) + " " +
              std::to_string(read16(&record.data[2])) + " ";
    texts.push_back(line + text.host);
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

/// The same of records that lie in one zone.
inline std::vector<std::string> texts(ZoneHead head, std::vector<Record> records) {
  const Zone zone{std::move(head), std::move(records)};
  return texts({&zone, 1});
}

/// The same of a name and all below it, as a table of a snapshot has them.
inline std::vector<std::string> lines_below(std::string_view name,
                                            const service::Snapshot& snapshot,
                                            const ZoneOptions& options = {}) {
  const Name apex = Name::parse(name).value();
  std::vector<std::string> found;
  for (const Record& record : build_table(snapshot, options).table->records()) {
    if (!record.owner.is_within(apex) || record.type == Type::soa || record.type == Type::ns)
      continue;
    const RecordText text = to_text(record);
    std::string line = text.name + " " + text.rtype + " ";
    if (record.type == Type::srv)
      line += std::to_string(read16(&record.data[0])) + " " +
              std::to_string(read16(&record.data[2])) + " ";
    found.push_back(line + text.host);
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline service::MesosRow framework(std::string name, std::vector<base::Address> addresses,
                                   std::uint16_t port) {
  return {
      service::MesosRole::framework, "id of " + name, name, std::move(addresses), port, 0, false};
}
inline service::MesosRow agent(std::string id, std::vector<base::Address> addresses,
                               std::uint16_t port = 5051) {
  return {service::MesosRole::agent, std::move(id), "", std::move(addresses), port, 0, false};
}
inline service::MesosRow master(std::uint16_t number, const base::Address& address, bool leader,
                                std::uint16_t port = 5050) {
  return {service::MesosRole::master,
          base::Endpoint{address, port}.to_string(),
          "",
          {address},
          port,
          number,
          leader};
}

/// @param node  who says it; "": the leading master.
inline service::MesosProcesses processes(std::vector<service::MesosRow> rows,
                                         std::string node = "node1") {
  std::vector<std::shared_ptr<const service::MesosProcess>> list;
  for (service::MesosRow& row : rows)
    list.push_back(
        std::make_shared<const service::MesosProcess>(service::MesosProcess{std::move(row), node}));
  return list;
}

/// What only the leading master says: nodes publish nothing.
inline service::Snapshot of_master(std::vector<service::TaskRow> tasks,
                                   std::vector<service::MesosRow> rows) {
  service::Snapshot snapshot = running({});
  snapshot.master = {true, running(std::move(tasks)).tasks, processes(std::move(rows), "")};
  return snapshot;
}

inline ZoneOptions master_mode() {
  ZoneOptions options;
  options.mesos = MesosMode::master;
  return options;
}

}  // namespace viaduct::dns
