#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/io/fd.h"
#include "base/result.h"
#include "dataplane/image.h"
#include "dataplane/load.h"

namespace viaduct::dataplane {

/// One reason's count on one hook.
struct Counter {
  std::string hook;
  std::string reason;
  std::string verdict;  ///< "pass", "refuse" or "drop"
  std::uint64_t count = 0;
};

enum class Access { read, write };

/// The pinned service maps, opened and memory-mapped. One process writes them; any may read.
/// Recognised by their pins: <bpffs>/vd_*_v1. Removing those files and the links beside them gives
/// everything back.
class Maps {
 public:
  /// @param bpffs  the folder of the pins.
  /// @errors the system's code; not_found (ENOENT) when no daemon has ever run here.
  static base::Result<Maps> open(const std::string& bpffs, Access access);

  Maps(Maps&&) noexcept;
  Maps& operator=(Maps&&) noexcept;
  ~Maps();

  /// Reads everything but the slots.
  base::Result<Image> read() const;

  /// Performs one operation.
  /// @errors the system's code; the operation may be repeated.
  base::Result<void> write(const Op& op);

  std::span<const std::uint32_t> slots() const;
  Capacity capacity() const;
  Load load(std::uint32_t id) const;
  /// Whether an id still belongs to the backend that it had under that generation.
  bool holds(std::uint32_t id, std::uint32_t generation) const;
  /// Where the tunnel to a backend's machine ends; nullopt: it is on this one, or needs no tunnel.
  std::optional<base::Address> node_of(std::uint32_t backend) const;

  /// Every reason that was ever met, summed over CPUs.
  base::Result<std::vector<Counter>> counters() const;

 private:
  struct Mapped {
    void* memory = nullptr;
    std::size_t bytes = 0;
  };
  Maps() = default;
  void unmap();

  base::Fd service4_;
  base::Fd service6_;
  base::Fd counter_;
  Mapped slots_;
  Mapped backends_;
  Mapped loads_;
  Mapped nodes_;
  Capacity capacity_;
};

}  // namespace viaduct::dataplane
