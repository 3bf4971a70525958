#pragma once

#include <string>

#include "base/address.h"
#include "service/row.h"

namespace viaduct::test {

inline base::Address address(const char* text) { return *base::Address::parse(text); }

}  // namespace viaduct::test

namespace viaduct::gossip {

inline service::BackendRow backend_row(service::VipTarget vip, std::uint16_t port,
                                       const char* backend) {
  service::BackendRow row;
  row.vip = std::move(vip);
  row.vip_port = port;
  row.backend = base::Endpoint::parse(backend).value_or(base::Endpoint{});
  return row;
}

inline service::TaskRow task_row(const char* name, const char* id) {
  service::TaskRow row;
  row.framework = "marathon";
  row.id = id;
  row.name = name;
  row.agent_id = "a-S1";
  row.agent = {test::address("192.0.2.21")};
  row.addresses = {{service::AddressSource::netinfo, test::address("198.51.100.5")}};
  return row;
}

}  // namespace viaduct::gossip
