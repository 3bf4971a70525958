#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/siphash.h"
#include "base/time.h"
#include "dns/forward/reply.h"

namespace viaduct::dns::forward {

/// How long an answer is kept behind its TTL, for when no upstream answers (RFC 8767, 5).
inline constexpr std::chrono::hours kStaleLimit{24};
/// For how long a failed question is not asked again when there is an old answer (RFC 8767, 5), and
/// when there is none (RFC 9520, 3.2: 1 s to 5 min).
inline constexpr std::chrono::seconds kStaleRecheck{30};
inline constexpr std::chrono::seconds kFailureTtl{2};
/// Answers with a shorter TTL are not fetched again before it ends.
inline constexpr std::uint32_t kPrefetchTtl = 10;

/// An answer as it is kept: without OPT, its TTLs as they were when it came.
struct CachedAnswer {
  base::Bytes message;
  std::vector<std::uint16_t> ttl_offsets;
  std::uint32_t ttl_s = 0;
  std::size_t upstream = 0;  ///< that it came from
};

/// Answers of upstreams, each under the question it was given for and nothing else, so that no
/// answer vouches for another name. Bounded in octets; SIEVE decides who leaves.
/// Source: Zhang et al.: SIEVE is Simpler than LRU (NSDI 2024).
class Cache {
 public:
  /// @param max_octets  of messages, keys and bookkeeping together; 0: nothing is kept.
  /// @param key  unknown to clients, who choose the names.
  Cache(std::size_t max_octets, const base::HashKey& key)
      : max_octets_(max_octets), by_key_(0, Hash{key}) {}

  enum class State : std::uint8_t { absent, fresh, stale };
  struct Found {
    State state = State::absent;
    const CachedAnswer* answer = nullptr;  ///< until the next change; null when absent
    std::uint32_t age_s = 0;
    bool prefetch = false;    ///< fresh, in the last tenth of its time
    bool failed = false;      ///< the upstreams failed for it a short while ago
    std::uint16_t rcode = 0;  ///< with `failed` and no answer: what to say
  };
  /// Looks a question up and notes that it was asked.
  Found find(const std::string& key, base::Time now);

  /// Keeps an answer; one with ttl_s 0 removes what was kept.
  void put(const std::string& key, CachedAnswer answer, base::Time now);
  /// Notes that no upstream gave an answer. An old answer stays.
  void put_failure(const std::string& key, std::uint16_t rcode, base::Time now);

  std::size_t octets() const { return octets_; }
  std::size_t size() const { return entries_.size(); }
  std::uint64_t evicted() const { return evicted_; }

 private:
  struct Entry {
    std::string key;
    CachedAnswer answer;  ///< message empty: only the failure is known
    base::Time stored_at{}, failed_until{};
    std::uint16_t rcode = 0;
    bool visited = false;
  };
  struct Hash {
    base::HashKey key;
    std::size_t operator()(std::string_view text) const {
      return static_cast<std::size_t>(base::siphash(key, base::as_bytes(text)));
    }
  };
  using Entries = std::list<Entry>;

  static std::size_t cost(const Entry& entry);
  void insert(Entry entry);
  void erase(Entries::iterator entry);
  void evict_one();

  std::size_t max_octets_;
  std::size_t octets_ = 0;
  std::uint64_t evicted_ = 0;
  Entries entries_;                          ///< the newest first
  Entries::iterator hand_ = entries_.end();  ///< who is judged next; the end: start at the oldest
  std::unordered_map<std::string_view, Entries::iterator, Hash>
      by_key_;  ///< views into the entries
};

}  // namespace viaduct::dns::forward
