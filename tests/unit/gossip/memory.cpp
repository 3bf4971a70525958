// Counts what the whole program holds on the heap.

#include "tests/unit/gossip/memory.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

std::size_t held = 0, peak = 0;  // the tests have one thread

void* take(std::size_t octets) {
  void* memory = std::malloc(octets);
  if (!memory) throw std::bad_alloc();
  held += malloc_usable_size(memory);
  peak = std::max(peak, held);
  return memory;
}

void give(void* memory) {
  if (!memory) return;
  held -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t octets) { return take(octets); }
void* operator new[](std::size_t octets) { return take(octets); }
void* operator new(std::size_t octets, const std::nothrow_t&) noexcept { return take(octets); }
void* operator new[](std::size_t octets, const std::nothrow_t&) noexcept { return take(octets); }
void operator delete(void* memory) noexcept { give(memory); }
void operator delete[](void* memory) noexcept { give(memory); }
void operator delete(void* memory, std::size_t) noexcept { give(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give(memory); }

namespace viaduct::test {

std::size_t peak_octets(const std::function<void()>& work) {
  const std::size_t before = held;
  peak = held;
  work();
  return peak - before;
}

}  // namespace viaduct::test
