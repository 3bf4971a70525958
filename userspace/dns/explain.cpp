#include "dns/explain.h"

#include "dns/probe.h"
#include "dns/question.h"

namespace viaduct::dns {
namespace {

/// The records of a name that exists.
std::vector<Record> records_of(const Table& table, const Name& name) {
  std::vector<Record> records;
  Found found;
  if (table.find(FoldedName(name.wire()), found)) found.append_to(name, records);
  return records;
}

std::uint32_t serial_of(const Table& table, const Table::ZoneInfo& zone) {
  constexpr std::size_t kTimesOctets = 20;  // serial and four times end an SOA
  for (const Record& record : records_of(table, Name::from_wire(zone.apex)))
    if (record.type == Type::soa && record.data.size() >= kTimesOctets)
      return read32(&record.data[record.data.size() - kTimesOctets]);
  return 0;
}

}  // namespace

Explanation explain(const Table& table, const Name& name, std::uint16_t type) {
  const auto query = make_query(0, name, static_cast<Type>(type));
  const Question question = parse_question(query);
  Explanation made;
  FoldedName folded(question.name);
  const auto place = table.locate(question, folded);
  if (!place) return made;
  made.zone = place->zone;
  made.serial = serial_of(table, *place->zone);
  made.name = Name::from_wire(folded.wire());
  made.slot = table.slots().slot_of(made.name);
  if (const auto plain = Table::without_stars(*place, folded); plain && !made.slot) {
    made.name = Name::from_wire(plain->wire());
    made.slot = table.slots().slot_of(made.name);
  }
  made.exists = made.slot.has_value();
  if (!made.exists) return made;
  made.fits_slot = table.slots().fits(*made.slot);
  made.records = records_of(table, made.name);
  if (type != static_cast<std::uint16_t>(Type::any))
    std::erase_if(made.records, [&](const Record& record) {
      return static_cast<std::uint16_t>(record.type) != type;
    });
  return made;
}

}  // namespace viaduct::dns
