#pragma once

#include <string>
#include <string_view>

#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// One line a VIP. @param vips  the reply of /v1/vips, or kernel_vips() when the daemon is away.
std::string vips_text(const json::array& vips);

/// Everything about each of some VIPs.
std::string vip_text(const json::array& vips);

/// One line a backend.
std::string backends_text(const json::array& vips);

/// The VIPs that a person may mean by "web.marathon", "web.marathon:80", the full DNS name with or
/// without port, "web" (any framework), "192.0.2.1", "192.0.2.1:80", "2001:db8::1" or
/// "[2001:db8::1]:80".
json::array select_vips(const json::array& vips, std::string_view wanted);

}  // namespace viaduct::ctl
