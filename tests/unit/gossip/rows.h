#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/address.h"
#include "gossip/row_codec.h"
#include "service/mesos_row.h"
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

inline service::MesosRow process_row(service::MesosRole role, const char* id) {
  service::MesosRow row;
  row.role = role;
  row.id = id;
  if (role == service::MesosRole::framework) row.name = "marathon";
  row.addresses = {test::address("192.0.2.11")};
  row.port = 5050;
  return row;
}

/// What a row says; it must say something.
inline DecodedRow decoded(const WireRow& row, const RowRules& rules = {}) {
  auto made = decode_row(row, rules);
  EXPECT_TRUE(made) << made.error().message();
  return made ? *made : DecodedRow{};
}

/// Why a row is refused, which it must be.
inline std::string reason(const WireRow& row, const RowRules& rules = {}) {
  const auto made = decode_row(row, rules);
  EXPECT_FALSE(made);
  return made ? "" : made.error().context;
}

}  // namespace viaduct::gossip
