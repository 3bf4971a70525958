#include "dns/io/answer_maps.h"

#include <bpf/bpf.h>
#include <sys/mman.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/io/fd.h"
#include "base/io/log.h"

namespace viaduct::dns {
namespace {

/// A BPF array that lies in this process's memory, too.
class Array {
 public:
  static base::Result<Array> make(const char* name, std::size_t elements, std::size_t octets) {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
    Array array;
    array.map_ =
        base::Fd(bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), static_cast<__u32>(octets),
                                static_cast<__u32>(elements), &options));
    if (!array.map_)
      return base::from_errno(errno, std::string("make the map ") + name + " of " +
                                         std::to_string(elements) + " elements");
    array.octets_ = elements * octets;
    array.memory_ =
        mmap(nullptr, array.octets_, PROT_READ | PROT_WRITE, MAP_SHARED, array.map_.get(), 0);
    if (array.memory_ != MAP_FAILED) return array;
    array.memory_ = nullptr;
    return base::from_errno(errno, std::string("map ") + name + " into memory");
  }

  Array(Array&& other) noexcept { *this = std::move(other); }
  Array& operator=(Array&& other) noexcept {
    std::swap(map_, other.map_);
    std::swap(memory_, other.memory_);
    std::swap(octets_, other.octets_);
    return *this;
  }
  ~Array() {
    if (memory_ != nullptr) munmap(memory_, octets_);
  }

  void* memory() const { return memory_; }
  int map() const { return map_.get(); }

 private:
  Array() = default;

  base::Fd map_;
  void* memory_ = nullptr;
  std::size_t octets_ = 0;
};

}  // namespace

base::Result<AnswerMemory> allocate_in_kernel(std::size_t slots) {
  const std::size_t buckets = bucket_count(slots) + 1;
  auto index = Array::make("vd_dns_index_v1", buckets, sizeof(vd_dns_bucket));
  if (!index) return index.error();
  auto names = Array::make("vd_dns_slot_v1", slots, sizeof(vd_dns_slot));
  if (!names) return names.error();
  const auto owner =
      std::make_shared<std::pair<Array, Array>>(*std::move(index), *std::move(names));
  AnswerMemory memory;
  memory.index = {static_cast<vd_dns_bucket*>(owner->first.memory()), buckets};
  memory.slots = {static_cast<vd_dns_slot*>(owner->second.memory()), slots};
  memory.index_map = owner->first.map();
  memory.slot_map = owner->second.map();
  memory.owner = owner;
  return memory;
}

base::Result<AnswerMemory> allocate_best(std::size_t slots) {
  auto memory = allocate_in_kernel(slots);
  if (memory) return memory;
  log::warn("dns_table_in_plain_memory",
            {{"error", memory.error().message()},
             {"consequence", "the kernel answers no names, user space all"}});
  return allocate_plain(slots);
}

}  // namespace viaduct::dns
