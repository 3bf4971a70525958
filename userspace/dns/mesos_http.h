#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dns/mesos_http_settings.h"
#include "dns/table.h"
#include "dns/zones/zones.h"
#include "http/reply.h"
#include "service/snapshot.h"

namespace viaduct::dns {

/// What the HTTP API of Mesos-DNS tells of.
struct MesosHttpView {
  std::string_view version;               ///< ours
  const Table* table = nullptr;           ///< null: no names are known yet
  const service::Tasks* tasks = nullptr;  ///< that the zone is made of; null: none
  std::vector<std::string> frameworks;    ///< registered names, those without tasks too
  const ZoneOptions* options = nullptr;   ///< how records are made of tasks
  Name domain;                            ///< the zone's apex
  const MesosHttpSettings* settings = nullptr;
};

/// Answers as Mesos-DNS 0.7 does: /v1/version, config, hosts/{name}, hosts/{name}/ports,
/// services/{name}, enumerate, axfr. Where that shuffles, the table's order is kept.
/// Costs as much as the answer is long; enumerate and axfr are of the whole zone.
/// Source: facts on Mesos-DNS, 8; recorded answers.
http::Reply answer_mesos_http(const http::RequestHead& request, const MesosHttpView& view);

}  // namespace viaduct::dns
