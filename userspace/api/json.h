#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <vector>

#include "api/views.h"

namespace viaduct::api {

// The JSON of each path; the shapes are in the README.

/// /v1/vips: one element a service. A named VIP with backends of both families has one for each.
boost::json::value vips_json(const Views& views);
/// /v1/rows: what each source read and what was refused.
boost::json::value rows_json(const Views& views);
/// /v1/status.
boost::json::value status_json(const Views& views);
/// How a source fares, without its rows; age_ms is null while it has never answered.
boost::json::object source_json(const service::LocalTable::Source& source, base::Time now);
/// /v1/members.
boost::json::value members_json(const ClusterStatus& status);
/// /v1/dns.
boost::json::value explanation_json(const DnsExplanation& explanation);
/// /v1/records.
boost::json::value records_json(const std::vector<DnsRecord>& records);

}  // namespace viaduct::api
