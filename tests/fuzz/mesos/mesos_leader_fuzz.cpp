// Any node as an announcement of a master: its name is the first line, what it holds is the rest.

#include <cstdint>
#include <string_view>

#include "mesos/leader_nodes.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  using fuzz::check;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const zookeeper::Node nodes[] = {
      {std::string(text.substr(0, line)), std::string(text.substr(line + 1)), ""},
      {"json.info_0000000005", R"({"ip":184569098,"port":5050})", ""}};
  const mesos::LeaderNodes read = mesos::read_leader_nodes(nodes);
  check(!read.masters.all.empty(), "the good node is not lost");
  for (const base::Endpoint& master : read.masters.all)
    check(master.port != 0 && !master.address.is_unspecified(), "a master can be reached");
  if (read.masters.leader)
    check(*read.masters.leader == read.masters.all.front(), "who leads is first");
  for (const auto& rejected : read.rejected)
    check(!rejected.where.empty() && !rejected.reason.empty(), "a rejection has both parts");
  if (mesos::announces_master(nodes[0].name))
    check(read.rejected.size() + read.masters.all.size() >= 1, "every node counts");
  return 0;
}
