#include "gossip/rows.h"

#include <set>
#include <string>
#include <utility>

#include "base/siphash.h"
#include "gossip/errors.h"
#include "gossip/row_codec.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

/// Published, for all nodes need the same: the octets of "viaduct owner id" and "viaduct row hash".
constexpr base::HashKey kOwnerKey = {0x2074637564616976, 0x64692072656e776f};
constexpr base::HashKey kRowKey = {0x2074637564616976, 0x6873616820776f72};

}  // namespace

OwnerId owner_id(std::string_view name) { return base::siphash(kOwnerKey, base::as_bytes(name)); }

std::uint64_t WireRow::hash() const {
  // The key's length is in it, so that no octet moves between key and value unseen.
  return base::siphash({kRowKey[0] ^ key_size_, kRowKey[1]}, base::as_bytes(octets_));
}

Rows::Rows(std::vector<WireRow> rows) : list_(std::move(rows)) {
  std::string_view vip;
  for (const WireRow& row : list_) {
    octets_ += row.size();
    hash_ += row.hash();
    const std::string_view prefix = vip_prefix(row.key());
    if (!prefix.empty() && prefix != vip) vips_++;
    vip = prefix;
  }
}

bool Rows::has_vip(std::string_view prefix) const {
  const auto first = list_.lower_bound(prefix);
  return first != list_.end() && vip_prefix(first->key()) == prefix;
}

Rows Rows::changed(std::span<const RowChange> changes) const {
  Rows next = *this;
  List::Editor editor(std::move(next.list_));
  std::set<std::string_view> vips;
  for (const RowChange& change : changes) {
    const WireRow* before = list_.find(change.key);
    if (before) {
      next.hash_ -= before->hash();
      next.octets_ -= before->size();
    }
    if (change.value) {
      WireRow row(change.key, *change.value);
      next.hash_ += row.hash();
      next.octets_ += row.size();
      editor.put(std::move(row));
    } else if (before) {
      editor.remove(change.key);
    }
    if ((before != nullptr) == change.value.has_value()) continue;
    if (const std::string_view vip = vip_prefix(change.key); !vip.empty()) vips.insert(vip);
  }
  next.list_ = editor.finish();
  for (const std::string_view vip : vips) {
    next.vips_ += next.has_vip(vip) ? 1U : 0U;
    next.vips_ -= has_vip(vip) ? 1U : 0U;
  }
  return next;
}

base::Result<void> Rows::check() const {
  const auto over = [](std::size_t found, std::size_t limit, const char* what) {
    return base::Error{Errc::too_large, std::to_string(found) + what + " are more than the " +
                                            std::to_string(limit) + " that a node may publish"};
  };
  if (size() > kMaxRowsPerOwner) return over(size(), kMaxRowsPerOwner, " rows");
  if (vips_ > kMaxVipsPerOwner) return over(vips_, kMaxVipsPerOwner, " VIPs");
  if (octets_ > kMaxOctetsPerOwner) return over(octets_, kMaxOctetsPerOwner, " octets");
  return {};
}

}  // namespace viaduct::gossip
