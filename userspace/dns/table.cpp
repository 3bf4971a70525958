#include "dns/table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "base/errors.h"

namespace viaduct::dns {
namespace {

constexpr std::size_t kRecordHeadOctets =
    12;                               // owner pointer, type, class, TTL, length of the data
constexpr std::uint16_t kExists = 0;  // the type of the entry that every name has

/// The slot's hash for a name's hash and a type.
std::uint64_t slot_hash(std::uint64_t name_hash, std::uint16_t type) {
  return name_hash + type * 0x9e3779b97f4a7c15;
}

void append_record(std::vector<std::uint8_t>& body, const Record& record, std::uint32_t ttl_s) {
  const std::size_t at = body.size();
  body.resize(at + kRecordHeadOctets);
  write16(&body[at], 0xc000 | kHeaderOctets);
  write16(&body[at + 2], static_cast<std::uint16_t>(record.type));
  write16(&body[at + 4], kClassIn);
  write32(&body[at + 6], ttl_s);
  write16(&body[at + 10], static_cast<std::uint16_t>(record.data.size()));
  body.insert(body.end(), record.data.begin(), record.data.end());
}

std::vector<std::uint8_t> to_vector(std::span<const std::uint8_t> octets) {
  return {octets.begin(), octets.end()};
}

}  // namespace

class Table::Compiler {
 public:
  void add(const Zone& zone) {
    add_suffixes(zone);
    ZoneInfo info{zone.ready, {}};
    append_record(info.negative, soa_record(zone.apex, zone.soa),
                  std::min(zone.soa.ttl_s, zone.soa.minimum_s));
    table_.zones_.push_back(std::move(info));
    table_.apexes_.push_back(to_vector(zone.apex.folded().wire()));
    if (!zone.ready) return;
    std::vector<Record> records = usable_records(zone);
    for (auto first = records.begin(); first != records.end();) {
      const auto last = std::find_if(first, records.end(), [&](const Record& record) {
        return std::tie(record.owner, record.type) != std::tie(first->owner, first->type);
      });
      add_set({first, last}, zone.apex.folded());
      first = last;
    }
  }

  Built finish() {
    std::stable_sort(table_.suffixes_.begin(), table_.suffixes_.end(),
                     [](const Suffix& a, const Suffix& b) { return a.labels > b.labels; });
    if (!entries_.empty()) place_entries();
    return {std::move(table_), std::move(rejected_)};
  }

 private:
  void reject(base::Errc code, std::string context) {
    rejected_.push_back({code, std::move(context)});
  }

  void add_suffixes(const Zone& zone) {
    const auto index = static_cast<std::uint32_t>(table_.zones_.size());
    std::vector<Name> suffixes = {zone.apex};
    suffixes.insert(suffixes.end(), zone.aliases.begin(), zone.aliases.end());
    for (const Name& suffix : suffixes) {
      if (suffix.size() + FoldedName::kMaxGrowth < zone.apex.size()) {
        reject(base::Errc::too_large,
               "alias " + suffix.to_text() + " of zone " + zone.apex.to_text());
      } else if (table_.suffixes_.size() == kMaxSuffixes) {
        reject(base::Errc::too_large,
               "zone suffix " + suffix.to_text() + ": more than 64 suffixes");
      } else {
        table_.suffixes_.push_back({to_vector(suffix.folded().wire()),
                                    static_cast<std::uint8_t>(suffix.label_count()), index});
      }
    }
  }

  /// The zone's records and its SOA with folded owners, sorted, without repetitions.
  std::vector<Record> usable_records(const Zone& zone) {
    std::vector<Record> records = {soa_record(zone.apex.folded(), zone.soa)};
    for (const Record& record : zone.records) {
      if (!record.owner.is_within(zone.apex)) {
        reject(base::Errc::out_of_range, "record " + record.owner.to_text() +
                                             " lies outside the zone " + zone.apex.to_text());
        continue;
      }
      records.push_back(record);
      records.back().owner = record.owner.folded();
    }
    const auto key = [](const Record& record) {
      return std::tie(record.owner, record.type, record.data);
    };
    // Of equal records the one with the shortest TTL comes first and stays.
    std::sort(records.begin(), records.end(), [&](const Record& a, const Record& b) {
      return key(a) != key(b) ? key(a) < key(b) : a.ttl_s < b.ttl_s;
    });
    records.erase(std::unique(records.begin(), records.end(),
                              [&](const Record& a, const Record& b) { return key(a) == key(b); }),
                  records.end());
    return records;
  }

  /// The longest beginning of a record set that fits.
  std::span<const Record> fitting(std::span<const Record> set) {
    std::size_t octets = 0;
    for (std::size_t i = 0; i < set.size(); ++i) {
      octets += kRecordHeadOctets + set[i].data.size();
      if (octets <= kMaxBodyOctets) continue;
      reject(base::Errc::too_large, std::to_string(set.size() - i) + " records of " +
                                        set[i].owner.to_text() + ", type " +
                                        std::to_string(static_cast<unsigned>(set[i].type)));
      return set.first(i);
    }
    return set;
  }

  void add_set(std::span<const Record> wanted, const Name& apex) {
    const std::span<const Record> set = fitting(wanted);
    if (set.empty()) return;
    // All records of a set have one TTL (RFC 2181, 5.2).
    const auto shortest = std::min_element(
        set.begin(), set.end(), [](const Record& a, const Record& b) { return a.ttl_s < b.ttl_s; });
    std::vector<std::uint8_t> body;
    for (const Record& record : set) append_record(body, record, shortest->ttl_s);
    const Name& owner = set.front().owner;
    const std::uint32_t name_offset = add_name(owner, apex);
    const std::size_t unit = body.size() / set.size();
    const bool rotates =
        set.size() > 1 && std::all_of(set.begin(), set.end(), [&](const Record& record) {
          return kRecordHeadOctets + record.data.size() == unit;
        });
    Slot slot = make_slot(owner, name_offset, static_cast<std::uint16_t>(set.front().type));
    slot.body_offset = static_cast<std::uint32_t>(table_.octets_.size());
    slot.body_octets = static_cast<std::uint16_t>(body.size());
    slot.records = static_cast<std::uint16_t>(set.size());
    slot.unit_octets = rotates ? static_cast<std::uint16_t>(unit) : 0;
    for (int copies = rotates ? 2 : 1; copies > 0; --copies)
      table_.octets_.insert(table_.octets_.end(), body.begin(), body.end());
    entries_.push_back(slot);
    table_.record_count_ += set.size();
    // One record set is enough for ANY (RFC 8482, 4.1). Sets come sorted by type, so A goes before
    // all others.
    if (any_of_.insert(to_key(owner)).second) {
      slot.type = static_cast<std::uint16_t>(Type::any);
      slot.hash = slot_hash(FoldedName(owner.wire()).hash(), slot.type);
      entries_.push_back(slot);
    }
  }

  static std::string to_key(const Name& name) {
    return {reinterpret_cast<const char*>(name.wire().data()), name.size()};
  }

  static Slot make_slot(const Name& name, std::uint32_t name_offset, std::uint16_t type) {
    Slot slot;
    slot.hash = slot_hash(FoldedName(name.wire()).hash(), type);
    slot.name_offset = name_offset;
    slot.name_octets = static_cast<std::uint8_t>(name.size());
    slot.type = type;
    return slot;
  }

  /// Notes that a name and all names between it and the apex exist.
  /// @return where its octets are.
  std::uint32_t add_name(const Name& name, const Name& apex) {
    const auto [known, added] = names_.emplace(to_key(name), 0);
    if (!added) return known->second;
    const auto offset = static_cast<std::uint32_t>(table_.octets_.size());
    known->second = offset;
    table_.octets_.insert(table_.octets_.end(), name.wire().begin(), name.wire().end());
    entries_.push_back(make_slot(name, offset, kExists));
    if (name != apex) add_name(name.parent(), apex);
    return offset;
  }

  void place_entries() {
    table_.slots_.resize(std::bit_ceil(entries_.size() * 2));
    const std::size_t mask = table_.slots_.size() - 1;
    for (const Slot& entry : entries_) {
      std::size_t at = entry.hash & mask;
      while (table_.slots_[at].name_octets != 0) at = (at + 1) & mask;
      table_.slots_[at] = entry;
    }
  }

  Table table_;
  std::vector<base::Error> rejected_;
  std::vector<Slot> entries_;
  std::unordered_map<std::string, std::uint32_t> names_;
  std::unordered_set<std::string> any_of_;
};

Table::Built Table::build(std::span<const Zone> zones) {
  Compiler compiler;
  for (const Zone& zone : zones) compiler.add(zone);
  return compiler.finish();
}

std::optional<Table::Place> Table::locate(const Question& question, FoldedName& name) const {
  const std::span<const std::uint8_t> wire = name.wire();
  for (const Suffix& suffix : suffixes_) {
    if (suffix.labels > question.label_count || suffix.wire.size() > wire.size()) continue;
    const std::size_t prefix = wire.size() - suffix.wire.size();
    const std::size_t start = suffix.labels == 0
                                  ? wire.size() - 1
                                  : question.label_starts[question.label_count - suffix.labels];
    if (start != prefix || std::memcmp(&wire[prefix], suffix.wire.data(), suffix.wire.size()) != 0)
      continue;
    const std::vector<std::uint8_t>& apex = apexes_[suffix.zone];
    if (apex != suffix.wire) name.replace_suffix(prefix, apex);
    return Place{&zones_[suffix.zone], prefix};
  }
  return std::nullopt;
}

const Table::Slot* Table::find_slot(const FoldedName& name, std::uint64_t hash,
                                    std::uint16_t type) const {
  if (slots_.empty()) return nullptr;
  const std::uint64_t wanted = slot_hash(hash, type);
  const std::span<const std::uint8_t> wire = name.wire();
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = wanted & mask; slots_[at].name_octets != 0; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.hash == wanted && slot.type == type && slot.name_octets == wire.size() &&
        std::memcmp(&octets_[slot.name_offset], wire.data(), wire.size()) == 0)
      return &slot;
  }
  return nullptr;
}

std::optional<Table::Answer> Table::find(const FoldedName& name, std::uint64_t hash,
                                         std::uint16_t type) const {
  const Slot* slot = find_slot(name, hash, type);
  if (slot == nullptr || slot->records == 0) return std::nullopt;
  const std::size_t stored = std::size_t{slot->body_octets} * (slot->unit_octets != 0 ? 2 : 1);
  return Answer{{&octets_[slot->body_offset], stored}, slot->records, slot->unit_octets};
}

bool Table::exists(const FoldedName& name, std::uint64_t hash) const {
  return find_slot(name, hash, kExists) != nullptr;
}

std::vector<Record> Table::records() const {
  std::vector<Record> records;
  records.reserve(record_count_);
  for (const Slot& slot : slots_) {
    if (slot.records == 0 || slot.type == static_cast<std::uint16_t>(Type::any)) continue;
    const Name owner = Name::from_wire({&octets_[slot.name_offset], slot.name_octets});
    const std::uint8_t* at = &octets_[slot.body_offset];
    for (std::uint16_t i = 0; i < slot.records; ++i) {
      const std::uint8_t* data = at + kRecordHeadOctets;
      const std::size_t length = read16(at + 10);
      records.push_back(
          {owner, static_cast<Type>(slot.type), read32(at + 6), {data, data + length}});
      at = data + length;
    }
  }
  std::sort(records.begin(), records.end());
  return records;
}

}  // namespace viaduct::dns
