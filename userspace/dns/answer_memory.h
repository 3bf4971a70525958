#pragma once

#include <viaduct/abi/dns.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "base/result.h"

namespace viaduct::dns {

/// Where an answer table lies: plain memory, or BPF arrays that the kernel reads too.
struct AnswerMemory {
  std::span<vd_dns_bucket> index;  ///< the head (vd_dns_index_head), then a power of two of buckets
  std::span<vd_dns_slot> slots;
  std::shared_ptr<const void> owner;  ///< gives the memory back
  // Descriptors of the BPF arrays that it is, which the owner closes; -1: plain memory.
  int index_map = -1;
  int slot_map = -1;
};

/// Buckets for so many slots: entries for twice as many names.
std::size_t bucket_count(std::size_t slots);

/// Makes memory of zeros for so many slots.
/// @errors the system's code.
using AllocateAnswers = std::function<base::Result<AnswerMemory>(std::size_t slots)>;

/// Memory of this process. Pages count as used once they are written.
/// @errors ENOMEM.
base::Result<AnswerMemory> allocate_plain(std::size_t slots);

}  // namespace viaduct::dns
