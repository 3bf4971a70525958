// SPDX-License-Identifier: Apache-2.0
// Dry copies of programs, and what they say.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <viaduct/abi/explain.h>

#include <string>

#include "tests/bpf/maps.h"

namespace viaduct::bpftest {

/// Before load: gives a copy the maps of the object that it is a copy of, scratch maps apart.
inline void share_maps(bpf_object* copy, bpf_object* original) {
  unpin_maps(copy);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, copy) {
    const int shared = bpf_object__find_map_fd_by_name(original, bpf_map__name(map));
    if (shared >= 0 && std::string(bpf_map__name(map)).ends_with("_v1")) {
      ASSERT_EQ(bpf_map__reuse_fd(map, shared), 0);
    }
  }
}

/// Forgets what the last run said.
inline void clear_explanation(Maps& maps) {
  const std::uint32_t zero = 0;
  const vd_explanation none{};
  ASSERT_EQ(bpf_map_update_elem(maps.fd("vd_explain_v1"), &zero, &none, BPF_ANY), 0);
}

inline vd_explanation read_explanation(Maps& maps) {
  const std::uint32_t zero = 0;
  vd_explanation said{};
  EXPECT_EQ(bpf_map_lookup_elem(maps.fd("vd_explain_v1"), &zero, &said), 0);
  return said;
}

}  // namespace viaduct::bpftest
