#include "dns/mesos_http_settings.h"

#include <boost/json/array.hpp>
#include <string_view>

namespace viaduct::dns {
namespace {

namespace json = boost::json;

/// Mesos-DNS leaves out the port that it would take anyway.
std::string resolver(const base::Endpoint& server) {
  constexpr std::uint16_t kDnsPort = 53;
  return server.port == kDnsPort ? server.address.to_string() : server.to_string();
}

json::array list(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

std::string without_dot(std::string text) {
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

MesosHttpSettings mesos_http_settings(const Config& config) {
  MesosHttpSettings out;
  out.port = config.port;
  const ZoneOptions& zones = config.zones;
  const std::string domain = zones.mesos_domain.to_text();
  out.domain = without_dot(domain);
  out.ttl_s = zones.mesos_ttl_s.value_or(zones.ttl_s);
  out.srv_weight = zones.mesos_srv_weight;
  out.rfc952 = zones.mesos_labels == zones::LabelRule::rfc952;
  out.recursion = zones.mesos_recursion || !config.forward.upstreams.empty();
  const MesosSoa& soa = zones.mesos_soa;
  out.soa_mname = soa.primary ? soa.primary->to_text() : "ns1." + domain;
  out.soa_rname = soa.mailbox ? soa.mailbox->to_text() : "root." + out.soa_mname;
  out.soa_refresh_s = soa.refresh_s;
  out.soa_retry_s = soa.retry_s;
  out.soa_expire_s = soa.expire_s;
  out.enumeration = config.http.enumeration;
  out.forwards = !config.forward.upstreams.empty();
  for (const base::Endpoint& server : config.forward.upstreams)
    out.resolvers.push_back(resolver(server));
  for (const forward::ForwardZone& zone : config.forward.zones) {
    std::vector<std::string> servers;
    for (const base::Endpoint& server : zone.upstreams) servers.push_back(resolver(server));
    out.zone_resolvers.emplace_back(without_dot(zone.apex.to_text()), std::move(servers));
  }
  for (const zones::IpSource source : zones.ip_sources)
    out.ip_sources.emplace_back(zones::kIpSourceNames[static_cast<std::size_t>(source)]);
  if (!config.listen.empty()) out.listener = config.listen.front().to_string();
  if (config.http.listen) {
    out.http_listener = config.http.listen->address.to_string();
    out.http_port = config.http.listen->port;
  }
  return out;
}

json::object to_json(const MesosHttpSettings& settings, std::uint32_t serial) {
  json::object resolvers;
  for (const auto& [zone, servers] : settings.zone_resolvers) resolvers[zone] = list(servers);
  return {{"RefreshSeconds", settings.refresh_s},
          {"Port", settings.port},
          {"Timeout", 5},
          {"StateTimeoutSeconds", settings.state_timeout_s},
          {"ZkDetectionTimeout", settings.zk_detection_timeout_s},
          {"HttpPort", settings.http_port},
          {"TTL", settings.ttl_s},
          {"SRVRecordDefaultWeight", settings.srv_weight},
          {"SOASerial", serial},
          {"SOARefresh", settings.soa_refresh_s},
          {"SOARetry", settings.soa_retry_s},
          {"SOAExpire", settings.soa_expire_s},
          {"SOAMinttl", 60},
          {"SOAMname", settings.soa_mname},
          {"SOARname", settings.soa_rname},
          {"Masters", list(settings.masters)},
          {"ZoneResolvers", std::move(resolvers)},
          {"Resolvers", list(settings.resolvers)},
          {"IPSources", list(settings.ip_sources)},
          {"Zk", settings.zk},
          {"Domain", settings.domain},
          {"File", ""},
          {"Listener", settings.listener},
          {"HTTPListener", settings.http_listener},
          {"RecurseOn", settings.recursion},
          {"DnsOn", true},
          {"HttpOn", true},
          {"ExternalOn", settings.forwards},
          {"EnforceRFC952", settings.rfc952},
          {"SetTruncateBit", true},
          {"EnumerationOn", settings.enumeration},
          {"MesosHTTPSOn", settings.tls},
          {"CACertFile", settings.ca_file},
          {"CertFile", settings.certificate_file},
          {"KeyFile", settings.key_file},
          {"MesosCredentials", {{"Principal", settings.principal}, {"Secret", ""}}},
          {"IAMConfigFile", ""},
          {"MesosAuthentication", settings.principal.empty() ? "" : "basic"}};
}

}  // namespace viaduct::dns
