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

/// New flows that were seen within this time are not to be forgotten yet.
constexpr std::uint32_t kNewFlowSeconds = 10;

struct FlowTable {
  base::Fd fd;
  std::uint32_t capacity = 0;
};

base::Result<FlowTable> open_flow_table(const std::string& path, std::size_t entry_size) {
  LIBBPF_OPTS(bpf_obj_get_opts, options, .file_flags = BPF_F_RDONLY);
  FlowTable table;
  table.fd = base::Fd(bpf_obj_get_opts(path.c_str(), &options));
  if (!table.fd) return base::from_errno(errno, "open pinned map " + path);
  bpf_map_info info{};
  std::uint32_t length = sizeof(info);
  if (const int rc = bpf_obj_get_info_by_fd(table.fd.get(), &info, &length); rc != 0)
    return base::from_errno(rc, "read the layout of " + path);
  if (info.key_size != sizeof(vd_flow_key) || info.value_size != entry_size)
    return base::from_errno(
        EPROTO, path + " has another layout: use the viaductctl of the running viaductd");
  table.capacity = info.max_entries;
  return table;
}

const vd_flow& flow_of(const vd_flow& entry) { return entry; }
const vd_flow& flow_of(const vd_flow_new& entry) { return entry.flow; }

using SeeFlow = std::function<void(const vd_flow_key&, const vd_flow&)>;

/// Calls `see` for every entry. Entries that come or go meanwhile may be missed or seen.
/// @return the entries that there is room for.
template <class Entry>
base::Result<std::uint32_t> for_each_flow(const std::string& path, const SeeFlow& see) {
  const auto table = open_flow_table(path, sizeof(Entry));
  if (!table) return table.error();
  std::vector<vd_flow_key> keys(kBatch);
  std::vector<Entry> entries(kBatch);
  std::uint32_t cursor = 0;
  for (bool first = true;; first = false) {
    std::uint32_t count = static_cast<std::uint32_t>(keys.size());
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    const int rc = bpf_map_lookup_batch(table->fd.get(), first ? nullptr : &cursor, &cursor,
                                        keys.data(), entries.data(), &count, &options);
    // One bucket has more entries than fit.
    if (rc == -ENOSPC) {
      keys.resize(keys.size() * 2);
      entries.resize(entries.size() * 2);
      continue;
    }
    if (rc != 0 && rc != -ENOENT) return base::from_errno(rc, "read the flow table " + path);
    for (std::uint32_t i = 0; i < count; i++) see(keys[i], flow_of(entries[i]));
    if (rc == -ENOENT) return table->capacity;
  }
}

base::Result<std::uint32_t> for_each_settled_flow(const std::string& bpffs, const SeeFlow& see) {
  return for_each_flow<vd_flow>(bpffs + "/vd_flow_v1", see);
}

base::Result<std::uint32_t> for_each_new_flow(const std::string& bpffs, const SeeFlow& see) {
  return for_each_flow<vd_flow_new>(bpffs + "/vd_flow_new_v1", see);
}

/// How full the flow tables are. Of new flows only those count that matter: the table is never
/// emptied, and forgets the oldest when it is full.
base::Result<std::vector<MapFacts>> flow_usage(const std::string& bpffs) {
  MapFacts settled{"flows", 0, 0};
  MapFacts fresh{"new_flows", 0, 0};
  const auto flows =
      for_each_settled_flow(bpffs, [&](const auto&, const auto&) { settled.used++; });
  if (!flows) return flows.error();
  const std::uint32_t now_s = coarse_seconds();
  const auto new_flows = for_each_new_flow(bpffs, [&](const auto&, const vd_flow& flow) {
    fresh.used += now_s <= flow.last_seen_s + kNewFlowSeconds;
  });
  if (!new_flows) return new_flows.error();
  settled.capacity = *flows;
  fresh.capacity = *new_flows;
  return std::vector{settled, fresh};
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
  const std::uint32_t now_s = coarse_seconds();
  const SeeFlow see = [&](const vd_flow_key& key, const vd_flow& flow) {
    if (auto object = packet_flow(key, flow, now_s)) list.add(std::move(*object));
  };
  if (const auto done = for_each_settled_flow(bpffs, see); !done) return done.error();
  if (const auto done = for_each_new_flow(bpffs, see); !done) return done.error();
  return {};
}

base::Result<MapsUsage> read_usage(const std::string& bpffs) {
  const auto maps = dataplane::Maps::open(bpffs, dataplane::Access::read);
  if (!maps) return maps.error();
  const auto image = maps->read();
  if (!image) return image.error();
  const auto flows = flow_usage(bpffs);
  if (!flows) return flows.error();
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
                {"nodes", image->nodes.size(), capacity.nodes - 1}};
  usage.maps.insert(usage.maps.end(), flows->begin(), flows->end());
  for (const auto& [address, id] : image->nodes) usage.nodes.insert(address);
  return usage;
}

}  // namespace viaduct::ctl
