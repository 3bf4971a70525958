#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "dns/table.h"

namespace viaduct::dns {

/// Where the newest table lies for the threads that answer.
/// A mutex beside a version, because std::atomic<std::shared_ptr> of GCC 12 takes a lock for each
/// load too: here a reader pays one load of an integer as long as nothing new was published.
class TableBox {
 public:
  explicit TableBox(std::shared_ptr<const Table> table) : table_(std::move(table)) {}

  void put(std::shared_ptr<const Table> table) {
    {
      const std::lock_guard lock(mutex_);
      table_.swap(table);
      version_.fetch_add(1, std::memory_order_release);
    }
    // The old table is freed here, outside the lock, unless a reader still holds it.
  }

  /// One thread's view. Its table lives until the next call of get().
  class Reader {
   public:
    explicit Reader(const TableBox& box) : box_(box) {}
    const Table& get() {
      if (!table_ || box_.version_.load(std::memory_order_acquire) != version_) refresh();
      return *table_;
    }

   private:
    void refresh() {
      std::shared_ptr<const Table> old;
      const std::lock_guard lock(box_.mutex_);
      old = std::exchange(table_, box_.table_);
      version_ = box_.version_.load(std::memory_order_relaxed);
    }

    const TableBox& box_;
    std::shared_ptr<const Table> table_;
    std::uint64_t version_ = 0;
  };

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Table> table_;
  std::atomic<std::uint64_t> version_ = 1;
};

}  // namespace viaduct::dns
