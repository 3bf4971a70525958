#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "gossip/errors.h"
#include "gossip/rows.h"
#include "gossip/vip_message.h"

namespace viaduct::gossip {

/// Owners are told apart by the first octet of their id.
inline constexpr std::size_t kBuckets = 256;
inline std::size_t bucket_of(OwnerId owner) { return owner >> 56; }
using BucketSet = std::bitset<kBuckets>;

/// What a whole table amounts to: for each bucket the sum of hashes of its owners' versions.
class Digest {
 public:
  void add(const OwnerVersion& version) { sums_[bucket_of(version.owner)] += hash(version); }
  void remove(const OwnerVersion& version) { sums_[bucket_of(version.owner)] -= hash(version); }
  BucketSet differing(const Digest& other) const;

  std::array<std::uint64_t, kBuckets>& sums() { return sums_; }
  const std::array<std::uint64_t, kBuckets>& sums() const { return sums_; }
  bool operator==(const Digest&) const = default;

 private:
  static std::uint64_t hash(const OwnerVersion& version);

  std::array<std::uint64_t, kBuckets> sums_{};
};

/// VersionList that the sender has.
struct VersionList {
  BucketSet whole;  ///< of these buckets all owners are listed, so that an absent one is lacking
  std::vector<OwnerVersion> owners;  ///< by owner, each once

  bool operator==(const VersionList&) const = default;
};

/// Asks for the rows of owners, if newer than the version beside.
struct Pull {
  std::vector<OwnerVersion> have;  ///< by owner, each once; version.epoch 0: nothing

  bool operator==(const Pull&) const = default;
};

/// Rows of one owner, from `offset` on in the order of their keys.
struct RowsPart {
  OwnerVersion version;
  std::size_t offset = 0;
  std::size_t total = 0;
  std::vector<WireRow> rows;

  bool operator==(const RowsPart&) const = default;
};

struct RowsMessage {
  std::vector<RowsPart> parts;

  bool operator==(const RowsMessage&) const = default;
};

using SyncMessage = std::variant<Digest, VersionList, Pull, RowsMessage>;

base::Bytes encode(const Digest& digest);
base::Bytes encode(const VersionList& versions);
base::Bytes encode(const Pull& pull);

/// Writes rows of owners into messages of about kChunkOctets.
class RowsWriter {
 public:
  void put(const OwnerVersion& version, const Rows& rows);
  /// Octets written so far.
  std::size_t size() const { return done_octets_ + message_.size(); }
  std::vector<base::Bytes> finish();

 private:
  void end_message();

  base::Writer message_;
  std::size_t expanded_ = 0;  ///< octets of this message's rows with their keys whole
  std::vector<base::Bytes> done_;
  std::size_t done_octets_ = 0;
};

/// @errors Errc::truncated, malformed, unknown_type, too_large.
Decoded<SyncMessage> decode_sync(base::ByteView message);

}  // namespace viaduct::gossip
