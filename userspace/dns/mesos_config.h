#pragma once

#include <vector>

#include "config/key.h"
#include "config/values.h"
#include "dns/zones/zones.h"

namespace viaduct::dns {

/// The settings of the zone `mesos`, and what several of them must agree on.
std::vector<config::Key> mesos_keys();
std::vector<config::Rule> mesos_rules();

/// @param values  of a schema that has mesos_keys() and the rest of [dns].
void take_mesos(const config::Values& values, ZoneOptions& zones);

}  // namespace viaduct::dns
