#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace viaduct::gossip {

// What one owner may publish, and what a table holds.

inline constexpr std::size_t kMaxOwners = 16'384;
inline constexpr std::size_t kMaxRowsPerOwner = 16'384;
inline constexpr std::size_t kMaxVipsPerOwner = 1'024;
/// Keys and values of all rows of an owner.
inline constexpr std::size_t kMaxOctetsPerOwner = 1U << 20;
/// Owners whose rows come before the news that they are members.
inline constexpr std::size_t kMaxStrangers = 64;

inline constexpr std::size_t kMaxKeyOctets = 300;     ///< a name of 253 and what surrounds it
inline constexpr std::size_t kMaxValueOctets = 4096;  ///< a node's facts are the longest
inline constexpr std::size_t kMaxTaskOctets = 128;    ///< longer task texts are cut
inline constexpr std::size_t kMaxVersionOctets = 64;  ///< a daemon's version
inline constexpr std::size_t kMaxAddresses = 32;      ///< of one node
inline constexpr std::size_t kMaxSubnets = 64;        ///< of one node's containers
/// A tick never grows beyond; there is one for each new name.
inline constexpr std::uint64_t kMaxTick = std::uint64_t{1} << 48;
/// Changes in one delta or message: no message has room for more.
inline constexpr std::size_t kMaxChanges = kMaxRowsPerOwner;

/// One message of a sync, about.
inline constexpr std::size_t kChunkOctets = 48U << 10;
/// A sync message that is read at all.
inline constexpr std::size_t kMaxSyncOctets = 1U << 20;
/// What one answer may hold beside the owner that goes over it.
inline constexpr std::size_t kAnswerOctets = 256U << 10;
/// Snapshots of which only the begin has come.
inline constexpr std::size_t kMaxAssemblies = 8;
/// A state file that is read at all.
inline constexpr std::size_t kMaxStateOctets = 512U << 20;

/// An epoch that jumps by more is told.
inline constexpr std::uint64_t kOddEpochJump = std::uint64_t{1} << 20;

// Times.

/// Rows of an owner that nobody has called a member are kept this long.
inline constexpr std::chrono::seconds kStrangerGrace{60};
/// Rows of an owner that died or left are kept this long, and names without backends too.
inline constexpr std::chrono::minutes kRetention{10};
/// A snapshot whose rest does not come is given up.
inline constexpr std::chrono::seconds kAssemblyPatience{30};
/// Rows that were asked for are asked for again after this.
inline constexpr std::chrono::milliseconds kPullPatience{500};
/// Our own rows begin a new epoch no more often: two nodes of one name would else do it for ever.
inline constexpr std::chrono::seconds kEpochPause{1};

}  // namespace viaduct::gossip
