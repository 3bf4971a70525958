// The keys of this node: read from and kept in a file as Serf's. Changing a cluster's key takes
// three steps, each on every node: install, use, remove. A step that would cut somebody off is
// refused.

#include <algorithm>
#include <filesystem>

#include "base/io/file.h"
#include "base/io/log.h"
#include "daemon/io/cluster.h"

namespace viaduct::daemon {
namespace {

constexpr std::size_t kMaxKeyringBytes = 64 << 10;

base::Error refusal(std::string sentence) { return {gossip::Errc::unsafe, std::move(sentence)}; }

}  // namespace

base::Result<void> Cluster::read_keys() {
  if (config_.keyring.empty()) return {};
  auto text = base::read_file(config_.keyring, kMaxKeyringBytes);
  if (!text) return text.error();
  auto keys = gossip::Keyring::parse(*text);
  if (!keys) return base::Error{keys.error().code, config_.keyring + ": " + keys.error().context};
  keyring_ = std::move(*keys);
  return {};
}

/// The file first: what is not kept there would be gone with the next start.
base::Result<void> Cluster::change_keys(const char* event, gossip::Keyring changed) {
  if (!config_.keyring.empty()) {
    if (auto written = base::write_file(config_.keyring, changed.to_json()); !written)
      return written.error();
    std::error_code code;
    std::filesystem::permissions(
        config_.keyring, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
        code);
  }
  keyring_ = std::move(changed);
  log::info(event, {{"primary", gossip::key_id_text(keyring_.ids().front())},
                    {"keys", keyring_.ids().size()}});
  own_.set_facts(facts());
  publish_rows();
  return {};
}

base::Result<void> Cluster::install_key(std::string_view text) {
  if (keyring_.empty())
    return refusal("this cluster has no keys: name a file with one in gossip.keyring on all nodes");
  const auto key = gossip::parse_key(text);
  if (!key) return key.error();
  auto changed = gossip::Keyring::parse(keyring_.to_json());
  if (auto installed = changed->install(*key); !installed) return installed.error();
  return change_keys("key_installed", std::move(*changed));
}

base::Result<void> Cluster::use_key(gossip::KeyId id) {
  auto changed = gossip::Keyring::parse(keyring_.to_json());
  if (!changed) return refusal("this cluster has no keys");
  if (auto used = changed->use(id); !used) return used.error();
  const std::string lacking = alive_nodes([&](const std::vector<gossip::KeyId>& keys) {
    return std::find(keys.begin(), keys.end(), id) == keys.end();
  });
  if (!lacking.empty())
    return refusal("install the key first on " + lacking + ": they could not read this node");
  return change_keys("key_used", std::move(*changed));
}

base::Result<void> Cluster::remove_key(gossip::KeyId id) {
  auto changed = gossip::Keyring::parse(keyring_.to_json());
  if (!changed) return refusal("this cluster has no keys");
  if (auto removed = changed->remove(id); !removed) return removed.error();
  const std::string using_it = alive_nodes(
      [&](const std::vector<gossip::KeyId>& keys) { return !keys.empty() && keys.front() == id; });
  if (!using_it.empty())
    return refusal("use another key first on " + using_it + ": this node could not read them");
  return change_keys("key_removed", std::move(*changed));
}

/// Names of alive nodes of which the keys fulfil a condition; at most some, for a sentence.
std::string Cluster::alive_nodes(
    const std::function<bool(const std::vector<gossip::KeyId>&)>& condition) const {
  constexpr std::size_t kShown = 5;
  std::size_t count = 0;
  std::string names;
  const gossip::MemberList& members = engine_->membership().members();
  for (const gossip::MemberId id : members.ids()) {
    const gossip::Member& member = members[id];
    if (!member.viaduct || !gossip::is_live(member.state) ||
        member.node == engine_->membership().self())
      continue;
    const auto node = nodes_.find(member.node->name);
    if (!condition(node == nodes_.end() ? std::vector<gossip::KeyId>()
                                        : node->second.facts.key_ids))
      continue;
    if (++count <= kShown) names += (names.empty() ? "" : ", ") + member.node->name;
  }
  if (count > kShown) names += " and " + std::to_string(count - kShown) + " more";
  return names;
}

}  // namespace viaduct::daemon
