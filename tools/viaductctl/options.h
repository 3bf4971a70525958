#pragma once

#include <optional>
#include <string>

namespace viaduct::ctl {

inline const std::string kDefaultSocket = "/run/viaduct/api.sock";
inline const std::string kDefaultBpffs = "/sys/fs/bpf/viaduct";

/// What holds for every command.
struct Options {
  std::string socket = kDefaultSocket;
  std::optional<std::string> bpffs;  ///< absent: what viaductd says, else the default
  bool json = false;
};

/// Exit codes.
enum Exit : int {
  kSuccess = 0,
  kFailure = 1,      ///< not found, a fault, or a wrong use of the command line
  kUnreachable = 2,  ///< viaductd does not answer
};

}  // namespace viaduct::ctl
