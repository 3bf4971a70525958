#include "dataplane/io/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "base/io/fd.h"

namespace viaduct::dataplane {
namespace {

// Linux 6.6 UAPI, which Debian 12's headers do not have yet.
constexpr int kTcxIngress = 46;
constexpr int kTcxEgress = 47;
constexpr std::uint32_t kTcxFirst = 1U << 3;  // BPF_F_BEFORE, of nothing: before all

constexpr std::uint32_t kClsactPriority = 118;
constexpr std::uint32_t kClsactPriorityDns = 117;
constexpr std::uint32_t kClsactHandle = 1;
constexpr std::uint32_t kLoopbackIndex = 1;

base::Fd open_link(const std::string& pin) { return base::Fd(bpf_obj_get(pin.c_str())); }

base::Result<bpf_link_info> link_info(int fd) {
  bpf_link_info info{};
  std::uint32_t length = sizeof(info);
  if (const int rc = bpf_obj_get_info_by_fd(fd, &info, &length); rc != 0)
    return base::from_errno(rc, "read a link");
  return info;
}

/// Swaps the program of a pinned link if `is_right` says that it is attached where it should be;
/// else removes the pin.
template <class IsRight>
bool swap_program(const std::string& pin, int program, IsRight is_right) {
  const base::Fd link = open_link(pin);
  if (!link) return false;
  const auto info = link_info(link.get());
  if (info && is_right(*info) && bpf_link_update(link.get(), program, nullptr) == 0) return true;
  unlink(pin.c_str());
  return false;
}

base::Result<void> create_and_pin(int program, int target, int attach_type, const std::string& pin,
                                  std::uint32_t flags = 0) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
  const base::Fd link(
      bpf_link_create(program, target, static_cast<bpf_attach_type>(attach_type), &options));
  if (!link) return base::from_errno(errno, "attach for " + pin);
  if (const int rc = bpf_obj_pin(link.get(), pin.c_str()); rc != 0)
    return base::from_errno(rc, "pin " + pin);
  return {};
}

}  // namespace

base::Result<void> attach_cgroup(int program, const std::string& cgroup, int attach_type,
                                 const std::string& pin) {
  const base::Fd fd(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return base::from_errno(errno, "open cgroup " + cgroup);
  struct statfs system {};
  if (fstatfs(fd.get(), &system) == 0 && system.f_type != CGROUP2_SUPER_MAGIC)
    return base::from_errno(ENOTSUP, cgroup + " is in no cgroup v2");
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return base::from_errno(errno, "stat cgroup " + cgroup);
  // A cgroup's id is the inode number of its folder (64-bit kernels).
  if (swap_program(pin, program, [&](const bpf_link_info& info) {
        return info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.cgroup_id == status.st_ino &&
               info.cgroup.attach_type == static_cast<__u32>(attach_type);
      }))
    return {};
  return create_and_pin(program, fd.get(), attach_type, pin);
}

void detach_cgroup(const std::string& pin) { unlink(pin.c_str()); }

bool has_tcx(int program) {
  const base::Fd link(
      bpf_link_create(program, kLoopbackIndex, static_cast<bpf_attach_type>(kTcxIngress), nullptr));
  return static_cast<bool>(link);
}

namespace {

std::string tc_pin(std::uint32_t ifindex, Direction direction, const std::string& links,
                   TcTurn turn) {
  return links + "/tc-" + std::to_string(ifindex) +
         (direction == Direction::ingress ? "-ingress" : "-egress") +
         (turn == TcTurn::dns ? "-dns" : "");
}

std::uint32_t priority_of(TcTurn turn) {
  return turn == TcTurn::dns ? kClsactPriorityDns : kClsactPriority;
}

}  // namespace

base::Result<void> attach_tc(TcMode mode, int program, std::uint32_t ifindex, Direction direction,
                             const std::string& links, TcTurn turn) {
  const bool ingress = direction == Direction::ingress;
  const std::string pin = tc_pin(ifindex, direction, links, turn);
  if (mode == TcMode::tcx) {
    // bpf_link_info.tcx begins with the device's index, as .xdp does; 0 once the device is gone.
    if (swap_program(pin, program,
                     [&](const bpf_link_info& info) { return info.xdp.ifindex == ifindex; }))
      return {};
    return create_and_pin(program, static_cast<int>(ifindex), ingress ? kTcxIngress : kTcxEgress,
                          pin, turn == TcTurn::dns ? kTcxFirst : 0);
  }
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex),
              .attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
  if (const int rc = bpf_tc_hook_create(&hook); rc != 0 && rc != -EEXIST)
    return base::from_errno(rc, "make clsact on link " + std::to_string(ifindex));
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = BPF_TC_F_REPLACE,
              .handle = kClsactHandle, .priority = priority_of(turn));
  if (const int rc = bpf_tc_attach(&hook, &options); rc != 0)
    return base::from_errno(rc, "attach a filter to link " + std::to_string(ifindex));
  unlink(pin.c_str());  // of an earlier process that used tcx
  return {};
}

void detach_tc(std::uint32_t ifindex, Direction direction, const std::string& links, TcTurn turn) {
  unlink(tc_pin(ifindex, direction, links, turn).c_str());
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex),
              .attach_point = direction == Direction::ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = kClsactHandle, .priority = priority_of(turn));
  bpf_tc_detach(&hook, &options);
}

namespace {

std::string xdp_pin(XdpMode mode, std::uint32_t ifindex, const std::string& links) {
  return links + (mode == XdpMode::native ? "/xdp-native-" : "/xdp-generic-") +
         std::to_string(ifindex);
}

}  // namespace

base::Result<void> attach_xdp(XdpMode mode, int program, std::uint32_t ifindex,
                              const std::string& links) {
  const std::string pin = xdp_pin(mode, ifindex, links);
  if (swap_program(pin, program, [&](const bpf_link_info& info) {
        return info.type == BPF_LINK_TYPE_XDP && info.xdp.ifindex == ifindex;
      }))
    return {};
  const XdpMode other = mode == XdpMode::native ? XdpMode::generic : XdpMode::native;
  unlink(xdp_pin(other, ifindex, links).c_str());
  LIBBPF_OPTS(bpf_link_create_opts, options,
              .flags = mode == XdpMode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);
  const base::Fd link(bpf_link_create(program, static_cast<int>(ifindex), BPF_XDP, &options));
  if (!link) return base::from_errno(errno, "attach for " + pin);
  if (const int rc = bpf_obj_pin(link.get(), pin.c_str()); rc != 0)
    return base::from_errno(rc, "pin " + pin);
  return {};
}

void detach_xdp(std::uint32_t ifindex, const std::string& links) {
  for (const XdpMode mode : {XdpMode::native, XdpMode::generic})
    unlink(xdp_pin(mode, ifindex, links).c_str());
}

void sweep_dead_links(const std::string& links) {
  std::error_code code;
  std::vector<std::string> dead;
  for (const auto& entry : std::filesystem::directory_iterator(links, code)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("tc-") && !name.starts_with("xdp-")) continue;
    const base::Fd link = open_link(entry.path().string());
    if (!link) continue;
    const auto info = link_info(link.get());
    if (info && info->xdp.ifindex == 0) dead.push_back(entry.path().string());
  }
  for (const std::string& pin : dead) unlink(pin.c_str());
}

}  // namespace viaduct::dataplane
