#include "dataplane/io/explain_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/io/fd.h"
#include "dataplane/io/host_device.h"
#include "dataplane/io/tunnel_settings.h"
#include "sock_explain.skel.h"
#include "tc_lb.skel.h"
#include "xdp_lb.skel.h"

namespace viaduct::dataplane {
namespace {

/// The maps of the programs that work; a copy must never make maps of its own.
base::Result<void> share_maps(bpf_object* object, const std::string& bpffs) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    const std::string name = bpf_map__name(map);
    if (!name.starts_with("vd_") || !name.ends_with("_v1")) continue;
    const std::string pin = bpffs + "/" + name;
    const base::Fd fd(bpf_obj_get(pin.c_str()));
    if (!fd) return base::from_errno(errno, "open pinned map " + pin);
    int rc = bpf_map__reuse_fd(map, fd.get());
    if (rc == 0) rc = bpf_map__set_pin_path(map, nullptr);  // or libbpf looks in its own folder
    if (rc != 0) return base::from_errno(rc, "share map " + name);
  }
  return {};
}

base::Result<void> pin(const bpf_program* program, const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return base::from_errno(errno, "remove " + path);
  if (const int rc = bpf_obj_pin(bpf_program__fd(program), path.c_str()); rc != 0)
    return base::from_errno(rc, "pin " + path);
  return {};
}

template <class Skeleton>
using Loaded = std::unique_ptr<Skeleton, void (*)(Skeleton*)>;

base::Result<void> pin_sockets(const std::string& bpffs, const std::string& folder) {
  const Loaded<sock_explain> copy(sock_explain::open(nullptr), sock_explain::destroy);
  if (!copy) return base::from_errno(errno, "open sock_explain");
  copy->rodata->vd_dry = 1;
  if (auto shared = share_maps(copy->obj, bpffs); !shared) return shared;
  if (const int rc = sock_explain::load(copy.get()); rc != 0)
    return base::from_errno(rc, "load sock_explain");
  return pin(copy->progs.vd_explain_socket, folder + kExplainSocket);
}

base::Result<void> pin_packets(const std::string& bpffs, const std::string& folder,
                               std::uint32_t viaduct0) {
  const Loaded<tc_lb> copy(tc_lb::open(nullptr), tc_lb::destroy);
  if (!copy) return base::from_errno(errno, "open tc_lb");
  copy->rodata->vd_dry = 1;
  copy->rodata->vd_viaduct0_ifindex = viaduct0;
  std::memcpy(copy->rodata->vd_viaduct0_mac, kHostDeviceMac.data(), kHostDeviceMac.size());
  bpf_program__set_autoload(copy->progs.vd_tc_reply, false);
  if (auto shared = share_maps(copy->obj, bpffs); !shared) return shared;
  if (const int rc = tc_lb::load(copy.get()); rc != 0)
    return base::from_errno(rc, "load a dry tc_lb");
  if (auto done = pin(copy->progs.vd_tc_request, folder + kExplainRequest); !done) return done;
  if (auto done = pin(copy->progs.vd_tc_uplink, folder + kExplainUplink); !done) return done;
  return pin(copy->progs.vd_tc_host, folder + kExplainHost);
}

base::Result<void> pin_tunnel(const Config& config, const std::string& folder,
                              std::uint32_t viaduct0) {
  const Loaded<xdp_lb> copy(xdp_lb::open(nullptr), xdp_lb::destroy);
  if (!copy) return base::from_errno(errno, "open xdp_lb");
  copy->rodata->vd_dry = 1;
  set_tunnel(*copy->rodata, config, viaduct0);
  if (auto shared = share_maps(copy->obj, config.bpffs); !shared) return shared;
  if (const int rc = xdp_lb::load(copy.get()); rc != 0)
    return base::from_errno(rc, "load a dry xdp_lb");
  return pin(copy->progs.vd_xdp_uplink, folder + kExplainXdp);
}

}  // namespace

base::Result<void> pin_explain_programs(const Config& config, std::uint32_t viaduct0) {
  const std::string folder = config.bpffs + "/programs/";
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return base::from_errno(code.value(), "make folder " + folder);
  const base::Result<void> all[] = {pin_sockets(config.bpffs, folder),
                                    pin_packets(config.bpffs, folder, viaduct0),
                                    pin_tunnel(config, folder, viaduct0)};
  for (const auto& one : all)
    if (!one) return one;
  return {};
}

}  // namespace viaduct::dataplane
