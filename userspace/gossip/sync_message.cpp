#include "gossip/sync_message.h"

#include <utility>

#include "base/siphash.h"
#include "gossip/delta.h"
#include "gossip/errors.h"
#include "gossip/row_list.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

/// Published: the octets of "viaduct digest v1".
constexpr base::HashKey kDigestKey = {0x2074637564616976, 0x3176747365676964};

/// Rows that begin alike take little room on the wire; with whole keys they may become this much.
constexpr std::size_t kMaxExpandedOctets = 2 * kMaxOctetsPerOwner;
constexpr std::size_t kChunkExpandedOctets = kMaxOctetsPerOwner / 2;
constexpr std::size_t kHeaderOctets = 3;

base::Writer begin(VipKind kind) {
  base::Writer writer;
  writer.u8(kVipMagic);
  writer.u8(kVipFormat);
  writer.u8(static_cast<std::uint8_t>(kind));
  return writer;
}

void put_version(base::Writer& writer, const OwnerVersion& of) {
  writer.u64(of.owner);
  writer.varint(of.version.epoch);
  writer.varint(of.version.seq);
  writer.u64(of.version.hash);
}

OwnerVersion take_version(base::Reader& reader) {
  OwnerVersion of;
  of.owner = reader.u64();
  of.version.epoch = reader.varint();
  of.version.seq = reader.varint();
  of.version.hash = reader.u64();
  return of;
}

void put_versions(base::Writer& writer, const std::vector<OwnerVersion>& owners) {
  writer.varint(owners.size());
  for (const OwnerVersion& of : owners) put_version(writer, of);
}

/// @param zero_too  whether "nothing was ever published" may be among them.
std::vector<OwnerVersion> take_versions(base::Reader& reader, bool zero_too) {
  constexpr std::size_t kMinOctets = 8 + 1 + 1 + 8;
  const std::uint64_t count = reader.varint();
  if (count > kMaxOwners || count > reader.remaining() / kMinOctets) reader.fail();
  std::vector<OwnerVersion> owners;
  if (reader.failed()) return owners;
  owners.reserve(count);
  for (std::uint64_t i = 0; i < count && !reader.failed(); i++) {
    const OwnerVersion of = take_version(reader);
    const bool grows = owners.empty() || owners.back().owner < of.owner;
    if (!grows || !(valid(of.version) || (zero_too && of.version == TableVersion{}))) reader.fail();
    owners.push_back(of);
  }
  return owners;
}

Decoded<SyncMessage> finish(const base::Reader& reader, SyncMessage message) {
  if (reader.failed()) return Errc::malformed;
  return message;  // what follows is of a later version
}

Decoded<SyncMessage> decode_digest(base::Reader& reader) {
  Digest digest;
  for (std::uint64_t& sum : digest.sums()) sum = reader.u64();
  return finish(reader, digest);
}

Decoded<SyncMessage> decode_versions(base::Reader& reader) {
  VersionList versions;
  for (std::size_t octet = 0; octet < kBuckets / 8; octet++) {
    const std::uint8_t bits = reader.u8();
    for (std::size_t bit = 0; bit < 8; bit++) versions.whole[8 * octet + bit] = (bits >> bit) & 1;
  }
  versions.owners = take_versions(reader, false);
  return finish(reader, std::move(versions));
}

/// @param octets  of all rows of the message so far.
RowsPart take_part(base::Reader& reader, std::size_t& octets) {
  RowsPart part;
  part.version = take_version(reader);
  part.offset = reader.varint();
  part.total = reader.varint();
  const std::uint64_t count = reader.varint();
  if (!valid(part.version.version) || part.total > kMaxRowsPerOwner || part.offset > part.total ||
      count > part.total - part.offset || (count == 0 && part.total != 0) ||
      count > reader.remaining())
    reader.fail();
  if (reader.failed()) return part;
  RowListReader rows(reader);
  for (std::uint64_t i = 0; i < count; i++) {
    const auto row = rows.next();
    if (!row || !row->value) {
      reader.fail();
      break;
    }
    octets += row->key.size() + row->value->size();
    if (octets > kMaxExpandedOctets) {
      reader.fail();
      break;
    }
    part.rows.emplace_back(row->key, *row->value);
  }
  return part;
}

Decoded<SyncMessage> decode_rows(base::Reader& reader) {
  RowsMessage message;
  std::size_t octets = 0;
  while (reader.remaining() > 0 && !reader.failed()) {
    if (message.parts.size() == kMaxOwners) return Errc::too_large;
    message.parts.push_back(take_part(reader, octets));
  }
  if (octets > kMaxExpandedOctets) return Errc::too_large;
  return finish(reader, std::move(message));
}

}  // namespace

std::uint64_t Digest::hash(const OwnerVersion& of) {
  base::Writer writer;
  for (const std::uint64_t word : {of.owner, of.version.epoch, of.version.seq, of.version.hash})
    writer.u64(word);
  return base::siphash(kDigestKey, writer.bytes());
}

BucketSet Digest::differing(const Digest& other) const {
  BucketSet buckets;
  for (std::size_t i = 0; i < kBuckets; i++) buckets[i] = sums_[i] != other.sums_[i];
  return buckets;
}

base::Bytes encode(const Digest& digest) {
  base::Writer writer = begin(VipKind::digest);
  for (const std::uint64_t sum : digest.sums()) writer.u64(sum);
  return std::move(writer).take();
}

base::Bytes encode(const VersionList& versions) {
  base::Writer writer = begin(VipKind::versions);
  for (std::size_t octet = 0; octet < kBuckets / 8; octet++) {
    unsigned bits = 0;
    for (std::size_t bit = 0; bit < 8; bit++)
      bits |= (versions.whole[8 * octet + bit] ? 1U : 0U) << bit;
    writer.u8(static_cast<std::uint8_t>(bits));
  }
  put_versions(writer, versions.owners);
  return std::move(writer).take();
}

base::Bytes encode(const Pull& pull) {
  base::Writer writer = begin(VipKind::pull);
  put_versions(writer, pull.have);
  return std::move(writer).take();
}

void RowsWriter::put(const OwnerVersion& version, const Rows& rows) {
  std::size_t offset = 0;
  auto row = rows.list().begin();
  do {
    if (message_.size() == 0) message_ = begin(VipKind::rows);
    base::Writer body;
    RowListWriter list(body);
    std::size_t count = 0;
    while (row != rows.list().end() && message_.size() + body.size() < kChunkOctets &&
           expanded_ < kChunkExpandedOctets) {
      list.put(*row);
      expanded_ += row->size();
      ++row;
      count++;
    }
    if (count > 0 || rows.size() == 0) {
      put_version(message_, version);
      message_.varint(offset);
      message_.varint(rows.size());
      message_.varint(count);
      message_.put(body.bytes());
    }
    offset += count;
    if (row != rows.list().end()) end_message();
  } while (row != rows.list().end());
}

void RowsWriter::end_message() {
  done_octets_ += message_.size();
  done_.push_back(std::move(message_).take());
  message_ = {};
  expanded_ = 0;
}

std::vector<base::Bytes> RowsWriter::finish() {
  if (message_.size() > 0) end_message();
  return std::exchange(done_, {});
}

Decoded<SyncMessage> decode_sync(base::ByteView octets) {
  const auto kind = vip_kind(octets);
  if (!kind) return kind.error();
  if (octets.size() > kMaxSyncOctets) return Errc::too_large;
  base::Reader reader(octets.subspan(kHeaderOctets));
  switch (*kind) {
    case VipKind::digest:
      return decode_digest(reader);
    case VipKind::versions:
      return decode_versions(reader);
    case VipKind::pull:
      return finish(reader, Pull{take_versions(reader, true)});
    case VipKind::rows:
      return decode_rows(reader);
    case VipKind::delta:
    case VipKind::batch:
      break;
  }
  return Errc::unknown_type;
}

}  // namespace viaduct::gossip
