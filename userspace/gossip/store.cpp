#include "gossip/store.h"

#include <algorithm>

#include "gossip/errors.h"
#include "gossip/table_limits.h"

namespace viaduct::gossip {
namespace {

/// Rows that do not come are asked for so often, and then left to the next sync.
constexpr int kMaxAsks = 5;
/// Owners that one tick asks for.
constexpr std::size_t kMaxOverdue = 256;

bool has_rows(const TableVersion& version) { return version.seq > 0; }

}  // namespace

Store::Store(std::string name, std::uint64_t epoch)
    : name_(std::move(name)),
      id_(owner_id(name_)),
      epoch_(std::clamp(epoch, std::uint64_t{1}, kMaxStep)) {
  OwnerRecord& record = owners_[id_];
  record.name = name_;
  record.standing = Standing::member;
}

base::Result<TableVersion> Store::publish(std::vector<RowChange> changes, base::Time now) {
  OwnerRecord& record = owners_.at(id_);
  std::erase_if(changes, [&](const RowChange& change) {
    const WireRow* row = record.rows.list().find(change.key);
    return row ? change.value && row->value() == *change.value : !change.value;
  });
  const bool first = !has_rows(record.version);
  if (changes.empty() && !first) return record.version;
  Rows rows = record.rows.changed(changes);
  if (auto fits = rows.check(); !fits) return fits.error();
  TableVersion version = record.version;
  if (first) version.epoch = epoch_;
  version.seq++;
  version.hash = rows.hash();
  own_delta_.add(changes, version.seq);
  set_rows(id_, record, version, std::move(rows), now);
  return version;
}

std::optional<Delta> Store::take_delta(std::size_t budget) {
  const OwnerRecord& record = own();
  return own_delta_.take(id_, record.version, record.rows, budget);
}

/// Others have rows of ours that we do not know: from a life before a restart, or from a second
/// node of our name. Ours win with a larger epoch.
void Store::see_own(const TableVersion& seen, base::Time now) {
  OwnerRecord& record = owners_.at(id_);
  if (seen <= record.version || seen.epoch >= kMaxStep) return;
  if (seen.same_step(record.version)) {
    record.cloned = true;
    counters_.clones++;
  }
  record.heard = std::max(record.heard, seen);
  contested_ = std::max(contested_, seen);
  begin_epoch(now);
}

void Store::begin_epoch(base::Time now) {
  OwnerRecord& record = owners_.at(id_);
  if (contested_ <= record.version) return;
  if (epoch_began_ && now - *epoch_began_ < kEpochPause) return;
  epoch_ = std::max(epoch_, contested_.epoch + 1);
  contested_ = {};
  counters_.own_epochs++;
  if (!has_rows(record.version)) return;  // nothing published: that is left to publish()
  epoch_began_ = now;
  set_rows(id_, record, {epoch_, 1, record.rows.hash()}, record.rows, now);
  own_delta_.restart(record.rows, 1);
}

bool Store::member_alive(const std::string& name, base::Time now) {
  const OwnerId owner = owner_id(name);
  if (owner == id_) return true;
  const auto known = owners_.find(owner);
  if (known == owners_.end() && owners_.size() >= kMaxOwners) return false;
  OwnerRecord& record = known == owners_.end() ? owners_[owner] : known->second;
  if (known == owners_.end()) strangers_++;  // for as long as it takes to be introduced
  if (!record.name.empty() && record.name != name) return false;  // two names of one hash
  record.name = name;
  if (record.standing != Standing::member) set_standing(owner, record, Standing::member, now);
  if (first_contact_) return true;
  first_contact_ = now;
  for (const auto& [other, restored] : owners_)
    if (restored.standing == Standing::restored) deadlines_.emplace(now + kRetention, other);
  return true;
}

void Store::member_gone(const std::string& name, base::Time now) {
  const auto known = owners_.find(owner_id(name));
  if (known == owners_.end() || known->first == id_ || known->second.name != name) return;
  if (known->second.standing != Standing::gone)
    set_standing(known->first, known->second, Standing::gone, now);
}

OwnerRecord* Store::admit(OwnerId owner, base::Time now) {
  if (const auto known = owners_.find(owner); known != owners_.end()) return &known->second;
  if (strangers_ >= kMaxStrangers || owners_.size() >= kMaxOwners) return nullptr;
  OwnerRecord& record = owners_[owner];
  record.since = now;
  strangers_++;
  deadlines_.emplace(now + kStrangerGrace, owner);
  return &record;
}

void Store::count_digest(OwnerId owner, const OwnerRecord& record, bool in) {
  if (record.standing == Standing::stranger || !has_rows(record.version)) return;
  if (in)
    digest_.add({owner, record.version});
  else
    digest_.remove({owner, record.version});
}

void Store::set_rows(OwnerId owner, OwnerRecord& record, const TableVersion& version, Rows rows,
                     base::Time now) {
  if (has_rows(record.version) && version.epoch > record.version.epoch + kOddEpochJump)
    counters_.odd_epochs++;
  count_digest(owner, record, false);
  record.version = version;
  record.rows = std::move(rows);
  record.updated = now;
  record.asks = 0;
  record.heard = std::max(record.heard, version);
  count_digest(owner, record, true);
  if (record.heard == version) wanted_.erase(owner);
  changed_.insert(owner);
}

void Store::set_standing(OwnerId owner, OwnerRecord& record, Standing standing, base::Time now) {
  count_digest(owner, record, false);
  if (record.standing == Standing::stranger) strangers_--;
  record.standing = standing;
  record.since = now;
  count_digest(owner, record, true);
  if (standing == Standing::gone) deadlines_.emplace(now + kRetention, owner);
  changed_.insert(owner);
}

void Store::drop(OwnerId owner) {
  const auto known = owners_.find(owner);
  count_digest(owner, known->second, false);
  if (known->second.standing == Standing::stranger)
    strangers_--;
  else
    counters_.dropped++;
  if (const auto shown = shown_.find(owner); shown != shown_.end()) {
    dropped_.push_back(std::move(shown->second));
    shown_.erase(shown);
  }
  wanted_.erase(owner);
  changed_.erase(owner);
  owners_.erase(known);
}

void Store::expire(base::Time now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const OwnerId owner = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const auto known = owners_.find(owner);
    if (known == owners_.end()) continue;
    const OwnerRecord& record = known->second;
    const base::Duration age = now - record.since;
    const bool due = record.standing == Standing::stranger   ? age >= kStrangerGrace
                     : record.standing == Standing::gone     ? age >= kRetention
                     : record.standing == Standing::restored ? first_contact_.has_value()
                                                             : false;
    if (due) drop(owner);
  }
}

Applied Store::refuse(base::Error reason) {
  counters_.refused++;
  return {Applied::Outcome::refused, false, false, std::move(reason)};
}

bool Store::may_ask(const OwnerRecord& record, base::Time now) const {
  return record.asks == 0 || now - record.asked >= kPullPatience;
}

Applied Store::on_gap(OwnerId owner, OwnerRecord& record, const Delta& delta, base::Time now) {
  counters_.gaps++;
  Applied result{Applied::Outcome::gap, false, false, {}};
  if (delta.version > record.heard) {
    record.heard = delta.version;
    // A list helps those who lack less. Who relays a partial delta is asked for the rows.
    result.relay = !delta.partial;
    record.relay_partial = delta.partial;
  }
  result.pull = may_ask(record, now);
  if (!result.pull) return result;
  record.asked = now;
  record.asks++;
  wanted_.insert(owner);
  return result;
}

Applied Store::apply(const Delta& delta, base::Time now) {
  if (!valid(delta.version)) return refuse({Errc::malformed, "a delta of no possible version"});
  if (delta.owner == id_) {
    see_own(delta.version, now);
    counters_.known++;
    return {};
  }
  OwnerRecord* record = admit(delta.owner, now);
  if (!record) return refuse({Errc::unknown_owner, "too many owners that are no members"});
  if (delta.version <= record->version) {
    counters_.known++;
    if (delta.version.same_step(record->version) && delta.version != record->version) {
      record->cloned = true;
      counters_.clones++;
    }
    return {};
  }
  const bool same_epoch = delta.version.epoch == record->version.epoch;
  const bool fits = !delta.partial && (same_epoch ? delta.base <= record->version.seq &&
                                                        record->version.seq < delta.version.seq
                                                  : delta.base == 0);
  if (!fits) return on_gap(delta.owner, *record, delta, now);
  Rows rows = (same_epoch ? record->rows : Rows{}).changed(delta.changes);
  if (rows.hash() != delta.version.hash) return on_gap(delta.owner, *record, delta, now);
  if (auto checked = rows.check(); !checked)
    return refuse({Errc::too_large, record->name + ": " + checked.error().context});
  const bool news =
      delta.version > record->heard || (record->relay_partial && delta.version == record->heard);
  record->relay_partial = false;
  set_rows(delta.owner, *record, delta.version, std::move(rows), now);
  counters_.applied++;
  return {Applied::Outcome::applied, news, false, {}};
}

std::vector<OwnerId> Store::on_tick(base::Time now) {
  expire(now);
  assembly_.expire(now);
  begin_epoch(now);
  std::vector<OwnerId> overdue;
  for (auto next = wanted_.begin(); next != wanted_.end() && overdue.size() < kMaxOverdue;) {
    const OwnerId owner = *next++;
    OwnerRecord& record = owners_.at(owner);
    if (!may_ask(record, now)) continue;
    if (record.asks >= kMaxAsks) {
      wanted_.erase(owner);
      continue;
    }
    record.asked = now;
    record.asks++;
    overdue.push_back(owner);
  }
  return overdue;
}

std::vector<OwnerChange> Store::take_changes() {
  std::vector<OwnerChange> changes;
  for (Shown& gone : dropped_) {
    OwnerChange& change = changes.emplace_back(OwnerChange{std::move(gone.owner), true, {}, {}});
    change.removed.assign(gone.rows.list().begin(), gone.rows.list().end());
  }
  dropped_.clear();
  for (const OwnerId owner : std::exchange(changed_, {})) {
    const OwnerRecord& record = owners_.at(owner);
    if (record.standing == Standing::stranger) continue;
    Shown& shown = shown_[owner];
    OwnerChange change{record.name, false, {}, {}};
    Rows::List::compare(shown.rows.list(), record.rows.list(),
                        [&](const WireRow* before, const WireRow* after) {
                          if (before) change.removed.push_back(*before);
                          if (after) change.added.push_back(*after);
                        });
    shown = {record.name, record.rows};
    if (!change.removed.empty() || !change.added.empty()) changes.push_back(std::move(change));
  }
  return changes;
}

bool Store::restore(const std::string& name, const TableVersion& version, Rows rows,
                    base::Duration age, base::Time now) {
  const OwnerId owner = owner_id(name);
  if (!valid(version)) return false;
  if (owner == id_) {
    epoch_ = std::max(epoch_, std::min(version.epoch + 1, kMaxStep));
    return false;
  }
  if (version.hash != rows.hash() || !rows.check()) return false;
  if (owners_.size() >= kMaxOwners || owners_.contains(owner)) return false;
  OwnerRecord& record = owners_[owner];
  record.name = name;
  strangers_++;
  set_standing(owner, record, Standing::restored, now);
  set_rows(owner, record, version, std::move(rows), now - age);
  return true;
}

const OwnerRecord* Store::find(const std::string& name) const {
  const auto known = owners_.find(owner_id(name));
  return known == owners_.end() || known->second.name != name ? nullptr : &known->second;
}

}  // namespace viaduct::gossip
