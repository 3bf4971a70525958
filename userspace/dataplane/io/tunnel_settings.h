#pragma once

#include <cstdint>
#include <cstring>

#include "dataplane/config.h"
#include "dataplane/io/abi.h"

namespace viaduct::dataplane {

/// Tells xdp_lb where this machine's tunnels end.
/// @param rodata  of an xdp_lb that is not loaded yet.
/// @param viaduct0  index of the device that VIP routes lead into.
template <class Rodata>
void set_tunnel(Rodata& rodata, const Config& config, std::uint32_t viaduct0) {
  rodata.vd_viaduct0_ifindex = viaduct0;
  if (config.tunnel4.is_v4()) rodata.vd_own4 = to_abi(config.tunnel4).words[3];
  const vd_addr own6 = to_abi(config.tunnel6);
  if (config.tunnel6.is_v6()) std::memcpy(rodata.vd_own6, own6.words, sizeof(own6));
}

}  // namespace viaduct::dataplane
