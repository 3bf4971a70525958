#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "dns/name.h"
#include "dns/question.h"

namespace viaduct::dns::forward {

inline constexpr std::size_t kMaxForwardZones = 64;
inline constexpr std::size_t kMaxUpstreamsPerRoute = 16;
inline constexpr std::uint16_t kDnsPort = 53;

/// A suffix whose names go to upstreams of its own.
struct ForwardZone {
  Name apex;
  std::vector<base::Endpoint> upstreams;  ///< at least one

  bool operator==(const ForwardZone&) const = default;
};

/// "192.0.2.1", "2001:db8::1", "192.0.2.1:5353" or "[2001:db8::1]:5353"; the port is 53 by default.
std::optional<base::Endpoint> parse_upstream(std::string_view text);
/// "corp.example=192.0.2.1,192.0.2.2:5353": a zone and its upstreams.
/// @errors base::Errc::bad_format, too_large (over kMaxUpstreamsPerRoute).
base::Result<ForwardZone> parse_forward_zone(std::string_view text);

/// Which upstreams a name goes to.
struct Route {
  std::string zone;                    ///< as text; "." for all that has no zone
  std::vector<std::size_t> upstreams;  ///< indexes into Routes::upstreams(), each once
};

/// All routes. The longest suffix of a name decides, whatever the order of the zones.
class Routes {
 public:
  /// @param defaults  for names in none of the zones; may be empty.
  Routes(const std::vector<base::Endpoint>& defaults, const std::vector<ForwardZone>& zones);

  /// @param question  with a question in it.
  /// @return index into all(); absent: nobody is to be asked.
  std::optional<std::size_t> find(const Question& question) const;

  const std::vector<Route>& all() const { return routes_; }
  /// Every upstream of any route, once.
  const std::vector<base::Endpoint>& upstreams() const { return upstreams_; }

 private:
  std::size_t index_of(const base::Endpoint& upstream);
  void add(const Name& apex, const std::vector<base::Endpoint>& upstreams);

  std::vector<base::Endpoint> upstreams_;
  std::vector<Route> routes_;
  std::unordered_map<std::string, std::size_t> by_suffix_;  ///< folded wire name -> route
  std::size_t most_labels_ = 0;
};

}  // namespace viaduct::dns::forward
