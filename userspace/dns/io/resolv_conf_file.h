#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "dns/config.h"

namespace viaduct::dns {

/// A resolv.conf that leads this machine's programs to the servers that answer, or, when none
/// does, to others. Replaced at once, or written in place where it is a mount of its own, as in
/// Docker containers. Never made empty.
class ResolvConfFile {
 public:
  explicit ResolvConfFile(ResolvConf settings);

  /// @param answering  our addresses that answer, best first.
  /// @errors the system's code; the file stays as it is. Without any server, ours or another, the
  ///     file stays too, which is no error.
  base::Result<void> show(const std::vector<base::Address>& answering);

 private:
  ResolvConf settings_;
};

}  // namespace viaduct::dns
