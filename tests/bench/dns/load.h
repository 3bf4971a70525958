#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/io/fd.h"
#include "tests/support/dns_message.h"

namespace viaduct::bench {

inline constexpr unsigned kBatch = 32;      ///< messages of a system call
inline constexpr unsigned kInFlight = 256;  ///< queries without an answer at a time

/// Room for a batch of messages.
struct Buffers {
  std::array<std::array<std::uint8_t, 1232>, kBatch> octets;
  std::array<iovec, kBatch> parts;
  std::array<sockaddr_in, kBatch> peers;
  std::array<mmsghdr, kBatch> messages{};

  /// @param with_peers  false on a connected socket.
  int receive(int fd, int flags, bool with_peers);
};

/// Threads of processes whose names start with a prefix: what a server's CPU time is read from.
struct Threads {
  std::vector<std::string> processes = {"self"};  ///< ids
  std::string prefix;                             ///< empty: all

  /// Scheduled nanoseconds of all of them (schedstat).
  std::uint64_t cpu_ns() const;
  void pin(unsigned core) const;
};

void pin_this_thread(unsigned core);

/// "service-7.marathon".
std::string host(unsigned i);
/// A question for the address of each of so many hosts, in random order.
/// @param zone  with its leading dot.
std::vector<test::Octets> make_queries(unsigned hosts, const std::string& zone);

base::Fd connect_to(const base::Endpoint& server);

struct Figures {
  double cpu_ns_per_query = 0;
  double queries_per_second = 0;
};
/// Keeps kInFlight queries at a server for a while.
Figures saturate(const base::Endpoint& server, const Threads& threads,
                 std::vector<test::Octets>& queries, std::chrono::milliseconds time);

struct Latency {
  double p50_us = 0;
  double p99_us = 0;
  unsigned lost = 0;
};
/// Asks at an even rate.
Latency ask_at_rate(const base::Endpoint& server, std::vector<test::Octets>& queries,
                    unsigned per_second, std::chrono::milliseconds time);

/// What one query at a time gives.
struct Turns {
  double queries_per_second = 0;
  Latency latency;
};
/// Asks again as soon as the answer is there; looks for it without sleeping, so that the client's
/// own wake-up is not in it.
Turns ask_in_turn(const base::Endpoint& server, std::vector<test::Octets>& queries,
                  std::chrono::milliseconds time);

double median(std::vector<double> values);

}  // namespace viaduct::bench
