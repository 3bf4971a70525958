// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/bpf/lab.h"

namespace {
int run_tests(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
}  // namespace

int main(int argc, char** argv) { return viaduct::bpftest::run_in_lab(run_tests, argc, argv); }
