#pragma once

#include <viaduct/abi/dns.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/io/fd.h"
#include "base/result.h"
#include "base/subnet.h"
#include "dns/table.h"

namespace viaduct::dns {

/// Packets to our servers by what the kernel did with them, since the maps were made.
using KernelCounts = std::array<std::uint64_t, VD_DNS_OUTCOME_COUNT>;

/// "answered", "no_data", ...
std::string to_string(vd_dns_outcome outcome);

/// The maps of tc_dns: which table the kernel answers from, on which addresses, and to whom not.
/// One thread, the one that writes the table.
///
/// The maps outlive the process: what they hold is answered until its last beat() is
/// VD_DNS_ALIVE_NS ago. They are found by their pins <bpffs>/vd_dns_*_v1, made by whoever loads the
/// program.
class KernelTable {
 public:
  /// Opens the pinned maps; changes nothing.
  /// @errors the system's code: ENOENT when the program has not been loaded.
  static base::Result<KernelTable> open(const std::string& bpffs);

  KernelTable(KernelTable&&) noexcept;
  KernelTable& operator=(KernelTable&&) noexcept;
  ~KernelTable();

  /// Replaces the addresses that queries are answered on.
  base::Result<void> set_servers(const std::set<base::Endpoint>& servers);
  /// Replaces the clients that are left to user space.
  base::Result<void> set_skipped(const std::set<base::Subnet>& clients);

  /// Shows the kernel a table: what is said of its zones, and its memory if that is another one
  /// than before. While another memory is swapped in, every query goes up.
  /// @errors ENOTSUP for a table in plain memory; the system's code.
  base::Result<void> publish(std::shared_ptr<const Table> table);

  /// Says that those who would answer instead of the kernel lived at that moment.
  void beat(std::chrono::steady_clock::time_point alive);
  /// Turns the kernel's answers on or off at once. Off at the start, if nobody has turned them on.
  void enable(bool enabled);
  /// @param offered  whether answers say so (RA).
  void set_recursion(bool offered);

  base::Result<KernelCounts> counts() const;

 private:
  struct Mapped {
    void* memory = nullptr;
    std::size_t octets = 0;
  };
  KernelTable() = default;
  base::Result<void> swap_memory(const AnswerMemory& memory);
  void write_zones(const Table& table);
  vd_dns_control& control() { return *static_cast<vd_dns_control*>(control_.memory); }

  base::Fd index_, slots_, servers_, skipped_, counts_;
  Mapped zones_, control_;
  std::shared_ptr<const Table> table_;  ///< what the kernel was shown last
  std::vector<bool> simple_;            ///< its zones that simple_zones() is true of
};

/// Zones that the kernel may answer for: no suffix of another zone, or alias of their own, lies
/// within them, for the kernel takes a name as it stands and looks at no suffix.
std::vector<bool> simple_zones(const std::vector<Table::ZoneInfo>& zones);

}  // namespace viaduct::dns
