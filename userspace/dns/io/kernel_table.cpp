#include "dns/io/kernel_table.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "dns/name.h"
#include "dns/sequence_words.h"

namespace viaduct::dns {
namespace {

base::Result<base::Fd> open_pin(const std::string& path) {
  base::Fd fd(bpf_obj_get(path.c_str()));
  if (!fd) return base::from_errno(errno, "open " + path);
  return fd;
}

base::Result<void*> map_array(const base::Fd& fd, std::size_t octets, const std::string& path) {
  void* memory = mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return base::from_errno(errno, "map " + path);
  return memory;
}

/// Makes a map hold these keys and no others. What stays is not touched.
template <class Key>
base::Result<void> replace_keys(int map, const std::vector<Key>& wanted, const char* name) {
  std::vector<Key> held;
  Key key, next;
  for (const Key* at = nullptr; bpf_map_get_next_key(map, at, &next) == 0; at = &key) {
    key = next;
    held.push_back(key);
  }
  const auto holds = [](const std::vector<Key>& keys, const Key& one) {
    return std::any_of(keys.begin(), keys.end(), [&](const Key& other) {
      return std::memcmp(&one, &other, sizeof one) == 0;
    });
  };
  for (const Key& one : held)
    if (!holds(wanted, one))
      if (const int rc = bpf_map_delete_elem(map, &one); rc != 0)
        return base::from_errno(rc, std::string("remove an entry of ") + name);
  const __u32 value = 0;
  for (const Key& one : wanted)
    if (!holds(held, one))
      if (const int rc = bpf_map_update_elem(map, &one, &value, BPF_ANY); rc != 0)
        return base::from_errno(rc, std::string("add an entry to ") + name);
  return {};
}

vd_addr to_abi(const base::Address& address) {
  vd_addr made{};
  std::memcpy(made.bytes, address.mapped().data(), sizeof made.bytes);
  return made;
}

/// Replaces a zone under its sequence lock, as AnswerSlots does with slots.
void write_zone(vd_dns_zone& zone, vd_dns_zone wanted) {
  wanted.seq = zone.seq;
  if (std::memcmp(&zone, &wanted, sizeof zone) == 0) return;
  write_words(reinterpret_cast<Word*>(&zone), reinterpret_cast<const Word*>(&wanted),
              sizeof zone / sizeof(Word));
}

vd_dns_zone to_abi(const Table::ZoneInfo& zone, bool simple) {
  vd_dns_zone made{};
  made.ready = zone.ready && simple;
  made.flags = zone.recursion ? VD_DNS_RECURSION : 0;
  made.apex_octets = static_cast<__u8>(zone.apex.size());
  if (zone.negative.size() > sizeof made.negative) return made;  // NODATA goes up
  made.negative_octets = static_cast<__u16>(zone.negative.size());
  std::memcpy(made.negative, zone.negative.data(), zone.negative.size());
  return made;
}

}  // namespace

std::string to_string(vd_dns_outcome outcome) {
  static constexpr const char* kNames[] = {
#define VIADUCT_OUTCOME(name, help) #name,
      VD_DNS_OUTCOMES(VIADUCT_OUTCOME)
#undef VIADUCT_OUTCOME
  };
  std::string name = kNames[outcome];
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

std::vector<bool> simple_zones(const std::vector<Table::ZoneInfo>& zones) {
  std::vector<bool> simple;
  for (const Table::ZoneInfo& zone : zones) {
    const Name apex = Name::from_wire(zone.apex);
    const auto within = [&](const std::vector<std::uint8_t>& suffix) {
      return Name::from_wire(suffix).is_within(apex);
    };
    std::ptrdiff_t inside = 0;  // its own apex is one
    for (const Table::ZoneInfo& other : zones)
      inside += std::count_if(other.suffixes.begin(), other.suffixes.end(), within);
    simple.push_back(inside <= 1);
  }
  return simple;
}

KernelTable::KernelTable(KernelTable&& other) noexcept { *this = std::move(other); }

KernelTable& KernelTable::operator=(KernelTable&& other) noexcept {
  std::swap(index_, other.index_);
  std::swap(slots_, other.slots_);
  std::swap(servers_, other.servers_);
  std::swap(skipped_, other.skipped_);
  std::swap(counts_, other.counts_);
  std::swap(zones_, other.zones_);
  std::swap(control_, other.control_);
  std::swap(table_, other.table_);
  std::swap(simple_, other.simple_);
  return *this;
}

KernelTable::~KernelTable() {
  for (const Mapped& one : {zones_, control_})
    if (one.memory != nullptr) munmap(one.memory, one.octets);
}

base::Result<KernelTable> KernelTable::open(const std::string& bpffs) {
  KernelTable table;
  const std::pair<const char*, base::Fd*> kept[] = {{"vd_dns_index_v1", &table.index_},
                                                    {"vd_dns_slot_v1", &table.slots_},
                                                    {"vd_dns_addr_v1", &table.servers_},
                                                    {"vd_dns_skip_v1", &table.skipped_},
                                                    {"vd_dns_count_v1", &table.counts_}};
  for (const auto& [name, fd] : kept) {
    auto opened = open_pin(bpffs + "/" + name);
    if (!opened) return opened.error();
    *fd = *std::move(opened);
  }
  table.zones_.octets = VD_DNS_MAX_ZONES * sizeof(vd_dns_zone);
  table.control_.octets = sizeof(vd_dns_control);
  const std::pair<const char*, Mapped*> mapped[] = {{"vd_dns_zone_v1", &table.zones_},
                                                    {"vd_dns_state_v1", &table.control_}};
  for (const auto& [name, part] : mapped) {
    const std::string path = bpffs + "/" + name;
    auto opened = open_pin(path);
    if (!opened) return opened.error();
    auto memory = map_array(*opened, part->octets, path);
    if (!memory) return memory.error();
    part->memory = *memory;
  }
  return table;
}

base::Result<void> KernelTable::set_servers(const std::set<base::Endpoint>& servers) {
  std::vector<vd_dns_server_key> keys;
  std::set<std::uint16_t> ports;
  for (const base::Endpoint& server : servers) {
    keys.push_back({to_abi(server.address), htons(server.port), 0});
    ports.insert(server.port);
  }
  std::atomic_ref(control().port)
      .store(ports.size() == 1 ? htons(*ports.begin()) : 0, std::memory_order_release);
  return replace_keys(servers_.get(), keys, "vd_dns_addr_v1");
}

base::Result<void> KernelTable::set_skipped(const std::set<base::Subnet>& clients) {
  std::vector<vd_dns_skip_key> keys;
  for (const base::Subnet& subnet : clients)
    keys.push_back({subnet.prefix + (subnet.address.is_v4() ? 96U : 0U), to_abi(subnet.address)});
  if (!keys.empty()) control().skips = 1;
  auto done = replace_keys(skipped_.get(), keys, "vd_dns_skip_v1");
  if (done && keys.empty()) control().skips = 0;
  return done;
}

base::Result<void> KernelTable::publish(std::shared_ptr<const Table> table) {
  const AnswerMemory& memory = table->slots().memory();
  if (memory.index_map < 0) return base::from_errno(ENOTSUP, "the table lies in plain memory");
  const bool other = !table_ || table_->slots().memory().index_map != memory.index_map;
  if (other) {
    // The kernel waits until no program that found the old index runs, before and after.
    const __u32 zero = 0;
    if (const int rc = bpf_map_delete_elem(index_.get(), &zero); rc != 0 && rc != -ENOENT)
      return base::from_errno(rc, "take the old table from the kernel");
  }
  // What is said of a zone's suffixes stays as it was when the zone came.
  if (other || simple_.size() != table->zones().size()) simple_ = simple_zones(table->zones());
  write_zones(*table);
  if (other)
    if (auto done = swap_memory(memory); !done) return done;
  table_ = std::move(table);
  return {};
}

void KernelTable::write_zones(const Table& table) {
  auto* zones = static_cast<vd_dns_zone*>(zones_.memory);
  for (std::size_t i = 0; i < VD_DNS_MAX_ZONES; ++i) {
    vd_dns_zone wanted{};
    if (i < simple_.size()) wanted = to_abi(table.zones()[i], simple_[i]);
    write_zone(zones[i], wanted);
  }
}

base::Result<void> KernelTable::swap_memory(const AnswerMemory& memory) {
  const __u32 zero = 0;
  if (const int rc = bpf_map_update_elem(slots_.get(), &zero, &memory.slot_map, BPF_ANY); rc != 0)
    return base::from_errno(rc, "show the kernel the slots");
  if (const int rc = bpf_map_update_elem(index_.get(), &zero, &memory.index_map, BPF_ANY); rc != 0)
    return base::from_errno(rc, "show the kernel the index");
  return {};
}

void KernelTable::beat(std::chrono::steady_clock::time_point alive) {
  const auto since_boot =
      std::chrono::duration_cast<std::chrono::nanoseconds>(alive.time_since_epoch());
  std::atomic_ref(control().alive_ns)
      .store(static_cast<__u64>(since_boot.count()), std::memory_order_release);
}

void KernelTable::enable(bool enabled) {
  std::atomic_ref(control().enabled).store(enabled ? 1 : 0, std::memory_order_release);
}

void KernelTable::set_recursion(bool offered) {
  std::atomic_ref(control().flags).store(offered ? VD_DNS_RECURSION : 0, std::memory_order_release);
}

base::Result<KernelCounts> KernelTable::counts() const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return base::from_errno(cpus, "count CPUs");
  KernelCounts counts{};
  std::vector<__u64> values(static_cast<std::size_t>(cpus));
  for (__u32 outcome = 0; outcome < VD_DNS_OUTCOME_COUNT; ++outcome) {
    if (const int rc = bpf_map_lookup_elem(counts_.get(), &outcome, values.data()); rc != 0)
      return base::from_errno(rc, "read the kernel's counts");
    for (const __u64 value : values) counts[outcome] += value;
  }
  return counts;
}

}  // namespace viaduct::dns
