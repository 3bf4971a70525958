// Any text as a ZooKeeper URL; what is shown of it must be one again, without the password.

#include <cstdint>
#include <string_view>

#include "tests/fuzz/check.h"
#include "zookeeper/limits.h"
#include "zookeeper/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  using fuzz::check;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto url = zookeeper::parse_url(text);
  if (!url) {
    check(!url.error().context.empty(), "an error says what it is about");
    return 0;
  }
  check(!url->servers.empty() && url->servers.size() <= zookeeper::kMaxServers,
        "there are servers");
  check(url->path.starts_with('/'), "the path is absolute");
  url->credentials.clear();
  const auto again = zookeeper::parse_url(url->to_string());
  check(again.has_value() && *again == *url, "what is shown is the same URL");
  return 0;
}
