#pragma once

#include <cstddef>

#include "base/result.h"
#include "dns/answer_memory.h"

namespace viaduct::dns {

/// Makes memory of zeros for so many slots out of two BPF arrays, which tc_dns reads once
/// KernelTable has shown them to it. An AllocateAnswers.
/// @errors the system's code: no privilege, no memory, a kernel that cannot map such arrays.
base::Result<AnswerMemory> allocate_in_kernel(std::size_t slots);

/// The same, or plain memory where that fails.
base::Result<AnswerMemory> allocate_best(std::size_t slots);

}  // namespace viaduct::dns
