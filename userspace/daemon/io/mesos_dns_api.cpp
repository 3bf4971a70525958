#include "daemon/io/mesos_dns_api.h"

#include <chrono>

#include "dns/mesos_http.h"
#include "zookeeper/url.h"

namespace viaduct::daemon {
namespace {

/// What [dns] and [mesos] come to in Mesos-DNS' terms.
dns::MesosHttpSettings settings_of(const dns::Config& dns, const mesos::MasterConfig& master) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  dns::MesosHttpSettings out = dns::mesos_http_settings(dns);
  for (const base::Endpoint& endpoint : master.masters) out.masters.push_back(endpoint.to_string());
  // Its text leaves the password out.
  if (const auto url = zookeeper::parse_url(master.zookeeper)) out.zk = url->to_string();
  out.refresh_s = duration_cast<seconds>(master.refresh).count();
  out.state_timeout_s = duration_cast<seconds>(master.timeout).count();
  out.tls = master.tls;
  out.ca_file = master.ca_file;
  out.certificate_file = master.certificate_file;
  out.key_file = master.key_file;
  out.principal = master.user;
  return out;
}

}  // namespace

MesosDnsApi::MesosDnsApi(boost::asio::io_context& context, const dns::Config& config,
                         const mesos::MasterConfig& master, const Publisher& publisher)
    : config_(config),
      publisher_(publisher),
      settings_(settings_of(config, master)),
      server_(context, [this](const http::RequestHead& request) { return answer(request); }) {}

base::Result<void> MesosDnsApi::start() {
  auto listening = server_.listen_tcp(*config_.http.listen);
  if (!listening) return listening.error();
  return {};
}

http::Reply MesosDnsApi::answer(const http::RequestHead& request) const {
  const auto table = publisher_.table();
  const auto snapshot = publisher_.snapshot();
  const bool of_master = config_.zones.mesos == dns::MesosMode::master;
  dns::MesosHttpView view;
  view.version = VIADUCT_VERSION;
  view.table = table.get();
  if (snapshot) {
    view.tasks = of_master ? &snapshot->master.tasks : &snapshot->tasks;
    const auto& processes = of_master ? snapshot->master.processes : snapshot->processes;
    for (const auto& process : processes)
      if (process->row.role == service::MesosRole::framework)
        view.frameworks.push_back(process->row.name);
  }
  view.options = &config_.zones;
  view.domain = config_.zones.mesos_domain;
  view.settings = &settings_;
  return dns::answer_mesos_http(request, view);
}

}  // namespace viaduct::daemon
