#pragma once

#include <cstddef>

#include "base/time.h"

namespace viaduct::gossip {

/// Every time and count of the protocol. The defaults are for one data centre; facts and figures
/// are in README.md.
struct Timing {
  /// One member is probed each interval; the verdict on it falls at its end.
  base::Duration probe_interval = std::chrono::milliseconds(500);
  base::Duration probe_timeout = std::chrono::milliseconds(200);
  int indirect_checks = 3;
  base::Duration gossip_interval = std::chrono::milliseconds(200);
  int gossip_nodes = 3;
  /// News goes out this soon after it came, ahead of the next gossip interval.
  base::Duration eager_delay = std::chrono::milliseconds(20);
  int retransmit_mult = 4;
  int suspicion_mult = 3;
  int suspicion_max_mult = 6;
  int awareness_max = 8;
  base::Duration push_pull_interval = std::chrono::seconds(30);
  /// After a join, and when many members come or go at once, the next push-pull comes this soon,
  /// and then ever later up to push_pull_interval.
  base::Duration second_opinion = std::chrono::milliseconds(1500);
  /// Who died or left hears gossip for so long, and then leaves the member list.
  base::Duration gossip_to_dead = std::chrono::seconds(30);
  /// A name may come back with another address once it was dead for so long; at once after a leave.
  base::Duration reclaim_after = std::chrono::seconds(5);
  /// One of the members that are gone, or of the seeds that are no members, is dialled.
  base::Duration heal_interval = std::chrono::seconds(5);
  /// Digests of the VIP table are compared with a random member.
  base::Duration digest_interval = std::chrono::seconds(10);
};

/// How often one broadcast is sent by one node: mult x ceil(log10(members + 1)).
int retransmit_limit(int mult, std::size_t members);

/// Time between two push-pulls of one node: grows with the logarithm of the cluster, so that the
/// cost for all stays bearable.
base::Duration push_pull_interval(base::Duration interval, std::size_t members);

/// The shortest time from suspicion to death: mult x max(1, log10(members)) x probe interval.
base::Duration suspicion_min(int mult, std::size_t members, base::Duration probe_interval);

}  // namespace viaduct::gossip
