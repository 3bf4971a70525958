// SPDX-License-Identifier: Apache-2.0
// Where the bpf tests run: a network namespace and a child cgroup of the test process's own.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

namespace viaduct::bpftest {

/// Forks; the child enters a fresh network namespace (lo up, with the backends' addresses), a mount
/// namespace with a /run/netns of its own, and a fresh child cgroup, and runs `tests`; the parent
/// waits and removes the cgroup, also when the child crashed.
/// @return the child's exit code, or 1 if it died from a signal.
int run_in_lab(int (*tests)(int, char**), int argc, char** argv);

/// Why BPF programs cannot be loaded here; empty: they can.
std::string missing_privilege();

/// Descriptor of the lab's cgroup; owned by the lab.
int cgroup_fd();

}  // namespace viaduct::bpftest

/// First statement of every test that loads a program: skips, or fails if
/// VIADUCT_REQUIRE_PRIVILEGED=1.
#define VD_REQUIRE_PRIVILEGE()                                                           \
  do {                                                                                   \
    if (const std::string why = ::viaduct::bpftest::missing_privilege(); !why.empty()) { \
      const char* required = std::getenv("VIADUCT_REQUIRE_PRIVILEGED");                  \
      if (required != nullptr && std::string_view(required) == "1") FAIL() << why;       \
      GTEST_SKIP() << why;                                                               \
    }                                                                                    \
  } while (false)
