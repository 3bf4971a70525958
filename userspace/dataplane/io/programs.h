#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/config.h"
#include "dataplane/io/attach.h"
#include "dataplane/io/host_device.h"

struct bpf_program;

namespace viaduct::dataplane {

/// Something the kernel has or lacks, and what that means here.
struct Capability {
  std::string name;
  bool available = false;
  std::string detail;
};

/// The loaded BPF programs. Maps are created or taken over from their pins; programs start to work
/// when they are attached, and stay attached when this object goes.
class Programs {
 public:
  /// @param viaduct0  index of the device that VIP routes lead into.
  /// One of the two objects may be missing; it is a capability then, with the verifier's last
  /// words.
  /// @errors when neither can be loaded.
  static base::Result<Programs> load(const Config& config, std::uint32_t viaduct0);

  Programs(Programs&&) noexcept;
  Programs& operator=(Programs&&) noexcept;
  ~Programs();

  /// Attaches every socket program to the cgroup.
  base::Result<void> attach_sockets(const std::string& cgroup);
  /// Takes off what an earlier process attached. Sockets that are connected stay so.
  void detach_sockets();

  // Without the packet programs the following do nothing: the capabilities say so.

  /// Attaches what a container's link needs, both directions.
  base::Result<void> attach_container(std::uint32_t ifindex);
  /// Whether tc_dns is loaded.
  bool has_dns() const;
  /// Attaches the answers to DNS queries of this host's processes.
  base::Result<void> attach_loopback();
  base::Result<void> attach_uplink(const Link& link);
  base::Result<void> attach_host_device(std::uint32_t ifindex);

  const std::vector<Capability>& capabilities() const;

  struct Objects;

 private:
  explicit Programs(std::unique_ptr<Objects> objects);
  base::Result<void> attach_balance(std::uint32_t ifindex);
  /// @param program  of tc_dns; without it, one of an earlier process is taken off.
  base::Result<void> attach_dns(const bpf_program* program, std::uint32_t ifindex,
                                Direction direction);
  void attach_tunnel(const Link& link);
  std::unique_ptr<Objects> objects_;
};

}  // namespace viaduct::dataplane
