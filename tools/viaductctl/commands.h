#pragma once

namespace viaduct::ctl {

/// Reads the command line, runs the command and writes its output.
/// @return the exit code (options.h).
int run(int argc, char** argv);

}  // namespace viaduct::ctl
