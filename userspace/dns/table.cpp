#include "dns/table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <tuple>

#include "base/errors.h"

namespace viaduct::dns {
namespace {

constexpr std::uint8_t kMaxSets = 255;  // of a name
constexpr std::size_t kRecordHeadOctets =
    12;  // owner pointer, type, class, TTL, length of the data

/// What stands before a set's body, in host order and not aligned.
struct SetHead {
  std::uint16_t type = 0;
  std::uint16_t records = 0;
  std::uint16_t unit_octets = 0;  ///< not 0: the body stands twice in a row
  std::uint16_t body_octets = 0;  ///< of the body once

  std::size_t stored_octets() const {
    return std::size_t{body_octets} * (unit_octets != 0 ? 2 : 1);
  }
};

SetHead read_head(const std::uint8_t* from) {
  SetHead head;
  std::memcpy(&head, from, sizeof head);
  return head;
}

std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

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
    const Name apex = zone.apex.folded();
    const std::vector<Record> records = usable_records(zone);
    for (std::span<const Record> rest = records; !rest.empty();) {
      const std::span<const Record> here =
          leading(rest, [](const Record& record) { return record.owner; });
      add_name(here.front().owner, apex);
      for (std::span<const Record> sets = here; !sets.empty();) {
        const std::span<const Record> set =
            leading(sets, [](const Record& record) { return record.type; });
        add_set(set);
        sets = sets.subspan(set.size());
      }
      rest = rest.subspan(here.size());
    }
  }

  Built finish() {
    std::stable_sort(table_.suffixes_.begin(), table_.suffixes_.end(),
                     [](const Suffix& a, const Suffix& b) { return a.labels > b.labels; });
    if (!names_.empty()) place_names();
    return {std::move(table_), std::move(rejected_)};
  }

 private:
  /// The records at the beginning that agree in a key.
  template <class Key>
  static std::span<const Record> leading(std::span<const Record> records, Key key) {
    const auto end = std::find_if(records.begin(), records.end(), [&](const Record& record) {
      return key(record) != key(records.front());
    });
    return records.first(static_cast<std::size_t>(end - records.begin()));
  }

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

  void add_set(std::span<const Record> wanted) {
    const std::span<const Record> set = fitting(wanted);
    if (set.empty()) return;
    // All records of a set have one TTL (RFC 2181, 5.2).
    const auto shortest = std::min_element(
        set.begin(), set.end(), [](const Record& a, const Record& b) { return a.ttl_s < b.ttl_s; });
    std::vector<std::uint8_t> body;
    for (const Record& record : set) append_record(body, record, shortest->ttl_s);
    const std::size_t unit = body.size() / set.size();
    const bool rotates =
        set.size() > 1 && std::all_of(set.begin(), set.end(), [&](const Record& record) {
          return kRecordHeadOctets + record.data.size() == unit;
        });
    Sets& sets = names_[set.front().owner];
    if (sets.count == kMaxSets)
      return reject(base::Errc::too_large, "more than 255 types of " + set.front().owner.to_text());
    const SetHead head{
        static_cast<std::uint16_t>(set.front().type), static_cast<std::uint16_t>(set.size()),
        static_cast<std::uint16_t>(rotates ? unit : 0), static_cast<std::uint16_t>(body.size())};
    const auto* head_octets = reinterpret_cast<const std::uint8_t*>(&head);
    sets.octets.insert(sets.octets.end(), head_octets, head_octets + sizeof head);
    for (int copies = rotates ? 2 : 1; copies > 0; --copies)
      sets.octets.insert(sets.octets.end(), body.begin(), body.end());
    ++sets.count;
    table_.record_count_ += set.size();
  }

  /// Notes that a name and all names between it and the apex exist.
  void add_name(Name name, const Name& apex) {
    while (names_.try_emplace(name).second && name != apex) name = name.parent();
  }

  void place_names() {
    table_.slots_.resize(std::bit_ceil(names_.size() * 2));
    const std::size_t mask = table_.slots_.size() - 1;
    std::vector<std::uint8_t>& octets = table_.octets_;
    octets.push_back(0);  // so that no piece has the offset 0
    for (const auto& [name, sets] : names_) {
      const std::uint64_t hash = FoldedName(name.wire()).hash();
      std::size_t at = hash & mask;
      while (table_.slots_[at].offset != 0) at = (at + 1) & mask;
      table_.slots_[at] = {tag_of(hash), static_cast<std::uint32_t>(octets.size())};
      octets.push_back(static_cast<std::uint8_t>(name.size()));
      octets.insert(octets.end(), name.wire().begin(), name.wire().end());
      octets.push_back(sets.count);
      octets.insert(octets.end(), sets.octets.begin(), sets.octets.end());
    }
  }

  struct Sets {
    std::uint8_t count = 0;
    std::vector<std::uint8_t> octets;
  };

  Table table_;
  std::vector<base::Error> rejected_;
  std::map<Name, Sets> names_;
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

std::optional<Table::Entry> Table::find(const FoldedName& name) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint64_t hash = name.hash();
  const std::span<const std::uint8_t> wire = name.wire();
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].offset != 0; at = (at + 1) & mask) {
    if (slots_[at].tag != tag_of(hash)) continue;
    const std::uint8_t* piece = &octets_[slots_[at].offset];
    if (*piece == wire.size() && std::memcmp(piece + 1, wire.data(), wire.size()) == 0)
      return Entry(piece + 1 + wire.size());
  }
  return std::nullopt;
}

std::optional<Table::Answer> Table::Entry::find(std::uint16_t type) const {
  const std::uint8_t* at = octets_ + 1;
  for (std::uint8_t i = 0; i < *octets_; ++i) {
    const SetHead head = read_head(at);
    at += sizeof head;
    if (head.type == type || type == static_cast<std::uint16_t>(Type::any))
      return Answer{{at, head.stored_octets()}, head.records, head.unit_octets};
    at += head.stored_octets();
  }
  return std::nullopt;
}

std::vector<Record> Table::records() const {
  std::vector<Record> records;
  records.reserve(record_count_);
  for (const Slot& slot : slots_) {
    if (slot.offset == 0) continue;
    const std::uint8_t* at = &octets_[slot.offset];
    const Name owner = Name::from_wire({at + 1, *at});
    at += 1 + owner.size();
    for (std::uint8_t sets = *at++; sets > 0; --sets) {
      const SetHead head = read_head(at);
      const std::uint8_t* record = at + sizeof head;
      for (std::uint16_t i = 0; i < head.records; ++i) {
        const std::uint8_t* data = record + kRecordHeadOctets;
        const std::size_t length = read16(record + 10);
        records.push_back(
            {owner, static_cast<Type>(head.type), read32(record + 6), {data, data + length}});
        record = data + length;
      }
      at += sizeof head + head.stored_octets();
    }
  }
  std::sort(records.begin(), records.end());
  return records;
}

}  // namespace viaduct::dns
