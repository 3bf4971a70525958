#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/address.h"

namespace viaduct::dns {

/// Most name servers that glibc reads, and most search domains that all resolvers read
/// (resolv.conf(5)).
inline constexpr std::size_t kMaxNameServers = 3;
inline constexpr std::size_t kMaxSearchDomains = 6;
inline constexpr std::size_t kMaxSearchOctets = 256;

/// The contents of a resolv.conf.
/// @param servers  the first kMaxNameServers are used; at least one.
/// @param search  at most kMaxSearchDomains.
std::string resolv_conf(std::span<const base::Address> servers,
                        std::span<const std::string> search);

}  // namespace viaduct::dns
