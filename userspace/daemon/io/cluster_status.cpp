// What operators see of the cluster.

#include <algorithm>

#include "daemon/io/cluster.h"

namespace viaduct::daemon {
namespace {

template <class Unit>
Unit since(base::Time then, base::Time now) {
  return std::chrono::duration_cast<Unit>(std::max(base::Duration::zero(), now - then));
}

std::string word(service::Mask mask) {
  switch (mask) {
    case service::Mask::none:
      return "none";
    case service::Mask::suspect:
      return "suspect";
    case service::Mask::dead:
      return "dead";
  }
  return "none";
}

std::vector<std::string> texts(const std::vector<gossip::KeyId>& ids) {
  std::vector<std::string> texts;
  for (const gossip::KeyId id : ids) texts.push_back(gossip::key_id_text(id));
  return texts;
}

/// Versions between what is here and what was heard of; one if they are of different epochs.
std::uint64_t lag_of(const gossip::OwnerRecord& record) {
  if (record.heard <= record.version) return 0;
  if (record.heard.epoch != record.version.epoch) return 1;
  return std::max<std::uint64_t>(1, record.heard.seq - record.version.seq);
}

std::vector<api::ClusterDrop> drops_of(const gossip::TransportStats& stats) {
  gossip::ErrcCounts counts = stats.packet_drops;
  counts.add(stats.stream_drops);
  counts.add(stats.member_drops);
  std::vector<api::ClusterDrop> drops;
  for (std::size_t code = 1; code < gossip::kErrcs; ++code) {
    const auto errc = static_cast<gossip::Errc>(code);
    if (counts[errc] > 0)
      drops.push_back(
          {std::string(gossip::to_word(errc)), make_error_code(errc).message(), counts[errc]});
  }
  return drops;
}

void add_rows(const gossip::OwnerRecord& record, base::Time now, api::ClusterMember& member) {
  member.epoch = record.version.epoch;
  member.seq = record.version.seq;
  member.lag = lag_of(record);
  member.rows = record.rows.size();
  member.restored = record.standing == gossip::Standing::restored;
  member.rows_age = since<std::chrono::seconds>(record.updated, now);
  member.cloned = record.cloned;
}

}  // namespace

api::ClusterStatus Cluster::status() const {
  api::ClusterStatus status;
  status.enabled = true;
  status.listen = endpoint_;
  status.encrypted = !keyring_.empty();
  status.keys = texts(keyring_.ids());
  status.label = config_.wire.label;
  status.left = leaving_since_.has_value();
  status.publish_error = publish_error_;
  status.rejected = own_.rejected();
  if (transport_) status.dropped = drops_of(transport_->stats());
  if (!engine_) return status;
  const base::Time now = base::Clock::now();
  const gossip::Membership& membership = engine_->membership();
  status.health = membership.awareness().score();

  std::map<std::string, api::ClusterMember> members;
  for (const gossip::MemberId id : membership.members().ids()) {
    const gossip::Member& known = membership.members()[id];
    api::ClusterMember& member = members[known.node->name];
    member.endpoint = known.node->endpoint;
    member.state = gossip::to_string(known.state);
    member.incarnation = known.incarnation;
    member.viaduct = known.viaduct;
    member.since = since<std::chrono::seconds>(known.changed, now);
    if (known.heard != base::Time{})
      member.heard = since<std::chrono::milliseconds>(known.heard, now);
    if (const gossip::Suspicion* doubt = membership.suspicion(id)) {
      member.accusers = doubt->confirmations() + 1;
      member.dies_in = since<std::chrono::milliseconds>(now, doubt->deadline());
    }
  }
  for (const auto& [name, gone] : membership.gone()) {
    api::ClusterMember& member = members[name];
    member.endpoint = gone.node->endpoint;
    member.state = "gone";
    member.incarnation = gone.incarnation;
    member.since = since<std::chrono::seconds>(gone.since, now);
  }
  for (const auto& [owner, record] : engine_->store().owners()) {
    if (record.standing == gossip::Standing::stranger) continue;
    api::ClusterMember& member = members[record.name];
    if (member.state.empty()) member.state = "unheard";
    member.viaduct = true;
    add_rows(record, now, member);
  }
  for (const auto& [name, node] : nodes_) {
    api::ClusterMember& member = members[name];
    member.mask = word(node.mask);
    member.version = node.facts.version;
    member.keys = texts(node.facts.key_ids);
    for (const service::RejectedRow& row : node.rejected)
      status.rejected.push_back({name + ": " + row.where, row.reason});
  }
  if (const auto self = members.find(identity_.name); self != members.end()) {
    self->second.version = VIADUCT_VERSION;
    self->second.keys = status.keys;
  }
  for (auto& [name, member] : members) {
    member.name = name;
    status.members.push_back(std::move(member));
  }
  return status;
}

}  // namespace viaduct::daemon
