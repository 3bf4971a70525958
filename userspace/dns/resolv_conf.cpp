#include "dns/resolv_conf.h"

#include <algorithm>

namespace viaduct::dns {

std::string resolv_conf(std::span<const base::Address> servers,
                        std::span<const std::string> search) {
  std::string text = "# written by viaductd (dns.resolv_conf); changes are overwritten\n";
  if (!search.empty()) {
    text += "search";
    for (const std::string& domain : search) text += " " + domain;
    text += "\n";
  }
  for (const base::Address& server : servers.first(std::min(servers.size(), kMaxNameServers)))
    text += "nameserver " + server.to_string() + "\n";
  return text + "options timeout:1 attempts:3\n";
}

}  // namespace viaduct::dns
