#include "mesos/io/zookeeper_leader.h"

#include <utility>

#include "base/io/log.h"
#include "mesos/leader_nodes.h"

namespace viaduct::mesos {
namespace {

zookeeper::Session::OnContents reader(std::string where, ZookeeperLeader::OnMasters on_masters) {
  return [where = std::move(where),
          on_masters = std::move(on_masters)](const zookeeper::Contents& contents) {
    LeaderNodes read = read_leader_nodes(contents.nodes);
    for (const service::RejectedRow& rejected : read.rejected)
      log::warn("mesos_master_node_rejected",
                {{"zookeeper", where}, {"node", rejected.where}, {"reason", rejected.reason}});
    if (!contents.exists) log::info("mesos_masters_path_absent", {{"zookeeper", where}});
    on_masters(std::move(read.masters));
  };
}

}  // namespace

ZookeeperLeader::ZookeeperLeader(boost::asio::io_context& context, zookeeper::Url url,
                                 std::chrono::milliseconds timeout, OnMasters on_masters,
                                 OnFailure on_failure)
    : session_(
          context,
          zookeeper::Session::Options{.url = url, .timeout = timeout, .wanted = announces_master},
          reader(url.to_string(), std::move(on_masters)), std::move(on_failure)) {}

}  // namespace viaduct::mesos
