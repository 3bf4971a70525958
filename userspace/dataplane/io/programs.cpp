#include "dataplane/io/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/io/fd.h"
#include "base/io/log.h"
#include "dataplane/io/explain_programs.h"
#include "dataplane/io/tunnel_settings.h"
#include "sock_health.skel.h"
#include "sock_lb.skel.h"
#include "tc_dns.skel.h"
#include "tc_lb.skel.h"
#include "xdp_lb.skel.h"

namespace viaduct::dataplane {
namespace {

/// libbpf's warnings since the last call, for the error that follows them.
std::string& last_words() {
  static std::string words;
  return words;
}

int keep_words(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char line[4096];
  std::vsnprintf(line, sizeof(line), format, arguments);
  constexpr std::size_t kKept = 4000;
  std::string& words = last_words();
  words += line;
  if (words.size() > kKept) words.erase(0, words.size() - kKept);
  return 0;
}

base::Error load_error(int rc, const char* object) {
  std::string words = std::exchange(last_words(), {});
  return base::from_errno(rc, "load " + std::string(object) + (words.empty() ? "" : ": " + words));
}

/// Entries of a map that is pinned already; 0 when there is none.
std::uint32_t pinned_entries(const std::string& pin) {
  const base::Fd fd(bpf_obj_get(pin.c_str()));
  if (!fd) return 0;
  bpf_map_info info{};
  std::uint32_t length = sizeof(info);
  return bpf_obj_get_info_by_fd(fd.get(), &info, &length) == 0 ? info.max_entries : 0;
}

/// Gives every map its configured size. A pinned map keeps the size it was made with, for its
/// contents are in use.
void size_maps(bpf_object* object, const Config& config) {
  const auto wanted = [&](std::string_view name) -> std::uint32_t {
    if (name.starts_with("vd_service")) return config.max_services;
    if (name == "vd_backend_v1" || name == "vd_load_v1") return config.max_backends;
    if (name == "vd_slot_v1") return config.max_slot_lines;
    if (name == "vd_flow_v1") return config.max_flows;
    if (name == "vd_flow_new_v1") return config.max_new_flows;
    if (name == "vd_affinity_v1") return config.max_affinities;
    return 0;
  };
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    const std::string name = bpf_map__name(map);
    const std::uint32_t size = wanted(name);
    if (size == 0) continue;
    const std::uint32_t pinned = pinned_entries(config.bpffs + "/" + name);
    if (pinned != 0 && pinned != size)
      log::warn("map_size_kept",
                {{"map", name},
                 {"entries", pinned},
                 {"configured", size},
                 {"hint", "remove the pins while no traffic needs them to change the size"}});
    bpf_map__set_max_entries(map, pinned != 0 ? pinned : size);
  }
}

template <class Skeleton>
struct Destroy {
  void operator()(Skeleton* skeleton) const { Skeleton::destroy(skeleton); }
};

}  // namespace

struct Programs::Objects {
  std::unique_ptr<sock_lb, Destroy<sock_lb>> sock;
  std::unique_ptr<sock_health, Destroy<sock_health>> health;
  std::unique_ptr<tc_lb, Destroy<tc_lb>> tc;
  std::unique_ptr<tc_dns, Destroy<tc_dns>> dns;
  std::unique_ptr<xdp_lb, Destroy<xdp_lb>> xdp;
  std::string xdp_mode;
  TcMode mode = TcMode::tcx;
  std::string links;
  std::vector<Capability> capabilities;
};

namespace {

base::Result<void> load_sockets(const Config& config, Programs::Objects& objects) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = config.bpffs.c_str());
  const bool set_retval =
      libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_FUNC_set_retval, nullptr) == 1;
  objects.capabilities.push_back({"set_retval", set_retval,
                                  set_retval
                                      ? "refused connects fail with ECONNREFUSED"
                                      : "refused connects fail with EPERM (needs Linux 6.1)"});
  objects.sock.reset(sock_lb::open(&options));
  if (!objects.sock) return load_error(errno, "sock_lb");
  objects.sock->rodata->vd_has_set_retval = set_retval;
  size_maps(objects.sock->obj, config);
  if (const int rc = sock_lb::load(objects.sock.get()); rc != 0) {
    objects.sock.reset();
    return load_error(rc, "sock_lb");
  }
  return {};
}

template <class Rodata>
void set_health(Rodata& rodata, const Config& config) {
  rodata.vd_health_failures = config.health_failures;
  rodata.vd_health_backoff_s = static_cast<__u32>(config.health_backoff.count());
  rodata.vd_health_backoff_max_s = static_cast<__u32>(config.health_backoff_max.count());
  rodata.vd_health_max_percent = config.health_max_percent;
}

/// Without it every backend counts as healthy.
base::Result<void> load_health(const Config& config, Programs::Objects& objects) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = config.bpffs.c_str());
  objects.health.reset(sock_health::open(&options));
  if (!objects.health) return load_error(errno, "sock_health");
  set_health(*objects.health->rodata, config);
  size_maps(objects.health->obj, config);
  if (const int rc = sock_health::load(objects.health.get()); rc != 0) {
    objects.health.reset();
    return load_error(rc, "sock_health");
  }
  return {};
}

void choose_mode(const Config& config, const bpf_program* program, Programs::Objects& objects) {
  const bool tcx = has_tcx(bpf_program__fd(program));
  objects.mode =
      config.tc == "clsact" || (config.tc == "auto" && !tcx) ? TcMode::clsact : TcMode::tcx;
  objects.capabilities.push_back({"tcx", tcx,
                                  objects.mode == TcMode::tcx
                                      ? "packet programs are attached by tcx links"
                                      : "packet programs are attached as clsact filters"});
}

base::Result<void> load_packets(const Config& config, std::uint32_t viaduct0,
                                Programs::Objects& objects) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = config.bpffs.c_str());
  objects.tc.reset(tc_lb::open(&options));
  if (!objects.tc) return load_error(errno, "tc_lb");
  objects.tc->rodata->vd_viaduct0_ifindex = viaduct0;
  std::memcpy(objects.tc->rodata->vd_viaduct0_mac, kHostDeviceMac.data(), kHostDeviceMac.size());
  set_health(*objects.tc->rodata, config);
  size_maps(objects.tc->obj, config);
  if (const int rc = tc_lb::load(objects.tc.get()); rc != 0) {
    objects.tc.reset();
    return load_error(rc, "tc_lb");
  }
  choose_mode(config, objects.tc->progs.vd_tc_reply, objects);
  return {};
}

/// What its maps hold is others' matter: until they say so, every query goes to user space.
base::Result<void> load_dns(const Config& config, Programs::Objects& objects) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = config.bpffs.c_str());
  objects.dns.reset(tc_dns::open(&options));
  if (!objects.dns) return load_error(errno, "tc_dns");
  if (const int rc = tc_dns::load(objects.dns.get()); rc != 0) {
    objects.dns.reset();
    return load_error(rc, "tc_dns");
  }
  if (!objects.tc) choose_mode(config, objects.dns->progs.vd_dns_loopback, objects);
  return {};
}

base::Result<void> load_tunnel(const Config& config, std::uint32_t viaduct0,
                               Programs::Objects& objects) {
  objects.xdp_mode = config.xdp;
  if (config.xdp == "off") return base::from_errno(ENOTSUP, "dataplane.xdp is off");
  LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = config.bpffs.c_str());
  objects.xdp.reset(xdp_lb::open(&options));
  if (!objects.xdp) return load_error(errno, "xdp_lb");
  set_tunnel(*objects.xdp->rodata, config, viaduct0);
  size_maps(objects.xdp->obj, config);
  if (const int rc = xdp_lb::load(objects.xdp.get()); rc != 0) {
    objects.xdp.reset();
    return load_error(rc, "xdp_lb");
  }
  return {};
}

base::Error not_loaded(const char* what) {
  return base::from_errno(ENOTSUP, std::string(what) + " could not be loaded");
}

}  // namespace

Programs::Programs(std::unique_ptr<Objects> objects) : objects_(std::move(objects)) {}
Programs::Programs(Programs&&) noexcept = default;
Programs& Programs::operator=(Programs&&) noexcept = default;
Programs::~Programs() = default;

const std::vector<Capability>& Programs::capabilities() const { return objects_->capabilities; }

base::Result<Programs> Programs::load(const Config& config, std::uint32_t viaduct0) {
  libbpf_set_print(keep_words);
  auto objects = std::make_unique<Objects>();
  objects->links = config.bpffs + "/links";
  const auto sockets = load_sockets(config, *objects);
  const auto health = sockets ? load_health(config, *objects) : sockets;
  const auto packets = load_packets(config, viaduct0, *objects);
  const auto tunnel = packets ? load_tunnel(config, viaduct0, *objects) : packets;
  const auto dns = config.dns ? load_dns(config, *objects) : base::Result<void>();
  if (!sockets && !packets) return sockets.error();
  const auto tell = [&](const char* name, const base::Result<void>& result, const char* works,
                        const char* instead) {
    objects->capabilities.push_back(
        {name, result.has_value(), result ? works : instead + result.error().message()});
  };
  tell("socket programs", sockets, "connect() and sendmsg() reach VIPs without a cost per packet",
       "packets are balanced instead: ");
  tell("passive health", health, "backends that refuse connects are ejected within this node",
       "backends that refuse connects stay in use: ");
  tell("packet programs", packets, "packets that no socket hook saw are balanced",
       "only processes in the cgroup reach VIPs: ");
  tell("tunnel program", tunnel, "uplinks send VIP traffic to backends of other machines",
       "packets of other machines reach this machine's backends only: ");
  if (config.dns)
    tell("dns program", dns, "the kernel may answer names on container links and lo",
         "user space answers all names: ");
  tell("explain", pin_explain_programs(config, viaduct0),
       "viaductctl explain runs dry copies of the programs", "viaductctl explain does not work: ");
  return Programs(std::move(objects));
}

base::Result<void> Programs::attach_sockets(const std::string& cgroup) {
  if (!objects_->sock) return not_loaded("the socket programs");
  const auto& programs = objects_->sock->progs;
  const struct {
    bpf_program* program;
    bpf_attach_type type;
    const char* name;
  } all[] = {
      // What a socket needs to be understood comes before what makes it need it.
      {programs.vd_sock_release, BPF_CGROUP_INET_SOCK_RELEASE, "sock_release"},
      {programs.vd_getpeername4, BPF_CGROUP_INET4_GETPEERNAME, "getpeername4"},
      {programs.vd_getpeername6, BPF_CGROUP_INET6_GETPEERNAME, "getpeername6"},
      {programs.vd_recvmsg4, BPF_CGROUP_UDP4_RECVMSG, "recvmsg4"},
      {programs.vd_recvmsg6, BPF_CGROUP_UDP6_RECVMSG, "recvmsg6"},
      {programs.vd_sendmsg4, BPF_CGROUP_UDP4_SENDMSG, "sendmsg4"},
      {programs.vd_sendmsg6, BPF_CGROUP_UDP6_SENDMSG, "sendmsg6"},
      {programs.vd_connect4, BPF_CGROUP_INET4_CONNECT, "connect4"},
      {programs.vd_connect6, BPF_CGROUP_INET6_CONNECT, "connect6"},
  };
  for (const auto& one : all) {
    auto done = attach_cgroup(bpf_program__fd(one.program), cgroup, one.type,
                              objects_->links + "/" + one.name);
    if (!done) return done.error();
  }
  if (!objects_->health) return {};
  return attach_cgroup(bpf_program__fd(objects_->health->progs.vd_sock_health), cgroup,
                       BPF_CGROUP_SOCK_OPS, objects_->links + "/sock_ops");
}

void Programs::detach_sockets() {
  // What makes a socket need the others goes first.
  for (const char* hook : {"connect4", "connect6", "sendmsg4", "sendmsg6", "recvmsg4", "recvmsg6",
                           "getpeername4", "getpeername6", "sock_release", "sock_ops"})
    detach_cgroup(objects_->links + "/" + hook);
}

base::Result<void> Programs::attach_dns(const bpf_program* program, std::uint32_t ifindex,
                                        Direction direction) {
  if (objects_->dns)
    return attach_tc(objects_->mode, bpf_program__fd(program), ifindex, direction, objects_->links,
                     TcTurn::dns);
  detach_tc(ifindex, direction, objects_->links, TcTurn::dns);  // of an earlier process
  return {};
}

bool Programs::has_dns() const { return objects_->dns != nullptr; }

base::Result<void> Programs::attach_loopback() {
  constexpr std::uint32_t kLoopback = 1;  // in every network namespace
  const bpf_program* program = objects_->dns ? objects_->dns->progs.vd_dns_loopback : nullptr;
  return attach_dns(program, kLoopback, Direction::egress);
}

base::Result<void> Programs::attach_container(std::uint32_t ifindex) {
  const bpf_program* program = objects_->dns ? objects_->dns->progs.vd_dns_container : nullptr;
  auto balanced = attach_balance(ifindex);
  auto answered = attach_dns(program, ifindex, Direction::ingress);
  return balanced ? answered : balanced;
}

base::Result<void> Programs::attach_balance(std::uint32_t ifindex) {
  if (!objects_->tc) return {};
  const auto& programs = objects_->tc->progs;
  auto done = attach_tc(objects_->mode, bpf_program__fd(programs.vd_tc_reply), ifindex,
                        Direction::egress, objects_->links);
  if (!done) return done;
  return attach_tc(objects_->mode, bpf_program__fd(programs.vd_tc_request), ifindex,
                   Direction::ingress, objects_->links);
}

base::Result<void> Programs::attach_uplink(const Link& link) {
  if (!objects_->tc) return {};
  const auto& programs = objects_->tc->progs;
  auto done = attach_tc(objects_->mode, bpf_program__fd(programs.vd_tc_reply), link.ifindex,
                        Direction::egress, objects_->links);
  if (!done) return done;
  done = attach_tc(objects_->mode, bpf_program__fd(programs.vd_tc_uplink), link.ifindex,
                   Direction::ingress, objects_->links);
  if (done) attach_tunnel(link);
  return done;
}

/// XDP is an extra: without it the link serves this machine's backends, and a capability says so.
void Programs::attach_tunnel(const Link& link) {
  const bool left_alone = objects_->xdp_mode == "auto" && link.kind == "veth";
  std::string detail = objects_->xdp ? "a veth, which dataplane.xdp = auto leaves alone"
                                     : "the tunnel program is off or not loaded";
  bool attached = false;
  const bool wanted = objects_->xdp && !left_alone;
  if (!wanted) detach_xdp(link.ifindex, objects_->links);
  for (const XdpMode mode : {XdpMode::native, XdpMode::generic}) {
    const char* word = mode == XdpMode::native ? "native" : "generic";
    if (!wanted || attached || (objects_->xdp_mode != "auto" && objects_->xdp_mode != word))
      continue;
    const auto done = attach_xdp(mode, bpf_program__fd(objects_->xdp->progs.vd_xdp_uplink),
                                 link.ifindex, objects_->links);
    attached = done.has_value();
    detail = attached ? word : done.error().message();
  }
  const std::string name = "xdp on " + link.name;
  std::erase_if(objects_->capabilities, [&](const auto& one) { return one.name == name; });
  objects_->capabilities.push_back({name, attached, detail});
}

base::Result<void> Programs::attach_host_device(std::uint32_t ifindex) {
  if (!objects_->tc) return {};
  return attach_tc(objects_->mode, bpf_program__fd(objects_->tc->progs.vd_tc_host), ifindex,
                   Direction::egress, objects_->links);
}

}  // namespace viaduct::dataplane
