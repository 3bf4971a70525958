#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "gossip/assembly.h"
#include "gossip/own_delta.h"
#include "gossip/rows.h"
#include "gossip/sync_message.h"
#include "gossip/vip_message.h"

namespace viaduct::gossip {

/// What an owner is to the table.
enum class Standing : std::uint8_t {
  member,    ///< in the member list, alive or suspect
  gone,      ///< it died or left; its rows stay for kRetention
  restored,  ///< from a state file, not heard of since the start
  stranger,  ///< its rows came before the news that it is a member, or it is none
};

/// One owner's place in the table.
struct OwnerRecord {
  std::string name;  ///< "" of a stranger
  Standing standing = Standing::stranger;
  base::Time since;      ///< it has this standing
  TableVersion version;  ///< epoch 0: no rows known
  Rows rows;
  base::Time updated;          ///< the version came
  TableVersion heard;          ///< the newest version that anybody spoke of
  base::Time asked;            ///< its rows were asked for
  int asks = 0;                ///< since the last rows came
  bool relay_partial = false;  ///< others are to be told of `heard` when it is here
  bool cloned = false;         ///< two nodes write under this name
};

/// Rows of one owner that came and went.
struct OwnerChange {
  std::string owner;
  bool dropped = false;  ///< the table knows the owner no more
  std::vector<WireRow> removed;
  std::vector<WireRow> added;
};

struct StoreCounters {
  std::uint64_t applied = 0;     ///< deltas
  std::uint64_t known = 0;       ///< deltas that said nothing new
  std::uint64_t gaps = 0;        ///< deltas that what is here is too old for, or without a list
  std::uint64_t refused = 0;     ///< deltas and snapshots that are wrong or of too many strangers
  std::uint64_t snapshots = 0;   ///< taken from peers
  std::uint64_t dropped = 0;     ///< owners forgotten
  std::uint64_t own_epochs = 0;  ///< begun because others knew newer rows of ours
  std::uint64_t clones = 0;      ///< versions seen with two contents
  std::uint64_t odd_epochs = 0;  ///< epochs that jumped by more than kOddEpochJump
};

/// What apply() did with a delta.
struct Applied {
  enum class Outcome : std::uint8_t { applied, known, gap, refused };
  Outcome outcome = Outcome::known;
  bool relay = false;  ///< send it on: it was news
  bool pull = false;   ///< ask who told it for the owner's rows
  base::Error reason;  ///< of a refusal
};

/// What on_sync() did with a message.
struct Synced {
  std::vector<base::Bytes> replies;  ///< for the peer, in this order
  std::vector<Delta> relays;         ///< to be queued: owners whose rows are here at last
  std::vector<Delta> found;          ///< of newer rows that gossip did not speak of
  std::vector<base::Error> refused;
};

/// The VIP table: what each owner publishes, in the newest version that is known here. Tables that
/// have heard of the same versions are equal, in whatever order and by whatever way these came.
class Store {
 public:
  /// @param name  of this node.
  /// @param epoch  of our first version; one more than what is remembered from earlier lives.
  Store(std::string name, std::uint64_t epoch);

  const std::string& name() const { return name_; }
  OwnerId id() const { return id_; }

  /// Changes our own rows. The first call publishes even if it changes nothing: until then peers
  /// keep what they have from an earlier life.
  /// @errors Errc::too_large: over a limit; the rows stay as they were.
  base::Result<TableVersion> publish(std::vector<RowChange> changes, base::Time now);
  /// The delta of our rows to queue, in place of the one before; absent: nothing is new.
  std::optional<Delta> take_delta(std::size_t budget);
  /// The last delta taken has left the queue after its last transmission.
  void delta_sent() { own_delta_.sent(); }

  /// A node is in the member list; again and again does no harm.
  /// @return false: there are too many owners.
  bool member_alive(const std::string& name, base::Time now);
  /// A node has died or left.
  void member_gone(const std::string& name, base::Time now);

  Applied apply(const Delta& delta, base::Time now);

  /// The message that begins a sync with a peer.
  base::Bytes begin_sync() const { return encode(digest_); }
  /// The message that asks a peer for rows of owners.
  base::Bytes pull(std::span<const OwnerId> owners, base::Time now);
  /// Answers any message of a sync; keeps nothing about the peer.
  Synced on_sync(base::ByteView message, base::Time now);

  /// Forgets what has to be forgotten.
  /// @return owners that someone should be asked for, since those who spoke of them did not answer.
  std::vector<OwnerId> on_tick(base::Time now);

  /// What changed since the last call, in the order in which it has to be applied. Rows of
  /// strangers are not among it; our own are.
  std::vector<OwnerChange> take_changes();

  /// Puts a record from a state file into a table that is new.
  /// @param age  of the rows.
  /// @return false: it is over a limit, or our own; of that only the epoch counts.
  bool restore(const std::string& name, const TableVersion& version, Rows rows, base::Duration age,
               base::Time now);

  const std::unordered_map<OwnerId, OwnerRecord>& owners() const { return owners_; }
  /// Null: not known by this name.
  const OwnerRecord* find(const std::string& name) const;
  const OwnerRecord& own() const { return owners_.at(id_); }
  const Digest& digest() const { return digest_; }
  const StoreCounters& counters() const { return counters_; }

 private:
  struct Shown {
    std::string owner;
    Rows rows;
  };

  OwnerRecord* admit(OwnerId owner, base::Time now);
  void set_rows(OwnerId owner, OwnerRecord& record, const TableVersion& version, Rows rows,
                base::Time now);
  void set_standing(OwnerId owner, OwnerRecord& record, Standing standing, base::Time now);
  void drop(OwnerId owner);
  void expire(base::Time now);
  void count_digest(OwnerId owner, const OwnerRecord& record, bool in);
  void note_epoch(const TableVersion& before, const TableVersion& after);

  void see_own(const TableVersion& seen, base::Time now);
  void begin_epoch(base::Time now);

  Applied on_gap(OwnerId owner, OwnerRecord& record, const Delta& delta, base::Time now);
  bool may_ask(const OwnerRecord& record, base::Time now) const;
  Applied refuse(base::Error reason);

  void on_digest(const Digest& digest, Synced& synced) const;
  void on_versions(const VersionList& versions, base::Time now, Synced& synced);
  void on_pull(const Pull& pull, Synced& synced) const;
  void on_rows(RowsMessage message, base::Time now, Synced& synced);
  void take_snapshot(const OwnerVersion& of, std::vector<WireRow> rows, base::Time now,
                     Synced& synced);
  bool wants(const OwnerVersion& offered, base::Time now);

  std::string name_;
  OwnerId id_;
  std::uint64_t epoch_;     ///< of our next version, if it begins one
  TableVersion contested_;  ///< the newest version of ours that others have and we do not
  std::optional<base::Time> epoch_began_;
  OwnDelta own_delta_;
  std::unordered_map<OwnerId, OwnerRecord> owners_;
  std::size_t strangers_ = 0;
  std::optional<base::Time> first_contact_;  ///< with any other node
  Digest digest_;
  Assembly assembly_;
  std::set<OwnerId> wanted_;                            ///< asked for, and not here yet
  std::set<std::pair<base::Time, OwnerId>> deadlines_;  ///< when to look whether to drop an owner
  std::set<OwnerId> changed_;                           ///< since take_changes()
  std::unordered_map<OwnerId, Shown> shown_;            ///< what take_changes() has told
  std::vector<Shown> dropped_;                          ///< shown, and to be taken back
  StoreCounters counters_;
};

}  // namespace viaduct::gossip
