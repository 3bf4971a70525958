#include "daemon/io/cluster.h"
#include "gossip/errors.h"

namespace viaduct::daemon {
namespace {

using metrics::Family;
using metrics::Kind;

const Family kMembers{Kind::gauge, "viaduct_gossip_members", "Nodes by state.", {"state"}};
const Family kHealth{Kind::gauge, "viaduct_gossip_health_score",
                     "How much this node doubts itself; 0: not at all."};
const Family kProbes{Kind::counter, "viaduct_gossip_probes_total", "Probes of members."};
const Family kProbesFailed{Kind::counter, "viaduct_gossip_probes_failed_total",
                           "Probes that nobody answered, neither directly nor for others."};
const Family kRefuted{Kind::counter, "viaduct_gossip_refutations_total",
                      "Times that this node had to object to its death."};
const Family kSuspected{Kind::counter, "viaduct_gossip_suspicions_total",
                        "Suspicions that began, whoever was suspected."};
const Family kDied{Kind::counter, "viaduct_gossip_deaths_total",
                   "Members that were declared dead."};
const Family kConflicts{Kind::counter, "viaduct_gossip_name_conflicts_total",
                        "News of a known name with another address."};
const Family kRefusedMembers{Kind::counter,
                             "viaduct_gossip_refused_members_total",
                             "News of nodes that are kept out.",
                             {"reason"}};
const Family kOwners{Kind::gauge, "viaduct_gossip_table_owners", "Nodes whose rows are known."};
const Family kDeltas{Kind::counter,
                     "viaduct_gossip_deltas_total",
                     "Changes of other nodes' rows that came by gossip.",
                     {"outcome"}};
const Family kSnapshots{Kind::counter, "viaduct_gossip_snapshots_total",
                        "Sets of rows of one node that were asked for and came."};
const Family kSyncs{Kind::counter,
                    "viaduct_gossip_syncs_total",
                    "Comparisons of tables or members begun here.",
                    {"kind", "result"}};
const Family kQueue{
    Kind::gauge, "viaduct_gossip_queue_messages", "News that is still sent.", {"kind"}};
const Family kPackets{Kind::counter, "viaduct_gossip_packets_total", "Datagrams.", {"direction"}};
const Family kBytes{
    Kind::counter, "viaduct_gossip_bytes_total", "Octets.", {"direction", "transport"}};
const Family kLost{Kind::counter, "viaduct_gossip_packets_lost_total",
                   "Datagrams that the kernel dropped: the receive buffer was full."};
const Family kStreams{Kind::gauge, "viaduct_gossip_streams", "Open TCP connections."};
const Family kDrops{Kind::counter,
                    "viaduct_gossip_drops_total",
                    "What peers sent and could not be used.",
                    {"transport", "reason"}};

void add_drops(const char* transport, const gossip::ErrcCounts& counts, metrics::Page& page) {
  for (std::size_t code = 1; code < gossip::kErrcs; ++code) {
    const auto errc = static_cast<gossip::Errc>(code);
    if (counts[errc] > 0)
      page.add(kDrops, counts[errc], {transport, std::string(gossip::to_word(errc))});
  }
}

}  // namespace

void Cluster::add_metrics(metrics::Page& page) const {
  const gossip::Membership& membership = engine_->membership();
  for (const auto state : {gossip::NodeState::alive, gossip::NodeState::suspect,
                           gossip::NodeState::dead, gossip::NodeState::left})
    page.add(kMembers, membership.members().count(state), {std::string(gossip::to_string(state))});
  page.add(kHealth, membership.awareness().score());
  page.add(kProbes, engine_->prober().counters().probes);
  page.add(kProbesFailed, engine_->prober().counters().failed);
  const gossip::MembershipCounters& counters = membership.counters();
  page.add(kRefuted, counters.refuted);
  page.add(kSuspected, counters.suspected);
  page.add(kDied, counters.died);
  page.add(kConflicts, counters.conflicts);
  page.add(kRefusedMembers, counters.incompatible, {"versions"});
  page.add(kRefusedMembers, counters.invalid, {"invalid"});
  page.add(kRefusedMembers, counters.too_many, {"too_many"});

  const gossip::Store& store = engine_->table().store();
  page.add(kOwners, store.owners().size());
  page.add(kDeltas, store.counters().applied, {"applied"});
  page.add(kDeltas, store.counters().known, {"known"});
  page.add(kDeltas, store.counters().gaps, {"gap"});
  page.add(kDeltas, store.counters().refused, {"refused"});
  page.add(kSnapshots, store.counters().snapshots);
  page.add(kSyncs, engine_->counters().push_pulls, {"members", "done"});
  page.add(kSyncs, engine_->counters().push_pulls_failed, {"members", "failed"});
  page.add(kSyncs, engine_->table().counters().syncs, {"table", "done"});
  page.add(kSyncs, engine_->table().counters().syncs_failed, {"table", "failed"});
  page.add(kQueue, engine_->news().size(), {"members"});
  page.add(kQueue, engine_->table().queue().size(), {"rows"});
  if (!transport_) return;
  const gossip::TransportStats stats = transport_->stats();
  page.add(kPackets, stats.packets_in, {"in"});
  page.add(kPackets, stats.packets_out, {"out"});
  page.add(kBytes, stats.packet_bytes_in, {"in", "udp"});
  page.add(kBytes, stats.packet_bytes_out, {"out", "udp"});
  page.add(kBytes, stats.stream_bytes_in, {"in", "tcp"});
  page.add(kBytes, stats.stream_bytes_out, {"out", "tcp"});
  page.add(kLost, stats.packets_lost_in);
  page.add(kStreams, stats.streams_open);
  add_drops("udp", stats.packet_drops, page);
  add_drops("tcp", stats.stream_drops, page);
  add_drops("push_pull", stats.member_drops, page);
}

}  // namespace viaduct::daemon
