#pragma once

#include <string>

#include "api/config.h"
#include "base/address.h"
#include "config/key.h"
#include "config/values.h"
#include "dataplane/config.h"
#include "dns/config.h"
#include "files/config.h"
#include "gossip/config.h"
#include "mesos/config.h"
#include "service/named_address.h"

namespace viaduct::daemon {

/// All that viaductd is told.
struct Config {
  std::string node_name;      ///< "": the host's
  std::string node_address;   ///< "": detected
  std::string node_address6;  ///< "": detected
  std::string state_folder;   ///< "": nothing is remembered over a restart
  std::string log_level;
  std::string log_format;
  service::NamedRanges ranges;
  bool enable_ipv6 = true;
  api::Config api;
  files::Config files;
  gossip::Config gossip;
  mesos::Config mesos;
  dataplane::Config dataplane;
  dns::Config dns;
};

/// Every key of every module.
config::Schema schema();

Config from(const config::Values& values);

}  // namespace viaduct::daemon
