#include "dataplane/io/maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <viaduct/abi/node.h>
#include <viaduct/abi/reason.h>
#include <viaduct/abi/service.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <type_traits>
#include <utility>

#include "dataplane/io/abi.h"

namespace viaduct::dataplane {
namespace {

constexpr int kReadBatch = 1024;

struct Opened {
  base::Fd fd;
  bpf_map_info info{};
};

base::Result<Opened> open_pin(const std::string& bpffs, const char* name, Access access) {
  const std::string path = bpffs + "/" + name;
  LIBBPF_OPTS(bpf_obj_get_opts, options,
              .file_flags = access == Access::read ? std::uint32_t{BPF_F_RDONLY} : 0U);
  Opened opened;
  opened.fd = base::Fd(bpf_obj_get_opts(path.c_str(), &options));
  if (!opened.fd) return base::from_errno(errno, "open pinned map " + path);
  std::uint32_t length = sizeof(opened.info);
  if (const int rc = bpf_obj_get_info_by_fd(opened.fd.get(), &opened.info, &length); rc != 0)
    return base::from_errno(rc, "read the layout of " + path);
  return opened;
}

template <class Key>
base::Result<void> read_services(int fd, Image& image) {
  std::vector<Key> keys(kReadBatch);
  std::vector<vd_service> values(kReadBatch);
  std::uint32_t cursor = 0;
  bool first = true;
  while (true) {
    std::uint32_t count = kReadBatch;
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    const int rc = bpf_map_lookup_batch(fd, first ? nullptr : &cursor, &cursor, keys.data(),
                                        values.data(), &count, &options);
    if (rc < 0 && rc != -ENOENT) return base::from_errno(rc, "read the service map");
    for (std::uint32_t i = 0; i < count; i++) {
      const ServiceEntry entry = from_abi(keys[i], values[i]);
      image.services[entry.key] = entry;
    }
    if (rc == -ENOENT) return {};
    first = false;
  }
}

}  // namespace

Maps::Maps(Maps&& other) noexcept { *this = std::move(other); }

Maps& Maps::operator=(Maps&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  service4_ = std::move(other.service4_);
  service6_ = std::move(other.service6_);
  counter_ = std::move(other.counter_);
  slots_ = std::exchange(other.slots_, {});
  backends_ = std::exchange(other.backends_, {});
  loads_ = std::exchange(other.loads_, {});
  nodes_ = std::exchange(other.nodes_, {});
  capacity_ = other.capacity_;
  return *this;
}

Maps::~Maps() { unmap(); }

void Maps::unmap() {
  for (Mapped* mapped : {&slots_, &backends_, &loads_, &nodes_})
    if (mapped->memory) munmap(std::exchange(mapped->memory, nullptr), mapped->bytes);
}

base::Result<Maps> Maps::open(const std::string& bpffs, Access access) {
  Maps maps;
  auto service4 = open_pin(bpffs, "vd_service4_v1", access);
  if (!service4) return service4.error();
  auto service6 = open_pin(bpffs, "vd_service6_v1", access);
  if (!service6) return service6.error();
  auto counter = open_pin(bpffs, "vd_counter_v1", access);
  if (!counter) return counter.error();

  const auto map_memory = [&](const char* name, Mapped& mapped,
                              std::uint32_t& entries) -> base::Result<void> {
    // Mapping a read-only descriptor fails: the kernel takes a shared mapping of one for a private
    // one.
    auto opened = open_pin(bpffs, name, Access::write);
    if (!opened) return opened.error();
    entries = opened->info.max_entries;
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes =
        (std::size_t{entries} * opened->info.value_size + page - 1) / page * page;
    const int protection = access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE;
    void* memory = mmap(nullptr, bytes, protection, MAP_SHARED, opened->fd.get(), 0);
    if (memory == MAP_FAILED)
      return base::from_errno(errno, "map " + bpffs + "/" + name + " into memory");
    mapped = {memory, bytes};
    return {};
  };
  std::uint32_t lines = 0;
  std::uint32_t loads = 0;
  for (const auto& result : {map_memory("vd_slot_v1", maps.slots_, lines),
                             map_memory("vd_backend_v1", maps.backends_, maps.capacity_.backends),
                             map_memory("vd_load_v1", maps.loads_, loads),
                             map_memory("vd_node_v1", maps.nodes_, maps.capacity_.nodes)})
    if (!result) return result.error();
  if (loads != maps.capacity_.backends)
    return base::from_errno(EINVAL, "vd_load_v1 and vd_backend_v1 differ in size");

  maps.capacity_.services = service4->info.max_entries;
  maps.capacity_.slots = lines * VD_SLOTS_PER_LINE;
  maps.service4_ = std::move(service4->fd);
  maps.service6_ = std::move(service6->fd);
  maps.counter_ = std::move(counter->fd);
  return maps;
}

base::Result<Image> Maps::read() const {
  Image image;
  if (auto done = read_services<vd_service4_key>(service4_.get(), image); !done)
    return done.error();
  if (auto done = read_services<vd_service6_key>(service6_.get(), image); !done)
    return done.error();
  const std::span backends(static_cast<const vd_backend*>(backends_.memory), capacity_.backends);
  for (std::uint32_t id = 1; id < backends.size(); id++) {
    if (backends[id].service_id != 0)
      apply(image, PutBackend{from_abi(id, backends[id]), false});
    else if (backends[id].generation != 0)
      image.free_generations[id] = backends[id].generation;
  }
  const std::span nodes(static_cast<const vd_node*>(nodes_.memory), capacity_.nodes);
  for (std::uint32_t id = 1; id < nodes.size(); id++)
    if (const base::Address address = from_abi(nodes[id].addr); !address.is_unspecified())
      image.nodes.emplace(address, id);
  return image;
}

base::Result<void> Maps::write(const Op& op) {
  const auto write_backend = [&](std::uint32_t id, const vd_backend& value) {
    // A program may read this element now: its owner appears last and disappears first.
    auto& element = static_cast<vd_backend*>(backends_.memory)[id];
    std::atomic_ref<__u32> owner(element.service_id);
    if (element.service_id != value.service_id) owner.store(0, std::memory_order_release);
    element.addr = value.addr;
    element.port = value.port;
    element.weight = value.weight;
    element.node_id = value.node_id;
    std::atomic_ref<__u32>(element.generation).store(value.generation, std::memory_order_release);
    owner.store(value.service_id, std::memory_order_release);
  };
  return std::visit(
      [&](const auto& one) -> base::Result<void> {
        using Kind = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<Kind, PutBackend>) {
          if (one.fresh)
            std::memset(static_cast<vd_load*>(loads_.memory) + one.entry.id, 0, sizeof(vd_load));
          write_backend(one.entry.id, to_abi(one.entry));
        } else if constexpr (std::is_same_v<Kind, DropBackend>) {
          // A program that picked it a moment ago still reads its address.
          vd_backend gone = static_cast<const vd_backend*>(backends_.memory)[one.id];
          gone.service_id = 0;
          gone.generation = one.generation;
          write_backend(one.id, gone);
        } else if constexpr (std::is_same_v<Kind, PutNode>) {
          static_cast<vd_node*>(nodes_.memory)[one.id].addr = to_abi(one.address);
        } else if constexpr (std::is_same_v<Kind, PutSlots>) {
          auto* slots = static_cast<__u32*>(slots_.memory) + one.offset;
          for (std::size_t i = 0; i < one.ids.size(); i++)
            if (slots[i] != one.ids[i])
              std::atomic_ref<__u32>(slots[i]).store(one.ids[i], std::memory_order_release);
        } else if constexpr (std::is_same_v<Kind, PutService>) {
          const vd_service value = to_abi(one.entry);
          const bool v4 = one.entry.key.address.is_v4();
          const vd_service4_key key4 = to_abi4(one.entry.key);
          const vd_service6_key key6 = to_abi6(one.entry.key);
          const int rc = v4 ? bpf_map_update_elem(service4_.get(), &key4, &value, BPF_ANY)
                            : bpf_map_update_elem(service6_.get(), &key6, &value, BPF_ANY);
          if (rc != 0) return base::from_errno(rc, "write service " + one.entry.key.to_string());
        } else {
          static_assert(std::is_same_v<Kind, DropService>);
          const vd_service4_key key4 = to_abi4(one.key);
          const vd_service6_key key6 = to_abi6(one.key);
          const int rc = one.key.address.is_v4() ? bpf_map_delete_elem(service4_.get(), &key4)
                                                 : bpf_map_delete_elem(service6_.get(), &key6);
          if (rc != 0 && rc != -ENOENT)
            return base::from_errno(rc, "remove service " + one.key.to_string());
        }
        return {};
      },
      op);
}

std::span<const std::uint32_t> Maps::slots() const {
  return {static_cast<const std::uint32_t*>(slots_.memory), capacity_.slots};
}

Capacity Maps::capacity() const { return capacity_; }

Load Maps::load(std::uint32_t id) const {
  if (id >= capacity_.backends) return {};
  const auto& element = static_cast<const volatile vd_load*>(loads_.memory)[id];
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const auto left =
      static_cast<std::int32_t>(element.ejected_until_s - static_cast<std::uint32_t>(now.tv_sec));
  return {element.open,
          element.connects,
          element.flows,
          element.packets,
          element.failures,
          element.ejected_total,
          std::chrono::seconds(element.ejected_until_s != 0 && left > 0 ? left : 0),
          element.last_error,
          std::chrono::microseconds(element.ewma_us)};
}

bool Maps::holds(std::uint32_t id, std::uint32_t generation) const {
  if (id >= capacity_.backends) return false;
  const auto& element = static_cast<const volatile vd_backend*>(backends_.memory)[id];
  return element.service_id != 0 && element.generation == generation;
}

std::optional<base::Address> Maps::node_of(std::uint32_t backend) const {
  if (backend >= capacity_.backends) return std::nullopt;
  const std::uint32_t node = static_cast<const vd_backend*>(backends_.memory)[backend].node_id;
  if (node == 0 || node >= capacity_.nodes) return std::nullopt;
  return from_abi(static_cast<const vd_node*>(nodes_.memory)[node].addr);
}

base::Result<std::vector<Counter>> Maps::counters() const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return base::from_errno(cpus, "count CPUs");
  static constexpr const char* kHooks[] = {"sock",   "request", "reply", "host",
                                           "health", "uplink",  "xdp"};
  static_assert(std::size(kHooks) == VD_HOOK_COUNT);
  static constexpr std::pair<const char*, const char*> kReasons[] = {
#define VIADUCT_REASON(name, verdict, help) {#name, #verdict},
      VD_REASONS(VIADUCT_REASON)
#undef VIADUCT_REASON
  };
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
  };
  std::vector<Counter> counters;
  std::vector<__u64> values(static_cast<std::size_t>(cpus));
  for (std::uint32_t hook = 0; hook < VD_HOOK_COUNT; hook++) {
    for (std::uint32_t reason = 1; reason < VD_REASON_COUNT; reason++) {
      const std::uint32_t key = hook * VD_REASON_MAX + reason;
      if (const int rc = bpf_map_lookup_elem(counter_.get(), &key, values.data()); rc != 0)
        return base::from_errno(rc, "read the counters");
      std::uint64_t sum = 0;
      for (const __u64 value : values) sum += value;
      if (sum > 0)
        counters.push_back(
            {kHooks[hook], lower(kReasons[reason].first), lower(kReasons[reason].second), sum});
    }
  }
  return counters;
}

}  // namespace viaduct::dataplane
