#include "dns/record_sets.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <tuple>

#include "base/errors.h"

namespace viaduct::dns {
namespace {

vd_dns_set read_head(const std::uint8_t* from) {
  vd_dns_set head;
  std::memcpy(&head, from, sizeof head);
  return head;
}

std::string set_text(const Record& record) {
  return record.owner.to_text() + ", type " + std::to_string(static_cast<unsigned>(record.type));
}

/// The longest beginning of a record set that fits.
std::span<const Record> fitting(std::span<const Record> set, std::vector<base::Error>& rejected) {
  std::size_t octets = 0;
  for (std::size_t i = 0; i < set.size(); ++i) {
    octets += kRecordHeadOctets + set[i].data.size();
    if (octets <= kMaxBodyOctets) continue;
    rejected.push_back({base::Errc::too_large,
                        std::to_string(set.size() - i) + " records of " + set_text(set[i])});
    return set.first(i);
  }
  return set;
}

void append_set(std::span<const Record> set, RecordSets& sets) {
  std::uint32_t ttl_s = set.front().ttl_s;
  for (const Record& record : set) ttl_s = std::min(ttl_s, record.ttl_s);
  std::vector<std::uint8_t> body;
  for (const Record& record : set) append_record(body, record, ttl_s);
  const std::size_t unit = body.size() / set.size();
  const bool rotates =
      set.size() > 1 && std::all_of(set.begin(), set.end(), [&](const Record& record) {
        return kRecordHeadOctets + record.data.size() == unit;
      });
  const vd_dns_set head{
      static_cast<std::uint16_t>(set.front().type), static_cast<std::uint16_t>(set.size()),
      static_cast<std::uint16_t>(rotates ? unit : 0), static_cast<std::uint16_t>(body.size())};
  const std::size_t at = sets.octets.size();
  sets.octets.resize(at + sizeof head + padded(body.size()));
  std::memcpy(&sets.octets[at], &head, sizeof head);
  std::memcpy(&sets.octets[at + sizeof head], body.data(), body.size());
  ++sets.count;
}

}  // namespace

void append_record(std::vector<std::uint8_t>& body, const Record& record, std::uint32_t ttl_s) {
  const std::size_t at = body.size();
  body.resize(at + kRecordHeadOctets + record.data.size());
  write16(&body[at], 0xc000 | kHeaderOctets);
  write16(&body[at + 2], static_cast<std::uint16_t>(record.type));
  write16(&body[at + 4], kClassIn);
  write32(&body[at + 6], ttl_s);
  write16(&body[at + 10], static_cast<std::uint16_t>(record.data.size()));
  std::copy(record.data.begin(), record.data.end(),
            body.begin() + static_cast<std::ptrdiff_t>(at + kRecordHeadOctets));
}

RecordSets compile(std::vector<Record> records, std::vector<base::Error>& rejected) {
  const auto key = [](const Record& record) { return std::tie(record.type, record.data); };
  // Of equal records the one with the shortest TTL comes first and stays.
  std::sort(records.begin(), records.end(), [&](const Record& a, const Record& b) {
    return key(a) != key(b) ? key(a) < key(b) : a.ttl_s < b.ttl_s;
  });
  records.erase(std::unique(records.begin(), records.end(),
                            [&](const Record& a, const Record& b) { return key(a) == key(b); }),
                records.end());
  RecordSets sets;
  for (std::span<const Record> rest = records; !rest.empty();) {
    const auto end = std::find_if(rest.begin(), rest.end(), [&](const Record& record) {
      return record.type != rest.front().type;
    });
    const auto set = rest.first(static_cast<std::size_t>(end - rest.begin()));
    rest = rest.subspan(set.size());
    if (sets.count == kMaxSets) {
      rejected.push_back({base::Errc::too_large, "too many types: " + set_text(set.front())});
      break;
    }
    if (const auto fits = fitting(set, rejected); !fits.empty()) append_set(fits, sets);
  }
  return sets;
}

std::optional<Answer> find_set(const std::uint8_t* octets, std::uint8_t count, std::uint16_t type) {
  for (; count > 0; --count) {
    const vd_dns_set head = read_head(octets);
    octets += sizeof head;
    if (head.type == type || type == static_cast<std::uint16_t>(Type::any))
      return Answer{{octets, head.body_octets}, head.records, head.unit_octets};
    octets += padded(head.body_octets);
  }
  return std::nullopt;
}

void append_records(const Name& owner, const std::uint8_t* octets, std::uint8_t count,
                    std::vector<Record>& records) {
  for (; count > 0; --count) {
    const vd_dns_set head = read_head(octets);
    const std::uint8_t* record = octets + sizeof head;
    for (std::uint16_t i = 0; i < head.records; ++i) {
      const std::uint8_t* data = record + kRecordHeadOctets;
      const std::size_t length = read16(record + 10);
      records.push_back(
          {owner, static_cast<Type>(head.type), read32(record + 6), {data, data + length}});
      record = data + length;
    }
    octets += sizeof head + padded(head.body_octets);
  }
}

std::size_t record_count(const std::uint8_t* octets, std::uint8_t count) {
  std::size_t records = 0;
  for (; count > 0; --count) {
    const vd_dns_set head = read_head(octets);
    records += head.records;
    octets += sizeof head + padded(head.body_octets);
  }
  return records;
}

std::size_t sets_octets(const std::uint8_t* octets, std::uint8_t count) {
  const std::uint8_t* at = octets;
  for (; count > 0; --count) at += sizeof(vd_dns_set) + padded(read_head(at).body_octets);
  return static_cast<std::size_t>(at - octets);
}

}  // namespace viaduct::dns
