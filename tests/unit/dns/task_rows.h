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

}  // namespace viaduct::dns
