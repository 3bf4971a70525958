#include "tools/viaductctl/io/sockets.h"

#include <boost/json.hpp>

#include "dataplane/io/socket_flows.h"
#include "tools/viaductctl/io/clock.h"

namespace viaduct::ctl {

base::Result<void> read_socket_flows(const std::string& bpffs, FlowList& list) {
  const auto flows = dataplane::SocketFlows::open(bpffs);
  if (!flows) return flows.error();
  const std::uint32_t now_s = coarse_seconds();
  return flows->read([&](const vd_sock_flow& flow) { list.add(socket_flow(flow, now_s)); });
}

}  // namespace viaduct::ctl
