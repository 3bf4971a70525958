// The table's side of a sync: digest -> versions -> pull and offer -> rows, each answered from the
// table alone.

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "gossip/errors.h"
#include "gossip/store.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

bool can_offer(const OwnerRecord& record) {
  return record.standing != Standing::stranger && record.version.seq > 0;
}

bool by_owner(const OwnerVersion& one, const OwnerVersion& other) {
  return one.owner < other.owner;
}

}  // namespace

base::Bytes Store::pull(std::span<const OwnerId> owners, base::Time now) {
  Pull wanted;
  for (const OwnerId owner : owners) {
    const auto known = owners_.find(owner);
    if (known == owners_.end() || owner == id_) continue;
    known->second.asked = now;
    wanted.have.push_back({owner, known->second.version});
  }
  std::sort(wanted.have.begin(), wanted.have.end(), by_owner);
  wanted.have.erase(std::unique(wanted.have.begin(), wanted.have.end()), wanted.have.end());
  return encode(wanted);
}

Synced Store::on_sync(base::ByteView octets, base::Time now) {
  Synced synced;
  auto message = decode_sync(octets);
  if (!message) {
    counters_.refused++;
    synced.refused.push_back({message.error(), {}});
    return synced;
  }
  if (const auto* digest = std::get_if<Digest>(&*message))
    on_digest(*digest, synced);
  else if (const auto* versions = std::get_if<VersionList>(&*message))
    on_versions(*versions, now, synced);
  else if (const auto* pulled = std::get_if<Pull>(&*message))
    on_pull(*pulled, synced);
  else
    on_rows(std::get<RowsMessage>(std::move(*message)), now, synced);
  return synced;
}

/// Equal tables are answered too, with a list of nothing: so the peer knows.
void Store::on_digest(const Digest& digest, Synced& synced) const {
  VersionList versions;
  versions.whole = digest_.differing(digest);
  if (versions.whole.any()) {
    for (const auto& [owner, record] : owners_)
      if (versions.whole[bucket_of(owner)] && can_offer(record))
        versions.owners.push_back({owner, record.version});
    std::sort(versions.owners.begin(), versions.owners.end(), by_owner);
  }
  synced.replies.push_back(encode(versions));
}

/// Whether a version that a peer has should come here.
bool Store::wants(const OwnerVersion& offered, base::Time now) {
  if (offered.owner == id_) {
    see_own(offered.version, now);
    return false;
  }
  OwnerRecord* record = admit(offered.owner, now);
  if (!record || offered.version <= record->version) return false;
  record->asked = now;
  record->asks = std::max(record->asks, 1);
  return true;
}

void Store::on_versions(const VersionList& versions, base::Time now, Synced& synced) {
  Pull wanted;
  VersionList offer;
  for (const OwnerVersion& theirs : versions.owners) {
    const bool wanting = wants(theirs, now);
    const auto known = owners_.find(theirs.owner);
    if (known == owners_.end()) continue;
    const OwnerVersion ours{theirs.owner, known->second.version};
    if (wanting)
      wanted.have.push_back(ours);
    else if (theirs.version < ours.version && can_offer(known->second))
      offer.owners.push_back(ours);
  }
  if (versions.whole.any()) {
    for (const auto& [owner, record] : owners_)
      if (versions.whole[bucket_of(owner)] && can_offer(record) &&
          !std::binary_search(versions.owners.begin(), versions.owners.end(),
                              OwnerVersion{owner, {}}, by_owner))
        offer.owners.push_back({owner, record.version});
    std::sort(offer.owners.begin(), offer.owners.end(), by_owner);
  }
  if (!wanted.have.empty()) synced.replies.push_back(encode(wanted));
  if (!offer.owners.empty()) synced.replies.push_back(encode(offer));
}

/// An answer has bounds: what is left is offered once more, and asked for by the next pull.
void Store::on_pull(const Pull& pull, Synced& synced) const {
  RowsWriter rows;
  VersionList left;
  for (const OwnerVersion& have : pull.have) {
    const auto known = owners_.find(have.owner);
    if (known == owners_.end() || known->second.version <= have.version) continue;
    const OwnerVersion ours{have.owner, known->second.version};
    if (rows.size() < kAnswerOctets)
      rows.put(ours, known->second.rows);
    else
      left.owners.push_back(ours);
  }
  synced.replies = rows.finish();
  if (!left.owners.empty()) synced.replies.push_back(encode(left));
}

void Store::on_rows(RowsMessage message, base::Time now, Synced& synced) {
  for (RowsPart& part : message.parts) {
    const OwnerVersion of = part.version;
    if (of.owner == id_) {
      see_own(of.version, now);
      continue;
    }
    if (auto rows = assembly_.add(std::move(part), now))
      take_snapshot(of, std::move(*rows), now, synced);
  }
}

void Store::take_snapshot(const OwnerVersion& of, std::vector<WireRow> rows, base::Time now,
                          Synced& synced) {
  OwnerRecord* record = admit(of.owner, now);
  const auto refuse = [&](Errc code, std::string why) {
    counters_.refused++;
    synced.refused.push_back({code, std::move(why)});
  };
  if (!record) return refuse(Errc::unknown_owner, "too many owners that are no members");
  if (of.version <= record->version) return;
  Rows next(std::move(rows));
  if (next.hash() != of.version.hash)
    return refuse(Errc::malformed, record->name + ": rows that are not of their version");
  if (auto checked = next.check(); !checked)
    return refuse(Errc::too_large, record->name + ": " + checked.error().context);
  if (of.version.same_step(record->version)) {
    record->cloned = true;
    counters_.clones++;
  }
  const bool unheard = record->heard < of.version;
  set_rows(of.owner, *record, of.version, std::move(next), now);
  counters_.snapshots++;
  if (unheard) synced.found.push_back({of.owner, 0, of.version, true, {}});
  if (!record->relay_partial || record->heard != of.version) return;
  record->relay_partial = false;
  synced.relays.push_back({of.owner, 0, of.version, true, {}});
}

}  // namespace viaduct::gossip
