#pragma once

#include <map>
#include <set>
#include <string>

namespace viaduct::ctl {

/// The socket hooks that viaductd pins links for, each with "" when its program is attached to the
/// cgroup, else what is wrong.
std::map<std::string, std::string> socket_programs(const std::string& bpffs,
                                                   const std::string& cgroup);

/// How our XDP program is attached to a device: "native", "generic"; empty: it is not.
std::string tunnel_program(const std::string& bpffs, const std::string& device);

/// Where our packet programs are attached to a device: "ingress", "egress"; by a pinned tcx link or
/// our clsact filter.
std::set<std::string> packet_programs(const std::string& bpffs, const std::string& device);

}  // namespace viaduct::ctl
