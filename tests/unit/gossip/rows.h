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

}  // namespace viaduct::gossip
