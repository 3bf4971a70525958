#pragma once

#include <string>

namespace viaduct::ctl {

/// Prints a file of Mesos-DNS as a configuration of viaductd; says what is wrong with it, and
/// prints nothing then.
/// @param path  "-": standard input.
/// @return the exit code (options.h).
int run_import(const std::string& path);

}  // namespace viaduct::ctl
