#include "daemon/io/daemon.h"

#include <boost/asio/post.hpp>
#include <filesystem>
#include <random>
#include <utility>

#include "base/errors.h"
#include "base/io/file.h"
#include "base/io/log.h"
#include "daemon/io/node.h"
#include "daemon/io/views.h"
#include "daemon/memory.h"
#include "dns/io/answer_maps.h"

namespace viaduct::daemon {
namespace {

constexpr std::chrono::seconds kPlaneRetry{5};
constexpr std::chrono::seconds kRememberInterval{1};  // what a crash may lose

std::string memory_path(const Config& config) { return config.state_folder + "/rows.json"; }

std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

Daemon::Daemon(boost::asio::io_context& context, Config config)
    : context_(context),
      config_(std::move(config)),
      started_(base::Clock::now()),
      reconcile_timer_(context),
      plane_retry_(context),
      remember_timer_(context) {}

Daemon::~Daemon() = default;

base::Result<void> Daemon::start() {
  merge_options_.ranges = config_.ranges;
  merge_options_.enable_ipv6 = config_.enable_ipv6;
  merge_options_.node_name = config_.node_name.empty() ? host_name() : config_.node_name;
  const auto address =
      config_.node_address.empty() ? detect_address() : base::Address::parse(config_.node_address);
  if (!address)
    return base::from_errno(
        EADDRNOTAVAIL, "this node has no IPv4 address that could be detected; set node.address");
  merge_options_.node_address = *address;
  config_.dataplane.tunnel4 = *address;
  if (const auto address6 = config_.node_address6.empty()
                                ? detect_address6()
                                : base::Address::parse(config_.node_address6))
    config_.dataplane.tunnel6 = merge_options_.node_address6 = *address6;
  merger_.emplace(merge_options_);
  config_.dns.zones.ranges = config_.ranges;
  config_.dns.zones.servers = config_.dns.listen;
  config_.dns.zones.node = {*address};
  if (const base::Address& address6 = merge_options_.node_address6; !address6.is_unspecified())
    config_.dns.zones.node.push_back(address6);
  log::info("starting", {{"version", VIADUCT_VERSION},
                         {"node", merge_options_.node_name},
                         {"address", address->to_string()}});

  config_.dataplane.dns = config_.dns.enabled && config_.dns.kernel;
  if (config_.dataplane.enabled) start_data_plane();
  if (config_.dns.enabled) {
    dns_ = std::make_unique<dns::Server>(config_.dns);
    if (auto started = dns_->start(); !started)
      log::error("dns_listen_failed", {{"error", started.error().message()}});
    if (config_.dataplane.enabled && config_.dns.kernel) start_kernel_dns();
  }
  if (!plane_ && !dns_ && config_.dataplane.enabled)
    return base::from_errno(ENOTSUP, "neither the kernel nor DNS can be served: " + plane_error_);
  publisher_ = std::make_unique<Publisher>(
      context_, plane_.get(), dns_.get(),
      dns::Zones(config_.dns.zones,
                 dns::TableWriter(kernel_dns_ ? dns::allocate_best : dns::allocate_plain,
                                  random_number())));
  publisher_->use(kernel_dns_.get());
  if (dns_)
    dns_view_ = std::make_unique<DnsView>(config_.dns, *dns_, *publisher_, kernel_dns_.get());
  if (config_.dns.http.listen) start_mesos_dns_api();
  if (config_.gossip.enabled) start_cluster();
  if (auto started = start_api(); !started) return started;
  sources_ =
      std::make_unique<Sources>(context_, config_, *address, table_,
                                [this](const std::string& source, service::SourceChange change) {
                                  rows_changed(source, std::move(change));
                                });
  if (config_.mesos.master.enabled())
    if (auto started = start_master_role(); !started) return started;
  restore();
  sources_->start();
  merge_later();  // after the sources, some of which answer at once
  return {};
}

void Daemon::start_data_plane() {
  auto started = dataplane::DataPlane::start(
      config_.dataplane, config_.dns.enabled ? config_.dns.listen : std::vector<base::Address>{});
  if (!started) {
    if (plane_error_ != started.error().message())
      log::error("data_plane_failed",
                 {{"error", started.error().message()},
                  {"consequence", "VIPs do not work on this node; DNS and the API do"}});
    plane_error_ = started.error().message();
    plane_retry_.expires_after(kPlaneRetry);
    plane_retry_.async_wait([this](const boost::system::error_code& failed) {
      if (!failed) start_data_plane();
    });
    return;
  }
  plane_ = std::make_unique<dataplane::DataPlane>(std::move(*started));
  for (const auto& capability : plane_->capabilities())
    log::write(capability.available ? log::Level::info : log::Level::warn, "capability",
               {{"name", capability.name},
                {"available", capability.available},
                {"detail", capability.detail}});
  auto watch = dataplane::LinkWatch::start(context_, [this] { links_changed(); });
  if (watch)
    link_watch_ = std::make_unique<dataplane::LinkWatch>(std::move(*watch));
  else
    log::warn("link_watch_failed", {{"error", watch.error().message()}});
  if (publisher_) publisher_->use(plane_.get());
  if (kernel_dns_ && plane_->has_dns()) kernel_dns_->use(config_.dataplane.bpffs);
  reconcile_later();
}

void Daemon::start_kernel_dns() {
  kernel_dns_ = std::make_unique<KernelDns>(context_, config_.dns, *dns_);
  if (plane_ && plane_->has_dns()) kernel_dns_->use(config_.dataplane.bpffs);
}

void Daemon::start_mesos_dns_api() {
  mesos_dns_api_ =
      std::make_unique<MesosDnsApi>(context_, config_.dns, config_.mesos.master, *publisher_);
  if (auto started = mesos_dns_api_->start(); !started)
    log::error("mesos_dns_api_listen_failed", {{"error", started.error().message()}});
}

void Daemon::links_changed() {
  if (!plane_->has_host_device()) return reconcile_now();
  if (auto scanned = plane_->scan_links(); !scanned)
    log::warn("link_scan_failed", {{"error", scanned.error().message()}});
}

base::Result<void> Daemon::start_api() {
  const auto server = [this](std::shared_ptr<const api::Commands> allowed) {
    return std::make_unique<http::Server>(
        context_, [this, allowed](std::string_view method, std::string_view target) {
          http::Reply reply = api::answer(method, target, views(), allowed.get());
          api_counters_.count(reply.status);
          return reply;
        });
  };
  if (!config_.api.socket.empty()) {
    local_http_ = server(std::make_shared<const api::Commands>(commands()));
    if (auto listening = local_http_->listen_unix(config_.api.socket); !listening)
      return listening.error();
  }
  if (!config_.api.listen.empty()) {
    http_ = server(nullptr);
    const auto endpoint = base::Endpoint::parse(config_.api.listen);
    if (auto listening = http_->listen_tcp(*endpoint); !listening)
      log::error("api_listen_failed",
                 {{"listen", config_.api.listen}, {"error", listening.error().message()}});
  }
  return {};
}

/// Without a cluster this node serves what it knows itself.
void Daemon::start_cluster() {
  NodeIdentity identity;
  identity.name = merge_options_.node_name;
  identity.addresses = {merge_options_.node_address};
  identity.tunnels.v4 = merge_options_.node_address;
  if (!merge_options_.node_address6.is_unspecified()) {
    identity.addresses.push_back(merge_options_.node_address6);
    identity.tunnels.v6 = merge_options_.node_address6;
  }
  cluster_ = std::make_unique<Cluster>(context_, config_.gossip, std::move(identity), *merger_,
                                       [this] { merge_later(); });
  auto started = cluster_->start();
  if (started) return;
  cluster_.reset();
  cluster_error_ = started.error().message();
  log::error("gossip_failed",
             {{"error", cluster_error_}, {"consequence", "this node knows only its own VIPs"}});
}

base::Result<void> Daemon::start_master_role() {
  master_ = std::make_unique<MasterRole>(
      context_, config_.mesos.master, table_, *merger_,
      [this](service::SourceChange change) { rows_changed(kMesosMaster, std::move(change)); },
      [this] { merge_later(); });
  return master_->start();
}

api::Commands Daemon::commands() {
  if (!cluster_) return {};
  const auto sentence = [](base::Result<void> result, std::string done) {
    return result ? api::Commands::Result(std::move(done)) : api::Commands::Result(result.error());
  };
  const auto with_id = [](const std::string& text, auto&& action) -> api::Commands::Result {
    const auto id = gossip::parse_key_id(text);
    if (!id) return id.error();
    return action(*id);
  };
  api::Commands all;
  all.leave = [this]() -> api::Commands::Result {
    cluster_->leave();
    return std::string("this node leaves the cluster; restart viaductd to join again");
  };
  all.remove_node = [this](const std::string& node) -> api::Commands::Result {
    if (cluster_->force_remove(node)) return "removed " + node;
    return base::Error{base::Errc::not_found, "no other node is or was called " + node};
  };
  all.install_key = [this, sentence](const std::string& key) {
    return sentence(cluster_->install_key(key), "installed the key on this node");
  };
  all.use_key = [this, sentence, with_id](const std::string& text) {
    return with_id(text, [&](gossip::KeyId id) {
      return sentence(cluster_->use_key(id), "this node encrypts with the key");
    });
  };
  all.remove_key = [this, sentence, with_id](const std::string& text) {
    return with_id(text, [&](gossip::KeyId id) {
      return sentence(cluster_->remove_key(id), "removed the key from this node");
    });
  };
  return all;
}

/// Rows from before the daemon's restart stand in until their source answers, so that names and
/// VIPs outlive a restart that happens while a source is down. A file in /run is gone after a
/// restart of the machine, as its tasks are.
void Daemon::restore() {
  if (config_.state_folder.empty() || !std::filesystem::exists(memory_path(config_))) return;
  auto text = base::read_file(memory_path(config_), kMaxMemoryBytes);
  auto sources = text ? read_memory(*text)
                      : base::Result<std::map<std::string, service::SourceParts>>(text.error());
  if (!sources) {
    log::warn("rows_not_restored",
              {{"file", memory_path(config_)}, {"error", sources.error().message()}});
    return;
  }
  for (auto& [name, parts] : *sources) {
    if (!table_.sources().contains(name)) continue;
    log::info("rows_restored", {{"source", name}, {"rows", parts.row_count()}});
    auto change = table_.restore(name, std::move(parts));
    if (cluster_) cluster_->publish(name, change);
    merger_->apply(name, std::move(change));
  }
}

/// Large tables take long to write, and no change waits for that.
void Daemon::remember_later() {
  if (std::exchange(remember_pending_, true)) return;
  remember_timer_.expires_after(kRememberInterval);
  remember_timer_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) remember();
  });
}

void Daemon::remember() {
  if (!std::exchange(remember_pending_, false) || config_.state_folder.empty()) return;
  std::map<std::string, service::SourceParts> sources;
  for (const auto& [name, source] : table_.sources())
    if (source.last_success || source.restored) sources[name] = source.parts;
  std::error_code code;
  std::filesystem::create_directories(config_.state_folder, code);
  if (auto written = base::write_file(memory_path(config_), write_memory(sources)); !written) {
    log::warn("rows_not_remembered", {{"error", written.error().message()}});
    std::filesystem::remove(memory_path(config_), code);  // none is better than an old one
  }
}

/// Changes that come together make one snapshot.
void Daemon::rows_changed(const std::string& source, service::SourceChange change) {
  if (cluster_) cluster_->publish(source, change);
  merger_->apply(source, std::move(change));
  remember_later();
  merge_later();
}

/// Several changes at a time make one snapshot.
void Daemon::merge_later() {
  if (std::exchange(merge_posted_, true)) return;
  boost::asio::post(context_, [this] { merge_now(); });
}

void Daemon::merge_now() {
  merge_posted_ = false;
  if (cluster_ && table_.complete()) cluster_->begin_publishing();
  auto next = merger_->snapshot(table_.complete());
  if (next == snapshot_) return;
  snapshot_ = std::move(next);
  log::info("snapshot", {{"revision", snapshot_->revision},
                         {"services", snapshot_->services.size()},
                         {"names", snapshot_->names.size()},
                         {"tasks", snapshot_->tasks.size()},
                         {"complete", snapshot_->complete}});
  publisher_->publish(snapshot_);
}

void Daemon::reconcile_now() {
  if (auto done = plane_->reconcile(base::Clock::now()); !done)
    log::error("reconcile_failed", {{"error", done.error().message()}});
}

void Daemon::reconcile_later() {
  reconcile_timer_.expires_after(config_.dataplane.reconcile);
  reconcile_timer_.async_wait([this](const boost::system::error_code& failed) {
    if (failed) return;
    reconcile_now();
    reconcile_later();
  });
}

api::Views Daemon::views() const {
  api::Views all;
  all.version = VIADUCT_VERSION;
  all.node = merge_options_.node_name;
  all.address = merge_options_.node_address;
  all.now = base::Clock::now();
  all.uptime = all.now - started_;
  all.snapshot = snapshot_;
  all.table = &table_;
  all.dataplane = dataplane_status(config_, plane_.get(), plane_error_, *publisher_);
  all.dns = dns_status(config_, dns_.get(), *publisher_);
  if (master_) all.master = master_->status(all.now);
  all.cluster = [this] {
    api::ClusterStatus status;
    if (cluster_) return cluster_->status();
    status.problem = cluster_error_;
    return status;
  };
  all.capabilities = capabilities(plane_.get());
  if (kernel_dns_) all.capabilities.push_back(kernel_dns_->capability());
  if (plane_) all.kernel = [this] { return kernel_view(*plane_); };
  all.records = [this] { return dns_records(*publisher_); };
  if (dns_view_)
    all.explain_name = [this](const std::string& name, const std::string& type) {
      return dns_view_->explain(name, type);
    };
  all.metrics = [this](metrics::Page& page) {
    add_metrics(plane_.get(), dns_.get(), page);
    if (kernel_dns_) kernel_dns_->add_metrics(page);
    if (cluster_) cluster_->add_metrics(page);
    if (master_) master_->add_metrics(page, base::Clock::now());
    api::publish(api_counters_, page);
  };
  return all;
}

void Daemon::stop() {
  log::info("stopping", {{"kernel", "left as it is"}});
  if (sources_) sources_->stop();
  if (master_) master_->stop();
  remember_timer_.cancel();
  remember();
  reconcile_timer_.cancel();
  plane_retry_.cancel();
  link_watch_.reset();
  if (cluster_) cluster_->stop();
  if (local_http_) local_http_->stop();
  if (http_) http_->stop();
  if (mesos_dns_api_) mesos_dns_api_->stop();
  if (kernel_dns_) kernel_dns_->stop();
  if (dns_) dns_->stop();
}

}  // namespace viaduct::daemon
