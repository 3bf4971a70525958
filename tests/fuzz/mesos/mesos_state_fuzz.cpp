// Any text as an agent's answers, through to the rows; every row that comes out must be one that
// may be published.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "mesos/limits.h"
#include "mesos/rows.h"

namespace viaduct {
namespace {

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

void check_row(const service::BackendRow& row) {
  check(row.vip_port != 0 && row.backend.port != 0, "no port is 0");
  check(row.weight <= 1, "a task's weight is 0 or 1");
  check(!row.task.empty(), "a row names its task");
  const auto* address = std::get_if<base::Address>(&row.vip);
  if (address == nullptr)
    return check(!std::get<service::VipName>(row.vip).value.empty(), "a named VIP has a name");
  check(service::check_vip_address(*address).has_value(), "an address VIP may be one");
  check(address->is_v4() == row.backend.address.is_v4(), "VIP and backend are of one family");
}

}  // namespace
}  // namespace viaduct

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)mesos::parse_agent_info(text);
  const auto state = mesos::parse_agent_state(text);
  if (!state) {
    check(!state.error().context.empty(), "an error says what it is about");
    return 0;
  }
  const auto rows = mesos::make_rows(*state, base::Address::v4(0xc0000215));
  for (const auto& row : rows.rows) check_row(row);
  for (std::size_t i = 1; i < rows.rows.size(); i++)
    check(rows.rows[i - 1] != rows.rows[i], "no row comes twice");
  for (const auto& row : rows.rejected)
    check(!row.where.empty() && !row.reason.empty(), "a rejection has both parts");
  check(rows.rejected.size() <= mesos::kMaxRejected + 1, "rejections are bounded");
  return 0;
}
