// SPDX-License-Identifier: Apache-2.0
// A trace of what the programs do, through its two maps.
#pragma once

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <time.h>
#include <viaduct/abi/event.h>

#include <string>
#include <vector>

#include "tests/bpf/maps.h"

namespace viaduct::bpftest {

/// The two maps of a trace.
class Events {
 public:
  /// The clock of vd_trace.until_s.
  static std::uint32_t now_s() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::uint32_t>(now.tv_sec);
  }

  explicit Events(Maps& maps)
      : trace_(maps.fd("vd_trace_v1")),
        ring_(ring_buffer__new(maps.fd("vd_event_v1"), take, &seen_, nullptr)) {}
  ~Events() { ring_buffer__free(ring_); }
  Events(const Events&) = delete;

  /// Asks for events from now on.
  void trace(vd_trace wanted = {}) {
    if (wanted.until_s == 0) wanted.until_s = now_s() + 10;
    write(wanted);
  }
  void write(const vd_trace& value) {
    const std::uint32_t zero = 0;
    ASSERT_EQ(bpf_map_update_elem(trace_, &zero, &value, BPF_ANY), 0);
  }
  vd_trace read() const {
    const std::uint32_t zero = 0;
    vd_trace value{};
    EXPECT_EQ(bpf_map_lookup_elem(trace_, &zero, &value), 0);
    return value;
  }
  /// What came since the last call.
  std::vector<vd_event> take_all() {
    seen_.clear();
    EXPECT_GE(ring_buffer__consume(ring_), 0);
    return seen_;
  }

 private:
  static int take(void* context, void* data, std::size_t size) {
    EXPECT_EQ(size, sizeof(vd_event));
    static_cast<std::vector<vd_event>*>(context)->push_back(*static_cast<const vd_event*>(data));
    return 0;
  }

  int trace_;
  std::vector<vd_event> seen_;
  ring_buffer* ring_;
};

/// "request 6 192.0.2.100 40000 > 11.0.0.1 80 = 203.0.113.5 8080"; 6: the reason.
inline std::string text_of(const vd_event& e) {
  static constexpr const char* kHooks[] = {"sock", "request", "reply", "host", "health"};
  const auto end = [](const vd_addr& a, __be16 port) {
    return text(a) + " " + std::to_string(ntohs(port));
  };
  return std::string(kHooks[e.hook]) + " " + std::to_string(e.reason) + " " +
         end(e.client, e.client_port) + " > " + end(e.vip, e.vip_port) + " = " +
         end(e.backend, e.backend_port);
}

}  // namespace viaduct::bpftest
