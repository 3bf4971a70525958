#include "daemon/io/cluster.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <utility>

#include "base/io/file.h"
#include "base/io/log.h"
#include "daemon/peers.h"
#include "gossip/masks.h"
#include "gossip/meta.h"
#include "gossip/packet.h"
#include "gossip/state_file.h"
#include "gossip/table_rows.h"

namespace viaduct::daemon {
namespace {

constexpr std::size_t kMaxStateBytes = gossip::kMaxStateOctets;
constexpr std::chrono::seconds kRememberInterval{5};  // what a crash may lose
constexpr std::chrono::seconds kPublishInterval{5};
/// A node that doubts itself so much doubts nobody else.
constexpr int kSickScore = 3;
/// After a leave the others are told for so long at most.
constexpr std::chrono::seconds kLeaveTime{5};

std::string table_path(const gossip::Config& config) { return config.state_folder + "/table"; }
std::string peers_path(const gossip::Config& config) { return config.state_folder + "/peers.json"; }

std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

Cluster::Cluster(boost::asio::io_context& context, gossip::Config config, NodeIdentity identity,
                 service::Merger& merger, std::function<void()> on_change)
    : context_(context),
      config_(std::move(config)),
      identity_(std::move(identity)),
      merger_(merger),
      on_change_(std::move(on_change)),
      own_(identity_.name),
      tick_timer_(context),
      remember_timer_(context) {}

Cluster::~Cluster() = default;

base::Result<void> Cluster::start() {
  if (auto read = read_keys(); !read) return read.error();
  endpoint_ = config_.listen;
  if (endpoint_.address.is_unspecified()) endpoint_.address = identity_.addresses.front();
  if (keyring_.empty() && !config_.insecure && !endpoint_.address.is_loopback())
    return base::Error{gossip::Errc::not_encrypted,
                       "gossip on " + endpoint_.to_string() +
                           " has no keys: name a file with keys in gossip.keyring, or set "
                           "gossip.insecure"};

  gossip::TransportOptions options;
  options.listen = {endpoint_};
  options.wire = config_.wire;
  gossip::TransportHandlers handlers;
  handlers.packet = [this](std::span<gossip::Message> messages, const base::Endpoint& from) {
    std::vector<gossip::MessagePtr> shared;
    shared.reserve(messages.size());
    for (gossip::Message& message : messages)
      shared.push_back(std::make_shared<const gossip::Message>(std::move(message)));
    gossip::Actions actions;
    engine_->on_packet(shared, from, base::Clock::now(), actions);
    settle(actions);
  };
  handlers.stream = [this](gossip::StreamMessage message, const base::Endpoint& from) {
    gossip::Actions actions;
    auto answer = engine_->on_request(message, from, base::Clock::now(), actions);
    settle(actions);
    return answer;
  };
  transport_ =
      std::make_unique<gossip::Transport>(context_, options, keyring_, std::move(handlers));
  if (auto started = transport_->start(); !started) {
    transport_.reset();
    return started.error();
  }
  endpoint_.port = transport_->listening().front().port;

  gossip::NodeInfo self;
  self.name = identity_.name;
  self.endpoint = endpoint_;
  self.meta = gossip::encode_tags({{"role", "viaduct"}, {gossip::kViaductTag, "1"}});
  gossip::EngineOptions engine;
  engine.timing = config_.timing;
  engine.packet_bytes = gossip::packet_room(true, config_.wire, keyring_) - gossip::kCompoundOctets;
  engine.seeds = config_.seeds;
  engine.random_seed = random_number();
  if (auto peers = remembered_peers(); !peers.empty())
    engine.seeds.insert(engine.seeds.end(), peers.begin(), peers.end());
  engine_ =
      std::make_unique<gossip::Engine>(std::make_shared<const gossip::NodeInfo>(std::move(self)),
                                       std::move(engine), base::Clock::now());
  restore_table();
  log::info("gossip_started", {{"listen", endpoint_.to_string()},
                               {"encrypted", !keyring_.empty()},
                               {"seeds", config_.seeds.size()}});
  own_.set_facts(facts());
  gossip::Actions none;
  settle(none);
  return {};
}

void Cluster::stop() {
  tick_timer_.cancel();
  remember_timer_.cancel();
  if (engine_) remember();
  transport_.reset();
}

gossip::NodeFacts Cluster::facts() const {
  gossip::NodeFacts facts;
  facts.addresses = identity_.addresses;
  facts.tunnel4 = identity_.tunnels.v4;
  facts.tunnel6 = identity_.tunnels.v6;
  facts.version = VIADUCT_VERSION;
  facts.key_ids = keyring_.ids();
  return facts;
}

// What is remembered.

std::vector<base::Endpoint> Cluster::remembered_peers() const {
  if (config_.state_folder.empty() || !std::filesystem::exists(peers_path(config_))) return {};
  auto text = base::read_file(peers_path(config_), kMaxPeersBytes);
  auto peers = text ? read_peers(*text) : base::Result<std::vector<Peer>>(text.error());
  if (!peers) {
    log::warn("peers_not_restored",
              {{"file", peers_path(config_)}, {"error", peers.error().message()}});
    return {};
  }
  std::vector<base::Endpoint> endpoints;
  for (const Peer& peer : *peers)
    if (peer.name != identity_.name) endpoints.push_back(peer.endpoint);
  return endpoints;
}

void Cluster::restore_table() {
  const std::string path = table_path(config_);
  if (config_.state_folder.empty() || !std::filesystem::exists(path)) return;
  std::error_code code;
  const auto written = std::filesystem::last_write_time(path, code);
  const auto age = std::max(std::filesystem::file_time_type::duration::zero(),
                            std::filesystem::file_time_type::clock::now() - written);
  auto bytes = base::read_file(path, kMaxStateBytes);
  auto restored = bytes ? gossip::read_state(base::as_bytes(*bytes),
                                             std::chrono::duration_cast<base::Duration>(age),
                                             engine_->store(), base::Clock::now())
                        : base::Result<std::size_t>(bytes.error());
  if (!restored)
    log::warn("table_not_restored", {{"file", path}, {"error", restored.error().message()}});
  else
    log::info("table_restored",
              {{"owners", *restored},
               {"age_s", std::chrono::duration_cast<std::chrono::seconds>(age).count()}});
}

void Cluster::remember_later() {
  if (config_.state_folder.empty() || std::exchange(remember_pending_, true)) return;
  remember_timer_.expires_after(kRememberInterval);
  remember_timer_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) remember();
  });
}

void Cluster::remember() {
  remember_pending_ = false;
  if (config_.state_folder.empty()) return;
  std::error_code code;
  std::filesystem::create_directories(config_.state_folder, code);
  const base::Bytes table = gossip::write_state(engine_->store(), base::Clock::now());
  if (auto written = base::write_file(table_path(config_), base::as_text(table)); !written)
    log::warn("table_not_remembered", {{"error", written.error().message()}});
  std::vector<Peer> peers;
  const gossip::Membership& membership = engine_->membership();
  for (const gossip::MemberId id : membership.members().ids()) {
    const gossip::Member& member = membership.members()[id];
    if (member.state != gossip::NodeState::left)
      peers.push_back({member.node->name, member.node->endpoint});
  }
  for (const auto& [name, gone] : membership.gone())
    if (gone.state == gossip::NodeState::dead) peers.push_back({name, gone.node->endpoint});
  if (auto written = base::write_file(peers_path(config_), write_peers(peers)); !written)
    log::warn("peers_not_remembered", {{"error", written.error().message()}});
}

// Rows.

void Cluster::publish(const std::string& source, const service::SourceChange& change) {
  own_.apply(source, change);
  publish_rows();
}

void Cluster::begin_publishing() {
  if (!std::exchange(publishing_, true)) publish_rows();
}

/// Before all sources have answered peers keep what they have from an earlier life of this node.
void Cluster::publish_rows() {
  if (!publishing_ || !engine_) return;
  const base::Time now = base::Clock::now();
  next_publish_ = now + kPublishInterval;
  auto changes = own_.take(now);
  if (changes.empty() && std::exchange(published_, true)) return;
  const auto published = engine_->publish(std::move(changes), now);
  const std::string error = published ? "" : published.error().message();
  if (error != publish_error_ && !error.empty())
    log::error("rows_not_published",
               {{"error", error}, {"consequence", "other nodes keep the rows from before"}});
  publish_error_ = error;
  gossip::Actions none;
  settle(none);
}

void Cluster::take_changes() {
  auto changes = engine_->store().take_changes();
  if (changes.empty()) return;
  for (const gossip::OwnerChange& change : changes) take_change(change);
  remember_later();
  on_change_();
}

void Cluster::take_change(const gossip::OwnerChange& change) {
  const gossip::DecodedChange decoded = gossip::decode_change(change, config_.rules);
  merger_.apply_node(decoded.owner, decoded.rows);
  if (decoded.owner == identity_.name) return;
  own_.on_node(decoded.rows);
  if (decoded.dropped) {
    merger_.forget_node(decoded.owner);
    nodes_.erase(decoded.owner);
    return;
  }
  Node& node = nodes_[decoded.owner];
  if (decoded.facts || decoded.facts_gone) {
    node.facts = decoded.facts.value_or(gossip::NodeFacts{});
    merger_.set_tunnels(decoded.owner, {node.facts.tunnel4, node.facts.tunnel6});
  }
  for (const service::RejectedRow& row : decoded.forgiven)
    if (const auto known = node.rejected.find(row); known != node.rejected.end())
      node.rejected.erase(known);
  for (const service::RejectedRow& row : decoded.rejected) {
    log::warn("row_of_peer_rejected",
              {{"node", decoded.owner}, {"row", row.where}, {"reason", row.reason}});
    node.rejected.insert(row);
  }
}

void Cluster::set_masks() {
  const gossip::Membership& membership = engine_->membership();
  std::vector<gossip::MemberOpinion> members;
  for (const gossip::MemberId id : membership.members().ids()) {
    const gossip::Member& member = membership.members()[id];
    members.push_back({member.node->name, member.state});
  }
  auto masks =
      gossip::half_limit(members, identity_.name, membership.awareness().score() >= kSickScore);
  for (const auto& [owner, record] : engine_->store().owners())
    if (record.standing == gossip::Standing::gone) masks[record.name] = service::Mask::dead;
  bool changed = false;
  for (auto& [name, node] : nodes_) {
    const auto found = masks.find(name);
    const service::Mask mask = found == masks.end() ? service::Mask::none : found->second;
    if (mask == std::exchange(node.mask, mask)) continue;
    merger_.set_mask(name, mask);
    changed = true;
  }
  if (changed) on_change_();
}

// The engine's shell.

void Cluster::settle(gossip::Actions& actions) {
  log_changes(actions);
  perform(actions);
  const bool members_changed = !actions.changes.empty();
  take_changes();
  if (members_changed || engine_->store().owners().size() != masked_owners_) {
    masked_owners_ = engine_->store().owners().size();
    set_masks();
    remember_later();
  }
  tick_later();
}

void Cluster::perform(gossip::Actions& actions) {
  if (!transport_) return;
  for (gossip::SendPacket& packet : actions.packets)
    transport_->send(packet.to, packet.messages, packet.crc);
  for (gossip::OpenStream& stream : actions.streams) {
    transport_->exchange(stream.to, std::move(stream.first),
                         [this, id = stream.id](base::Result<gossip::StreamMessage> message)
                             -> std::optional<gossip::StreamMessage> {
                           gossip::Actions next;
                           std::optional<gossip::StreamMessage> answer;
                           if (message)
                             answer = engine_->on_answer(id, *message, base::Clock::now(), next);
                           if (!answer) engine_->on_stream_end(id, base::Clock::now(), next);
                           settle(next);
                           return answer;
                         });
  }
}

void Cluster::log_changes(const gossip::Actions& actions) const {
  for (const gossip::MemberChanged& change : actions.changes)
    log::info("member", {{"name", change.node->name},
                         {"state", gossip::to_string(change.state)},
                         {"endpoint", change.node->endpoint.to_string()},
                         {"incarnation", change.incarnation},
                         {"why", change.why}});
  for (const gossip::NameConflict& conflict : actions.conflicts)
    log::error("two_nodes_of_one_name", {{"name", conflict.known->name},
                                         {"known", conflict.known->endpoint.to_string()},
                                         {"other", conflict.other->endpoint.to_string()}});
}

void Cluster::tick_later() {
  if (!transport_) return;
  tick_timer_.expires_at(engine_->next_tick());
  tick_timer_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) tick();
  });
}

void Cluster::tick() {
  const base::Time now = base::Clock::now();
  if (leaving_since_ && (!engine_->has_news() || now - *leaving_since_ > kLeaveTime)) {
    log::info("gossip_left", {});
    remember();
    transport_.reset();
    return;
  }
  gossip::Actions actions;
  engine_->on_tick(now, actions);
  settle(actions);
  if (now >= next_publish_) publish_rows();
}

// Commands.

void Cluster::leave() {
  if (leaving_since_) return;
  leaving_since_ = base::Clock::now();
  engine_->leave(base::Clock::now());
  gossip::Actions none;
  settle(none);
}

bool Cluster::force_remove(const std::string& node) {
  gossip::Actions actions;
  const bool known = engine_->force_remove(node, base::Clock::now(), actions);
  settle(actions);
  return known;
}

}  // namespace viaduct::daemon
