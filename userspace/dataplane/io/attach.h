#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace viaduct::dataplane {

enum class Direction { ingress, egress };

/// How packet programs are attached.
enum class TcMode { tcx, clsact };

/// Which of our programs on a hook. Answers to DNS come before all other programs, as the others
/// need not look at what is answered.
enum class TcTurn { dns, balance };

/// Attaches a cgroup program, or swaps the one that an earlier process attached, without a gap.
/// The link is pinned at `pin` and outlives the process.
/// @param attach_type  enum bpf_attach_type.
/// @errors the system's code.
base::Result<void> attach_cgroup(int program, const std::string& cgroup, int attach_type,
                                 const std::string& pin);

/// Takes off the program whose link is pinned there, if any.
void detach_cgroup(const std::string& pin);

/// Whether the kernel has tcx (6.6), tried on the loopback device of this namespace with a program
/// that is detached at once.
bool has_tcx(int program);

/// Attaches a packet program to a network device, or swaps the one that is there, without a gap.
/// tcx: the link is pinned at <links>/tc-<ifindex>-<direction>, of DNS with "-dns" behind it.
/// clsact: our filters have handle 1 and priority 118, of DNS 117.
/// @errors the system's code.
base::Result<void> attach_tc(TcMode mode, int program, std::uint32_t ifindex, Direction direction,
                             const std::string& links, TcTurn turn = TcTurn::balance);

/// Takes off what attach_tc() put there in either mode, if anything.
void detach_tc(std::uint32_t ifindex, Direction direction, const std::string& links, TcTurn turn);

/// How an XDP program runs: in the device's driver, or on what the driver hands up.
enum class XdpMode { native, generic };

/// Attaches an XDP program to a network device, or swaps the one that is there, without a gap. The
/// link is pinned at <links>/xdp-<mode>-<ifindex>.
/// @errors the system's code: the driver has no XDP, or another program is there.
base::Result<void> attach_xdp(XdpMode mode, int program, std::uint32_t ifindex,
                              const std::string& links);

/// Takes our XDP program off a device, whatever its mode.
void detach_xdp(std::uint32_t ifindex, const std::string& links);

/// Removes pins of links whose network device is gone.
void sweep_dead_links(const std::string& links);

}  // namespace viaduct::dataplane
