#include "dns/table_writer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/errors.h"

namespace viaduct::dns {
namespace {

/// The records at the beginning that have one owner.
std::span<const Record> leading(std::span<const Record> records) {
  const auto end = std::find_if(records.begin(), records.end(), [&](const Record& record) {
    return record.owner != records.front().owner;
  });
  return records.first(static_cast<std::size_t>(end - records.begin()));
}

std::vector<std::uint8_t> octets_of(const Name& name) {
  const auto wire = name.wire();
  return {wire.begin(), wire.end()};
}

}  // namespace

TableWriter::TableWriter(AllocateAnswers allocate, std::uint64_t seed, std::size_t names)
    : allocate_(std::move(allocate)), seed_(seed), first_names_(names) {
  zones_.reserve(VD_DNS_MAX_ZONES);
}

TableWriter::Known* TableWriter::find(const Name& apex) {
  const auto found = std::find_if(zones_.begin(), zones_.end(),
                                  [&](const Known& zone) { return zone.head.apex == apex; });
  return found == zones_.end() ? nullptr : &*found;
}

void TableWriter::reject(base::Errc code, std::string context) {
  rejected_.push_back({code, std::move(context)});
}

void TableWriter::add_suffixes(Known& zone) {
  std::vector<Name> suffixes = {zone.head.apex};
  suffixes.insert(suffixes.end(), zone.head.aliases.begin(), zone.head.aliases.end());
  for (const Name& suffix : suffixes) {
    if (suffix.size() + FoldedName::kMaxGrowth < zone.apex.size()) {
      reject(base::Errc::too_large,
             "alias " + suffix.to_text() + " of zone " + zone.apex.to_text());
    } else if (suffixes_ == kMaxSuffixes) {
      reject(base::Errc::too_large, "zone suffix " + suffix.to_text() + ": more than 64 suffixes");
    } else {
      zone.info.suffixes.push_back(octets_of(suffix.folded()));
      ++suffixes_;
    }
  }
}

bool TableWriter::set_zone(const ZoneHead& head) {
  Known* zone = find(head.apex);
  if (zone && zone->head.soa == head.soa && zone->head.ready == head.ready) return false;
  const bool is_new = !zone;
  table_ = nullptr;
  if (!zone) {
    if (zones_.size() == VD_DNS_MAX_ZONES) {
      reject(base::Errc::too_large, "zone " + head.apex.to_text() + ": more than 64 zones");
      return false;
    }
    zone = &zones_.emplace_back();
    zone->head = head;
    zone->apex = head.apex.folded();
    zone->info.apex = octets_of(zone->apex);
    zone->info.drops_stars = head.drops_stars;
    zone->info.recursion = head.recursion;
    add_suffixes(*zone);
  }
  zone->head.soa = head.soa;
  zone->head.ready = zone->info.ready = head.ready;
  zone->info.negative.clear();
  append_record(zone->info.negative, soa_record(zone->apex, head.soa),
                std::min(head.soa.ttl_s, head.soa.minimum_s));
  std::vector<Record> records = records_of(zone->apex);
  std::erase_if(records, [](const Record& record) { return record.type == Type::soa; });
  set_name(head.apex, head.apex, std::move(records));
  return is_new;
}

void TableWriter::set_name(const Name& apex, const Name& owner, std::vector<Record> records) {
  const Known* zone = find(apex);
  if (!zone) return;
  if (!owner.is_within(zone->apex))
    return reject(base::Errc::out_of_range,
                  "record " + owner.to_text() + " lies outside the zone " + zone->apex.to_text());
  write(*zone, owner.folded(), std::move(records));
}

/// Which names differ from those of the call before is seen by walking both in their order.
void TableWriter::set_whole(const Zone& zone) {
  set_zone(zone);
  Known* known = find(zone.apex);
  if (!known || !zone.ready) return;
  std::vector<Record> now = sorted(zone);
  const std::vector<Record> before = std::exchange(known->whole, std::move(now));
  std::span<const Record> old = before, wanted = known->whole;
  while (!old.empty() || !wanted.empty()) {
    if (wanted.empty() || (!old.empty() && old.front().owner < wanted.front().owner)) {
      const auto gone = leading(old);
      write(*known, gone.front().owner, {});
      old = old.subspan(gone.size());
      continue;
    }
    const auto here = leading(wanted);
    wanted = wanted.subspan(here.size());
    std::span<const Record> was;
    if (!old.empty() && old.front().owner == here.front().owner) {
      was = leading(old);
      old = old.subspan(was.size());
    }
    if (!std::ranges::equal(was, here))
      write(*known, here.front().owner, {here.begin(), here.end()});
  }
}

/// The zone's records with folded owners.
std::vector<Record> TableWriter::sorted(const Zone& zone) {
  std::vector<Record> records;
  for (const Record& record : zone.records) {
    if (!record.owner.is_within(zone.apex)) {
      reject(base::Errc::out_of_range,
             "record " + record.owner.to_text() + " lies outside the zone " + zone.apex.to_text());
      continue;
    }
    records.push_back(record);
    records.back().owner = record.owner.folded();
  }
  std::sort(records.begin(), records.end());
  return records;
}

void TableWriter::write(const Known& zone, const Name& owner, std::vector<Record> records) {
  if (owner == zone.apex) records.push_back(soa_record(zone.apex, zone.head.soa));
  const std::size_t before = count_of(owner);
  if (records.empty()) {
    erase(zone, owner);
    records_ -= before;
    table_ = nullptr;
    return;
  }
  const RecordSets sets = compile(std::move(records), rejected_);
  if (!make_parents(zone, owner) || !put(zone, owner, sets))
    return reject(base::Errc::too_large, "no room for the name " + owner.to_text());
  records_ = records_ - before + count_of(owner);
  table_ = nullptr;
}

bool TableWriter::put(const Known& zone, const Name& name, const RecordSets& sets) {
  if (!slots_ && !grow()) return false;
  while (slots_->put(name, number_of(zone), sets) == AnswerSlots::Put::full)
    if (!grow()) return false;
  return true;
}

/// Makes the names between a new one and the apex, which exist because it does.
bool TableWriter::make_parents(const Known& zone, const Name& name) {
  if (name == zone.apex || (slots_ && slots_->below(name))) return true;
  const Name parent = name.parent();
  const auto below = slots_ ? slots_->below(parent) : std::nullopt;
  if (!below && (!make_parents(zone, parent) || !put(zone, parent, {}))) return false;
  if (!put(zone, name, {})) return false;
  slots_->set_below(parent, below.value_or(0) + 1);
  return true;
}

/// Takes a name's records away, the name if nothing is below it, and parents that only led to it.
void TableWriter::erase(const Known& zone, Name name) {
  const auto below = slots_ ? slots_->below(name) : std::nullopt;
  if (!below) return;
  if (*below != 0) {
    put(zone, name, {});
    return;
  }
  while (name != zone.apex) {
    slots_->erase(name);
    name = name.parent();
    const std::uint32_t left = *slots_->below(name) - 1;
    slots_->set_below(name, left);
    if (left != 0 || count_of(name) != 0) return;
  }
}

/// All names in more memory; names whose hashes lie badly may need it twice. The table stays as it
/// is if there is none.
bool TableWriter::grow() {
  std::size_t names = slots_ ? 2 * slots_->capacity() : first_names_;
  for (; names <= kMaxNames; names *= 2) {
    auto memory = allocate_(names);
    if (!memory) {
      rejected_.push_back(memory.error());
      return false;
    }
    seed_ = seed_ * 0x9e3779b97f4a7c15 + 1;
    auto slots = std::make_shared<AnswerSlots>(*std::move(memory), seed_);
    if (!copy_to(*slots)) continue;
    slots_ = std::move(slots);
    table_ = nullptr;
    return true;
  }
  return false;
}

/// @return whether all names fit.
bool TableWriter::copy_to(AnswerSlots& slots) const {
  bool fits = true;
  if (slots_)
    slots_->each([&](const Name& name, std::uint8_t zone, std::uint32_t below,
                     const std::uint8_t* octets, std::uint8_t count) {
      RecordSets sets{count, {octets, octets + sets_octets(octets, count)}};
      if (!fits || slots.put(name, zone, std::move(sets)) == AnswerSlots::Put::full)
        fits = false;
      else
        slots.set_below(name, below);
    });
  return fits;
}

std::size_t TableWriter::count_of(const Name& owner) const {
  Found found;
  return slots_ && slots_->find(FoldedName(owner.wire()), found) ? found.record_count() : 0;
}

std::vector<Record> TableWriter::records_of(const Name& owner) const {
  std::vector<Record> records;
  Found found;
  if (slots_ && slots_->find(FoldedName(owner.wire()), found)) found.append_to(owner, records);
  return records;
}

std::shared_ptr<const Table> TableWriter::table() {
  if (!slots_) grow();
  if (!slots_) slots_ = std::make_shared<AnswerSlots>(*allocate_plain(1), seed_);
  if (!table_) {
    std::vector<Table::ZoneInfo> zones;
    for (const Known& zone : zones_) zones.push_back(zone.info);
    table_ = std::make_shared<const Table>(slots_, std::move(zones), records_);
  }
  return table_;
}

BuiltTable build_table(std::span<const Zone> zones) {
  TableWriter writer;
  for (const Zone& zone : zones) writer.set_whole(zone);
  return {writer.table(), writer.take_rejected()};
}

}  // namespace viaduct::dns
