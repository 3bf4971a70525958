#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/result.h"

namespace viaduct::mesos {

/// Where a process of Mesos listens.
struct Pid {
  std::optional<base::Address> address;
  std::string host;  ///< a name that has to be looked up; "" with an address
  std::uint16_t port = 0;

  bool operator==(const Pid&) const = default;
};

/// Reads "slave(1)@192.0.2.1:5051", "master@[2001:db8::1]:5050", "scheduler-1@host.example:8080".
/// @errors unexpected_shape: what is wrong, without the place.
base::Result<Pid> parse_pid(std::string_view text);

/// Reads an address or a host name, port 0.
/// @errors unexpected_shape.
base::Result<Pid> parse_host(std::string_view text);

}  // namespace viaduct::mesos
