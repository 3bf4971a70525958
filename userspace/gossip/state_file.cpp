#include "gossip/state_file.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "base/siphash.h"
#include "gossip/errors.h"
#include "gossip/row_list.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

constexpr std::string_view kMagic = "vdtable1";
/// Published: the octets of "viaduct state v1"; it finds damage, it is no seal.
constexpr base::HashKey kStateKey = {0x2074637564616976, 0x3176206574617473};
constexpr std::size_t kSealOctets = 8;
constexpr std::size_t kMaxNameOctets = 255;
/// Nobody cares how much older.
constexpr std::uint64_t kMaxAgeSeconds = std::uint64_t{100} * 365 * 86400;

struct Restored {
  std::string name;
  TableVersion version;
  std::chrono::seconds age{0};
  std::vector<WireRow> rows;
};

void write_record(base::Writer& writer, const OwnerRecord& record, bool with_rows, base::Time now) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - record.updated).count();
  writer.counted(base::as_bytes(record.name));
  writer.varint(record.version.epoch);
  writer.varint(record.version.seq);
  writer.u64(record.version.hash);
  writer.varint(static_cast<std::uint64_t>(std::max<std::int64_t>(age, 0)));
  writer.varint(with_rows ? record.rows.size() : 0);
  if (!with_rows) return;
  RowListWriter rows(writer);
  for (const WireRow& row : record.rows.list()) rows.put(row);
}

Restored read_record(base::Reader& reader) {
  Restored record;
  record.name = base::as_text(reader.counted(kMaxNameOctets));
  record.version.epoch = reader.varint();
  record.version.seq = reader.varint();
  record.version.hash = reader.u64();
  record.age = std::chrono::seconds(std::min(reader.varint(), kMaxAgeSeconds));
  const std::uint64_t count = reader.varint();
  if (record.name.empty() || count > kMaxRowsPerOwner || count > reader.remaining()) reader.fail();
  RowListReader rows(reader);
  std::size_t octets = 0;
  for (std::uint64_t i = 0; i < count && !reader.failed(); i++) {
    const auto row = rows.next();
    if (!row || !row->value) {
      reader.fail();
      break;
    }
    octets += row->key.size() + row->value->size();
    if (octets > kMaxOctetsPerOwner) reader.fail();
    record.rows.emplace_back(row->key, *row->value);
  }
  return record;
}

}  // namespace

std::uint64_t state_seal(base::ByteView body) { return base::siphash(kStateKey, body); }

base::Bytes write_state(const Store& store, base::Time now) {
  const auto counts = [](const OwnerRecord& record) {
    return record.standing != Standing::stranger && record.version.seq > 0;
  };
  base::Writer writer;
  writer.put(base::as_bytes(kMagic));
  writer.varint(static_cast<std::uint64_t>(
      std::count_if(store.owners().begin(), store.owners().end(),
                    [&](const auto& owner) { return counts(owner.second); })));
  for (const auto& [owner, record] : store.owners())
    if (counts(record)) write_record(writer, record, owner != store.id(), now);
  writer.u64(state_seal(writer.bytes()));
  return std::move(writer).take();
}

base::Result<std::size_t> read_state(base::ByteView file, base::Duration age, Store& store,
                                     base::Time now) {
  const auto error = [](Errc code) { return base::Error{code, "the table's state file"}; };
  if (file.size() > kMaxStateOctets) return error(Errc::too_large);
  if (file.size() < kMagic.size() + 1 + kSealOctets) return error(Errc::truncated);
  const base::ByteView body = file.first(file.size() - kSealOctets);
  if (base::Reader(file.last(kSealOctets)).u64() != state_seal(body) ||
      base::as_text(body.first(kMagic.size())) != kMagic)
    return error(Errc::malformed);
  base::Reader reader(body.subspan(kMagic.size()));
  const std::uint64_t count = reader.varint();
  if (count > kMaxOwners) return error(Errc::too_large);
  std::vector<Restored> records;
  for (std::uint64_t i = 0; i < count && !reader.failed(); i++)
    records.push_back(read_record(reader));
  if (!reader.done()) return error(Errc::malformed);
  std::size_t restored = 0;
  for (Restored& record : records)
    if (store.restore(record.name, record.version, Rows(std::move(record.rows)),
                      std::max(age, base::Duration::zero()) + record.age, now))
      restored++;
  return restored;
}

}  // namespace viaduct::gossip
