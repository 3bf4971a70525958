#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/subnet.h"
#include "config/key.h"
#include "config/values.h"
#include "dns/forward/engine.h"
#include "dns/zones/zones.h"

namespace viaduct::dns {

/// The settings under [dns], and what several of them must agree on.
const std::vector<config::Key>& keys();
std::vector<config::Rule> rules();

/// What the TCP side allows. All limits hold over all addresses together.
struct TcpLimits {
  std::size_t connections = 512;
  std::size_t connections_per_client = 20;   ///< of one client address
  std::chrono::milliseconds idle{10'000};    ///< without an unfinished message
  std::chrono::milliseconds message{2'000};  ///< from a message's first octet to its last
  std::chrono::milliseconds write{10'000};   ///< for a client to take a batch of answers
  std::size_t pending_answer_octets =
      64 * 1024;  ///< of one connection; beyond, its queries are not read
};

/// A resolv.conf that is kept.
struct ResolvConf {
  std::string path;                     ///< empty: no file is kept
  std::vector<std::string> search;      ///< domains
  std::vector<base::Address> fallback;  ///< servers on port 53 for when none of ours answers
};

/// The HTTP API that Mesos-DNS has.
struct HttpApi {
  std::optional<base::Endpoint> listen{};  ///< absent: off
  bool enumeration = true;                 ///< lists of all tasks and records
};

struct Config {
  bool enabled = true;
  std::vector<base::Address> listen = {base::Address::v4(0xc6336401), base::Address::v4(0xc6336402),
                                       base::Address::v4(0xc6336403),
                                       *base::Address::parse("fd01:d::c633:6401")};
  std::uint16_t port = 53;                  ///< 0: the system chooses, one for each address
  unsigned workers = 1;                     ///< UDP threads
  bool kernel = true;                       ///< answer in the kernel where that can be done
  std::vector<base::Subnet> kernel_skip{};  ///< clients that user space answers all the same
  ZoneOptions zones;
  TcpLimits tcp;
  forward::Options forward;
  std::chrono::milliseconds retry{1'000};  ///< between attempts to bind an address that failed
  std::chrono::milliseconds watch{5'000};  ///< between looks whether each address answers
  ResolvConf resolv_conf;
  HttpApi http;
  int receive_buffer_bytes =
      4 * 1024 * 1024;  ///< of each UDP socket; the kernel doubles it for its own overhead
};

/// Whether a server at these addresses and this port would be asking itself. Of an address that
/// stands for all, only loopback is known to be ours; the rest shows at run time.
bool is_ourselves(const base::Endpoint& upstream, const std::vector<base::Address>& listen,
                  std::uint16_t port);

/// @param values  of a schema that has keys().
Config from(const config::Values& values);

}  // namespace viaduct::dns
