#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/views.h"
#include "base/result.h"
#include "gossip/config.h"
#include "gossip/engine.h"
#include "gossip/io/transport.h"
#include "gossip/keyring.h"
#include "gossip/own_rows.h"
#include "metrics/page.h"
#include "service/local_table.h"
#include "service/merger.h"

namespace viaduct::daemon {

/// What this node is to others.
struct NodeIdentity {
  std::string name;
  std::vector<base::Address> addresses;
  service::NodeTunnels tunnels;
};

/// This node's part in the cluster: holds the gossip engine with its sockets, its keys and what is
/// remembered, publishes this node's rows, and hands other nodes' to the merger.
class Cluster {
 public:
  /// @param context, merger  outlive the cluster.
  /// @param on_change  the merger has something new.
  Cluster(boost::asio::io_context& context, gossip::Config config, NodeIdentity identity,
          service::Merger& merger, std::function<void()> on_change);
  ~Cluster();

  /// Reads keys and what is remembered, listens, and dials the seeds.
  /// @errors a keyring that cannot be used, no key although one is needed, the system's code.
  base::Result<void> start();
  void stop();

  /// All sources have answered: from now on this node's rows are published.
  void begin_publishing();
  /// Publishes what a source of this node changed.
  void publish(const std::string& source, const service::SourceChange& change);

  /// Tells the others that this node goes, and speaks no more once they know.
  void leave();
  /// @return whether there was such a node.
  bool force_remove(const std::string& node);

  /// Keys of this node, which is the only one that they are changed on.
  /// @errors what is against it: a sentence in the context.
  base::Result<void> install_key(std::string_view key);
  base::Result<void> use_key(gossip::KeyId id);
  base::Result<void> remove_key(gossip::KeyId id);

  api::ClusterStatus status() const;
  void add_metrics(metrics::Page& page) const;

 private:
  /// Another node that has rows.
  struct Node {
    service::Mask mask = service::Mask::none;
    gossip::NodeFacts facts;
    std::multiset<service::RejectedRow> rejected;
  };

  base::Result<void> read_keys();
  std::vector<base::Endpoint> remembered_peers() const;
  void restore_table();
  void remember();
  void remember_later();
  gossip::NodeFacts facts() const;
  void publish_rows();
  void perform(gossip::Actions& actions);
  void log_changes(const gossip::Actions& actions) const;
  void take_changes();
  void take_change(const gossip::OwnerChange& change);
  void set_masks();
  void settle(gossip::Actions& actions);
  void tick_later();
  void tick();
  base::Result<void> change_keys(const char* event, gossip::Keyring changed);
  std::string alive_nodes(
      const std::function<bool(const std::vector<gossip::KeyId>&)>& condition) const;

  boost::asio::io_context& context_;
  gossip::Config config_;
  NodeIdentity identity_;
  service::Merger& merger_;
  std::function<void()> on_change_;
  gossip::Keyring keyring_;
  gossip::OwnRows own_;
  std::unique_ptr<gossip::Engine> engine_;
  std::unique_ptr<gossip::Transport> transport_;
  std::map<std::string, Node> nodes_;
  std::size_t masked_owners_ = 0;  ///< owners in the table when masks were set last
  bool publishing_ = false;        ///< all sources have answered
  bool published_ = false;         ///< once
  std::string publish_error_;
  base::Endpoint endpoint_;
  boost::asio::steady_timer tick_timer_;
  boost::asio::steady_timer remember_timer_;
  bool remember_pending_ = false;
  base::Time next_publish_{};  ///< names that nobody uses any more have to go
  std::optional<base::Time> leaving_since_;
};

}  // namespace viaduct::daemon
