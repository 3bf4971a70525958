#include "gossip/delta.h"

#include <optional>
#include <string>
#include <utility>

#include "gossip/errors.h"
#include "gossip/row_list.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

constexpr std::size_t kHeaderOctets = 3;

void write_header(base::Writer& writer, const Delta& delta, bool partial) {
  writer.u8(kVipMagic);
  writer.u8(kVipFormat);
  writer.u8(static_cast<std::uint8_t>(VipKind::delta));
  writer.u64(delta.owner);
  writer.varint(delta.version.epoch);
  writer.varint(delta.version.seq);
  writer.varint(partial ? 0 : delta.version.seq - delta.base);
  writer.u64(delta.version.hash);
}

/// Absent: it does not fit.
std::optional<base::Bytes> encode_whole(const Delta& delta, std::size_t budget) {
  base::Writer writer;
  write_header(writer, delta, delta.partial);
  RowListWriter rows(writer);
  for (const RowChange& change : delta.changes) {
    rows.put(change.key, change.value);
    if (writer.size() > budget) return std::nullopt;
  }
  return std::move(writer).take();
}

/// Both lists in one; where both speak of a key the newer one does.
std::vector<RowChange> join(const std::vector<RowChange>& older,
                            const std::vector<RowChange>& newer) {
  std::vector<RowChange> all;
  all.reserve(older.size() + newer.size());
  auto old = older.begin();
  auto now = newer.begin();
  while (old != older.end() || now != newer.end()) {
    if (now == newer.end() || (old != older.end() && old->key < now->key)) {
      all.push_back(*old++);
    } else {
      if (old != older.end() && old->key == now->key) ++old;
      all.push_back(*now++);
    }
  }
  return all;
}

}  // namespace

Decoded<VipKind> vip_kind(base::ByteView message) {
  if (message.size() < kHeaderOctets) return Errc::truncated;
  if (message[0] != kVipMagic || message[1] != kVipFormat || message[2] == 0 ||
      message[2] > static_cast<std::uint8_t>(VipKind::batch))
    return Errc::unknown_type;
  return static_cast<VipKind>(message[2]);
}

Decoded<OwnerId> delta_owner(base::ByteView message) {
  const auto kind = vip_kind(message);
  if (!kind) return kind.error();
  if (*kind != VipKind::delta) return Errc::unknown_type;
  base::Reader reader(message.subspan(kHeaderOctets));
  const OwnerId owner = reader.u64();
  if (reader.failed()) return Errc::truncated;
  return owner;
}

base::Bytes encode_delta(const Delta& delta, std::size_t budget) {
  if (auto whole = encode_whole(delta, budget)) return std::move(*whole);
  base::Writer partial;
  write_header(partial, delta, true);
  return std::move(partial).take();
}

Decoded<Delta> decode_delta(base::ByteView message) {
  const auto kind = vip_kind(message);
  if (!kind) return kind.error();
  if (*kind != VipKind::delta) return Errc::unknown_type;
  base::Reader reader(message.subspan(kHeaderOctets));
  Delta delta;
  delta.owner = reader.u64();
  delta.version.epoch = reader.varint();
  delta.version.seq = reader.varint();
  const std::uint64_t steps = reader.varint();
  delta.version.hash = reader.u64();
  if (reader.failed()) return Errc::truncated;
  if (!valid(delta.version) || steps > delta.version.seq) return Errc::malformed;
  delta.partial = steps == 0;
  delta.base = delta.partial ? 0 : delta.version.seq - steps;
  if (delta.partial) return delta;  // what follows is of a later version
  RowListReader rows(reader);
  std::size_t octets = 0;
  while (reader.remaining() > 0) {
    const auto row = rows.next();
    if (!row) return Errc::malformed;
    octets += row->key.size() + (row->value ? row->value->size() : 0);
    if (delta.changes.size() == kMaxChanges || octets > kMaxOctetsPerOwner) return Errc::too_large;
    RowChange& change = delta.changes.emplace_back(std::string(row->key));
    if (row->value) change.value.emplace(*row->value);
  }
  if (reader.failed()) return Errc::malformed;
  return delta;
}

Delta join(const Delta& older, const Delta& newer, std::size_t budget) {
  if (newer.version < older.version) return join(newer, older, budget);
  if (newer.version == older.version && older.partial < newer.partial) return older;
  const bool meet = !older.partial && !newer.partial &&
                    older.version.epoch == newer.version.epoch && older.base < newer.base &&
                    newer.base <= older.version.seq;
  if (!meet) return newer;
  Delta both{newer.owner, older.base, newer.version, false, join(older.changes, newer.changes)};
  return encode_whole(both, budget) ? both : newer;
}

}  // namespace viaduct::gossip
