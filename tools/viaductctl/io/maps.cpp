#include "tools/viaductctl/io/maps.h"

#include <bpf/bpf.h>
#include <viaduct/abi/flow.h>

#include <boost/json.hpp>
#include <cerrno>
#include <functional>

#include "base/io/fd.h"
#include "dataplane/io/maps.h"
#include "tools/viaductctl/io/clock.h"
#include "tools/viaductctl/kernel.h"

namespace viaduct::ctl {
namespace {

constexpr std::uint32_t kBatch = 1024;

struct FlowMap {
  base::Fd fd;
  std::uint32_t capacity = 0;
};

base::Result<FlowMap> open_flow_map(const std::string& bpffs) {
  const std::string path = bpffs + "/vd_flow_v1";
  LIBBPF_OPTS(bpf_obj_get_opts, options, .file_flags = BPF_F_RDONLY);
  FlowMap map;
  map.fd = base::Fd(bpf_obj_get_opts(path.c_str(), &options));
  if (!map.fd) return base::from_errno(errno, "open pinned map " + path);
  bpf_map_info info{};
  std::uint32_t length = sizeof(info);
  if (const int rc = bpf_obj_get_info_by_fd(map.fd.get(), &info, &length); rc != 0)
    return base::from_errno(rc, "read the layout of " + path);
  if (info.key_size != sizeof(vd_flow_key) || info.value_size != sizeof(vd_flow))
    return base::from_errno(
        EPROTO, path + " has another layout: use the viaductctl of the running viaductd");
  map.capacity = info.max_entries;
  return map;
}

/// Calls `see` for every entry. Entries that come or go meanwhile may be missed or seen.
base::Result<void> for_each_flow(
    int fd, const std::function<void(const vd_flow_key&, const vd_flow&)>& see) {
  std::vector<vd_flow_key> keys(kBatch);
  std::vector<vd_flow> values(kBatch);
  std::uint32_t cursor = 0;
  for (bool first = true;; first = false) {
    std::uint32_t count = static_cast<std::uint32_t>(keys.size());
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    const int rc = bpf_map_lookup_batch(fd, first ? nullptr : &cursor, &cursor, keys.data(),
                                        values.data(), &count, &options);
    // One bucket has more entries than fit.
    if (rc == -ENOSPC) {
      keys.resize(keys.size() * 2);
      values.resize(values.size() * 2);
      continue;
    }
    if (rc != 0 && rc != -ENOENT) return base::from_errno(rc, "read the flow table");
    for (std::uint32_t i = 0; i < count; i++) see(keys[i], values[i]);
    if (rc == -ENOENT) return {};
  }
}

}  // namespace

base::Result<json::array> read_vips(const std::string& bpffs) {
  const auto maps = dataplane::Maps::open(bpffs, dataplane::Access::read);
  if (!maps) return maps.error();
  const auto image = maps->read();
  if (!image) return image.error();
  return kernel_vips(*image, [&](std::uint32_t id) { return maps->load(id); });
}

base::Result<void> read_packet_flows(const std::string& bpffs, FlowList& list) {
  const auto map = open_flow_map(bpffs);
  if (!map) return map.error();
  const std::uint32_t now_s = coarse_seconds();
  return for_each_flow(map->fd.get(), [&](const vd_flow_key& key, const vd_flow& flow) {
    if (auto object = packet_flow(key, flow, now_s)) list.add(std::move(*object));
  });
}

base::Result<MapsUsage> read_usage(const std::string& bpffs) {
  const auto maps = dataplane::Maps::open(bpffs, dataplane::Access::read);
  if (!maps) return maps.error();
  const auto image = maps->read();
  if (!image) return image.error();
  const auto flow_map = open_flow_map(bpffs);
  if (!flow_map) return flow_map.error();
  std::uint64_t flows = 0;
  if (auto done = for_each_flow(flow_map->fd.get(), [&](const auto&, const auto&) { flows++; });
      !done)
    return done.error();
  std::uint64_t services4 = 0;
  std::uint64_t slots = 0;
  MapsUsage usage;
  for (const auto& [key, entry] : image->services) {
    usage.vip_addresses.insert(key.address);
    services4 += key.address.is_v4();
    slots += entry.slot_count;
  }
  const dataplane::Capacity capacity = maps->capacity();
  // Each family has a map of this size; the fuller one counts.
  const std::uint64_t services = std::max(services4, image->services.size() - services4);
  usage.maps = {{"services", services, capacity.services},
                {"backends", image->backends.size(), capacity.backends - 1},
                {"slots", slots, capacity.slots},
                {"nodes", image->nodes.size(), capacity.nodes - 1},
                {"flows", flows, flow_map->capacity}};
  for (const auto& [address, id] : image->nodes) usage.nodes.insert(address);
  return usage;
}

}  // namespace viaduct::ctl
