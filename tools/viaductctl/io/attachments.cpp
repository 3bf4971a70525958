#include "tools/viaductctl/io/attachments.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include "base/io/fd.h"

namespace viaduct::ctl {
namespace {

// dataplane/io/programs.cpp pins <bpffs>/links/<hook>; dataplane/io/attach.cpp
// <bpffs>/links/tc-<ifindex>-<direction>, or without tcx a clsact filter of this priority and
// handle, and <bpffs>/links/xdp-<mode>-<ifindex>.
constexpr const char* kSocketHooks[] = {"connect4",     "connect6", "getpeername4",
                                        "getpeername6", "recvmsg4", "recvmsg6",
                                        "sendmsg4",     "sendmsg6", "sock_release"};
constexpr std::uint32_t kClsactPriority = 118;
constexpr std::uint32_t kClsactHandle = 1;

std::optional<bpf_link_info> read_link(const std::string& pin) {
  const base::Fd fd(bpf_obj_get(pin.c_str()));
  bpf_link_info info{};
  std::uint32_t length = sizeof(info);
  if (!fd || bpf_obj_get_info_by_fd(fd.get(), &info, &length) != 0) return std::nullopt;
  return info;
}

}  // namespace

std::map<std::string, std::string> socket_programs(const std::string& bpffs,
                                                   const std::string& cgroup) {
  struct stat folder {};
  const bool known = ::stat(cgroup.c_str(), &folder) == 0;
  std::map<std::string, std::string> hooks;
  for (const char* hook : kSocketHooks) {
    std::string& wrong = hooks[hook];
    const auto info = read_link(bpffs + "/links/" + hook);
    if (!info)
      wrong = errno == ENOENT ? "no link" : std::generic_category().message(errno);
    else if (info->cgroup.cgroup_id == 0)
      wrong = "its cgroup is gone";
    // A cgroup's id is the inode number of its folder.
    else if (known && info->cgroup.cgroup_id != folder.st_ino)
      wrong = "on another cgroup";
  }
  return hooks;
}

std::string tunnel_program(const std::string& bpffs, const std::string& device) {
  const unsigned ifindex = ::if_nametoindex(device.c_str());
  for (const char* mode : {"native", "generic"}) {
    const auto link = read_link(bpffs + "/links/xdp-" + mode + "-" + std::to_string(ifindex));
    if (ifindex != 0 && link && link->xdp.ifindex == ifindex) return mode;
  }
  return "";
}

std::set<std::string> packet_programs(const std::string& bpffs, const std::string& device) {
  std::set<std::string> attached;
  const unsigned ifindex = ::if_nametoindex(device.c_str());
  if (ifindex == 0) return attached;
  for (const bool ingress : {true, false}) {
    const std::string direction = ingress ? "ingress" : "egress";
    const auto link = read_link(bpffs + "/links/tc-" + std::to_string(ifindex) + "-" + direction);
    // bpf_link_info.tcx begins with the device's index, as .xdp does; 0 once the device is gone.
    if (link && link->xdp.ifindex == ifindex) {
      attached.insert(direction);
      continue;
    }
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex),
                .attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
    LIBBPF_OPTS(bpf_tc_opts, filter, .handle = kClsactHandle, .priority = kClsactPriority);
    if (bpf_tc_query(&hook, &filter) == 0) attached.insert(direction);
  }
  return attached;
}

}  // namespace viaduct::ctl
