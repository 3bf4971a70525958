#include "daemon/io/mesos_dns_api.h"

#include <utility>

#include "dns/mesos_http.h"

namespace viaduct::daemon {

MesosDnsApi::MesosDnsApi(boost::asio::io_context& context, const dns::Config& config,
                         const Publisher& publisher, dns::MesosHttpSettings settings)
    : config_(config),
      publisher_(publisher),
      settings_(std::move(settings)),
      server_(context, [this](const http::RequestHead& request) { return answer(request); }) {}

base::Result<void> MesosDnsApi::start() {
  auto listening = server_.listen_tcp(*config_.http.listen);
  if (!listening) return listening.error();
  return {};
}

http::Reply MesosDnsApi::answer(const http::RequestHead& request) const {
  const auto table = publisher_.table();
  const auto snapshot = publisher_.snapshot();
  dns::MesosHttpView view;
  view.version = VIADUCT_VERSION;
  view.table = table.get();
  if (snapshot) view.tasks = &snapshot->tasks;
  view.options = &config_.zones;
  view.domain = *dns::Name::parse(settings_.domain);
  view.settings = &settings_;
  return dns::answer_mesos_http(request, view);
}

}  // namespace viaduct::daemon
