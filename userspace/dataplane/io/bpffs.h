#pragma once

#include <string>

#include "base/io/fd.h"
#include "base/result.h"

namespace viaduct::dataplane {

/// Makes the folder for our pins and locks it for this process, so that two daemons never write the
/// same maps. Mounts a BPF file system at /sys/fs/bpf when the folder lies there and none is
/// mounted.
/// @return holds the lock until it is closed.
/// @errors EWOULDBLOCK when another daemon has it; ENOTSUP when the folder is in no BPF file
/// system.
base::Result<base::Fd> claim_bpffs(const std::string& folder);

/// Where cgroup v2 is mounted.
/// @errors ENOENT when it is not.
base::Result<std::string> find_cgroup2();

}  // namespace viaduct::dataplane
