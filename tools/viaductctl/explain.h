#pragma once

#include <viaduct/abi/explain.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "tools/viaductctl/json.h"

namespace viaduct::ctl {

/// A flow that somebody asks about.
struct Question {
  base::Endpoint client;
  base::Endpoint vip;
  base::Protocol protocol = base::Protocol::tcp;
  bool port_given = false;  ///< else a port was made up for the client
};

/// Source port when none is given: one that Linux gives to a connect().
inline constexpr std::uint16_t kMadeUpPort = 40000;

/// @param client  "192.0.2.7" or "192.0.2.7:40000", IPv6 with a port in brackets.
/// @param vip  "11.0.0.1:80" or "[2001:db8::1]:80".
/// @errors bad_format: the context says which of the two is wrong and how to write it.
base::Result<Question> parse_question(const std::string& client, const std::string& vip,
                                      base::Protocol protocol);

/// The flow's packet as an Ethernet frame: a datagram, a SYN, or an ACK of a connection that lives.
/// Checksums are 0: the programs only correct them.
std::vector<std::uint8_t> packet_of(const Question& question, bool is_ack);

/// A hook, and what its program said.
struct HookAnswer {
  std::string hook;          ///< "socket", "container", "host", "uplink", "xdp"
  std::string who;           ///< whose traffic meets it
  std::string not_attached;  ///< empty: it is attached
  std::string error;         ///< why it could not be asked; empty: it was
  vd_explanation said{};
  std::uint32_t open = 0;           ///< sockets connected to the backend
  std::uint32_t open_compared = 0;  ///< and to the one that it was compared to
  std::string node;                 ///< where the tunnel to the backend's machine ends; empty: none
};

/// {"hook", "who", "attached", "not_attached", "error", "reason", "verdict", "help", "backend",
/// "backend_id", "found", "pick", "open", "compared": {"backend_id", "open"} or null, "source",
/// "node", "tunnel", "flags"}; without an answer only up to "error".
json::object answer_json(const HookAnswer& answer);

/// The question with one line for each hook, such as "socket: FORWARDED to 10.0.0.5:8080 (...)".
std::string answers_text(const Question& question, const std::vector<HookAnswer>& answers);

}  // namespace viaduct::ctl
