#include "mesos/pid.h"

#include <algorithm>

#include "base/quote.h"
#include "mesos/errors.h"
#include "mesos/network_json.h"

namespace viaduct::mesos {
namespace {

constexpr std::size_t kMaxHostOctets = 253;  // RFC 1035, 2.3.4, as text

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

base::Error wrong(std::string_view what, std::string_view text, std::string_view problem) {
  return {Errc::unexpected_shape, std::string(what) + " " + base::in_quotes(text.substr(0, 255)) +
                                      " " + std::string(problem)};
}

}  // namespace

base::Result<Pid> parse_host(std::string_view text) {
  if (const auto address = parse_task_address(text)) return Pid{address, "", 0};
  if (text.empty() || text.size() > kMaxHostOctets ||
      !std::all_of(text.begin(), text.end(), is_host_character))
    return wrong("host", text, "is neither an address nor a name");
  return Pid{std::nullopt, std::string(text), 0};
}

base::Result<Pid> parse_pid(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return wrong("pid", text, "has no \"@\"");
  std::string_view host = text.substr(at + 1);
  const std::size_t colon = host.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : base::parse_port(host.substr(colon + 1));
  if (!port) return wrong("pid", text, "has no port");
  host = host.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  auto pid = parse_host(host);
  if (!pid) return wrong("pid", text, "has neither an address nor a host name");
  pid->port = *port;
  return pid;
}

}  // namespace viaduct::mesos
