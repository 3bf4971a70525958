#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dns/config.h"

namespace viaduct::dns {

/// What Mesos-DNS' configuration would be if it did what this node does. What nothing of ours
/// stands for has its default. There is no secret in it.
struct MesosHttpSettings {
  std::int64_t refresh_s = 60;
  std::uint16_t port = 53;
  std::int64_t state_timeout_s = 300;
  std::int64_t zk_detection_timeout_s = 30;
  std::uint16_t http_port = 8123;
  std::int64_t ttl_s = 60;
  std::int64_t srv_weight = 1;
  std::int64_t soa_refresh_s = 60;
  std::int64_t soa_retry_s = 600;
  std::int64_t soa_expire_s = 86400;
  std::string soa_mname = "ns1.mesos.";
  std::string soa_rname = "root.ns1.mesos.";
  std::vector<std::string> masters;  ///< "address:port"
  std::vector<std::pair<std::string, std::vector<std::string>>> zone_resolvers;
  std::vector<std::string> resolvers;
  std::vector<std::string> ip_sources;
  std::string zk;  ///< without its password
  std::string domain = "mesos";
  std::string listener;
  std::string http_listener;
  bool recursion = true;
  bool forwards = false;
  bool rfc952 = false;
  bool enumeration = true;
  bool tls = false;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  std::string principal;
};

/// As far as the settings of DNS say it; those of [mesos] are the caller's to fill in.
MesosHttpSettings mesos_http_settings(const Config& config);

/// Under Mesos-DNS' keys, in its order.
/// @param serial  of the zone at the moment.
boost::json::object to_json(const MesosHttpSettings& settings, std::uint32_t serial);

}  // namespace viaduct::dns
