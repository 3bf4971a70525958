// Any text as a service file, before and after a good one.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "files/limits.h"
#include "files/services.h"
#include "tests/support/source_parts.h"

namespace viaduct {
namespace {

constexpr std::string_view kGood =
    "[[service]]\nname = \"kept\"\nport = 80\n[[service.backend]]\naddress = \"192.0.2.1\"\nport = "
    "1\n";

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

void check_row(const service::BackendRow& row) {
  check(row.vip_port != 0 && row.backend.port != 0, "no port is 0");
  check(row.weight <= service::kMaxWeight, "weights are in range");
  const auto* address = std::get_if<base::Address>(&row.vip);
  if (address == nullptr) return;
  check(service::check_vip_address(*address).has_value(), "an address VIP may be one");
  check(address->is_v4() == row.backend.address.is_v4(), "VIP and backend are of one family");
}

}  // namespace
}  // namespace viaduct

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = files::parse_service_file("fuzz.toml", text);
  check(file.mistakes.size() <= files::kMaxMistakesPerFile + 1, "mistakes are bounded");

  files::Services services;
  services.on_file("fuzz.toml", kGood);
  services.on_file("fuzz.toml", text);
  const auto rows = test::joined(services.rows());
  for (const auto& row : rows.rows) check_row(row);
  if (!file.mistakes.empty())
    check(!rows.rows.empty() || !file.services.empty(), "a mistake takes no rows away");
  services.on_file("fuzz.toml", kGood);
  check(services.rows().row_count() == 1 && services.rows().rejected_count() == 0,
        "a clean file gives its rows alone");
  return 0;
}
