#include "service/vip.h"

#include <algorithm>

#include "service/errors.h"
#include "service/name.h"

namespace viaduct::service {
namespace {

constexpr std::size_t kMaxFqdn = 253;       // RFC 1035, 2.3.4, without the root's dot
constexpr std::size_t kMaxLabelText = 512;  // of a VIP label's value

base::Error bad(std::string reason) { return {Errc::bad_vip_label, std::move(reason)}; }

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 80;
  return "\"" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "…\"" : "\"");
}

bool has_letter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

base::Result<VipTarget> parse_host(std::string_view host, std::string_view framework) {
  std::string_view inner = host;
  const bool bracketed = host.find_first_of("[]") != std::string_view::npos;
  if (bracketed) {
    if (host.size() < 4 || host.front() != '[' || host.back() != ']')
      return bad("stray bracket in " + quoted(host));
    inner = host.substr(1, host.size() - 2);
  }
  if (const auto address = base::Address::parse(inner); address && address->is_v6() >= bracketed) {
    if (auto checked = check_vip_address(*address); !checked) return checked.error();
    return VipTarget(*address);
  }
  if (bracketed) return bad("no IPv6 address within the brackets of " + quoted(host));
  if (host.find(':') != std::string_view::npos)
    return bad(quoted(host) + " is neither an address nor a name (is the port missing?)");
  auto name = make_vip_name(host, framework);
  if (!name) return name.error();
  return VipTarget(std::move(*name));
}

}  // namespace

std::string VipKey::to_string() const {
  return std::string(base::to_string(protocol)) + " " + base::Endpoint{address, port}.to_string();
}

std::string VipName::fqdn() const { return value + "." + std::string(kL4lbZone); }

base::Result<VipLabel> parse_vip_label(std::string_view value, std::string_view framework) {
  if (value.size() > kMaxLabelText)
    return bad(quoted(value) + " has more than " + std::to_string(kMaxLabelText) + " characters");
  const auto colon = value.rfind(':');
  if (colon == std::string_view::npos)
    return bad(quoted(value) + " has no port: <name or address>:<port>");
  const auto port = base::parse_port(value.substr(colon + 1));
  if (!port)
    return bad("port " + quoted(value.substr(colon + 1)) + " is not a number from 1 to 65535");
  auto target = parse_host(value.substr(0, colon), framework);
  if (!target) return target.error();
  return VipLabel{std::move(*target), *port};
}

base::Result<VipName> make_vip_name(std::string_view label, std::string_view framework) {
  const std::string first = sanitise_name(label);
  if (first.empty()) return bad("no letter or digit in the name " + quoted(label));
  if (!has_letter(first))
    return bad("the name " + quoted(label) + " has no letter; as an address it is malformed");
  const std::string second = sanitise_name(framework);
  if (second.empty()) return bad("no letter or digit in the framework name " + quoted(framework));
  VipName name{first + "." + second};
  if (name.fqdn().size() > kMaxFqdn)
    return bad("the name " + quoted(label) + " makes a domain name of more than 253 characters");
  return name;
}

base::Result<void> check_vip_address(const base::Address& address) {
  const auto refuse = [&](std::string_view what) {
    return bad(address.to_string() + " is " + std::string(what) + " and can't be a VIP");
  };
  if (address.is_unspecified()) return refuse("the unspecified address");
  if (address.is_loopback()) return refuse("a loopback address");
  if (address.is_multicast()) return refuse("a multicast address");
  if (address.is_broadcast()) return refuse("the broadcast address");
  if (address.is_link_local()) return refuse("a link-local address");
  return {};
}

}  // namespace viaduct::service
