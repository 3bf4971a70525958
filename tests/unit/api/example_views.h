#pragma once

#include "api/views.h"

namespace viaduct::api {

/// A node with one named VIP of two backends, one explicit IPv6 VIP without any, and one source
/// that fails. Owns the table that its views point at.
struct Example {
  Example() {
    using namespace std::chrono_literals;
    service::BackendRow row;
    row.vip = service::VipName{"web.marathon"};
    row.vip_port = 80;
    row.backend = *base::Endpoint::parse("192.0.2.5:31000");
    row.task = "web.1";
    service::SourceRows rows;
    rows.rows.push_back(row);
    rows.rejected.push_back({"task db.1, label VIP_0", "\"/db:0\" has no port"});
    table.expect("mesos-agent");
    table.expect("files");
    table.replace("mesos-agent", rows, now - 120ms);
    table.fail("files", "no such folder", now);

    auto snapshot = std::make_shared<service::Snapshot>();
    snapshot->revision = 7;
    auto web = std::make_shared<service::Service>();
    web->key = {*base::Address::parse("11.0.0.1"), 80, base::Protocol::tcp};
    web->name = "web.marathon";
    web->backends = {{row.backend, 1, row.backend, "node1", "web.1"},
                     {*base::Endpoint::parse("192.0.2.6:31000"), 0,
                      *base::Endpoint::parse("198.51.100.6:8080"), "node2", "web.2"}};
    auto empty = std::make_shared<service::Service>();
    empty->key = {*base::Address::parse("2001:db8::5"), 53, base::Protocol::udp};
    empty->policy.pick = service::PickRule::maglev;
    snapshot->services = {web, empty};
    snapshot->notes.rejected = {{"udp [2001:db8::5]:53", "two policies"}};

    views.version = "0.1.0";
    views.node = "node1";
    views.address = *base::Address::parse("192.0.2.1");
    views.uptime = 90s;
    views.now = now;
    views.snapshot = snapshot;
    views.table = &table;
    views.kernel = [key = web->key, row] {
      return KernelView{
          {key,
           {{row.backend,
             {.id = 7, .weight = 1, .open = 3, .connects = 120, .flows = 2, .packets = 9}}}}};
    };
    views.dataplane.enabled = true;
    views.dataplane.state = "active";
    views.dataplane.applied_revision = 7;
    views.dataplane.maps = {{"services", 2, 131072}};
    views.dataplane.link = "viaduct0";
    views.master.enabled = views.master.known = views.master.streaming = true;
    views.master.leader = base::Endpoint::parse("192.0.2.5:5050").value();
    views.master.age = std::chrono::milliseconds(4200);
    views.master.tasks = 3;
    views.master.held = 1;
    views.master.agents = 2;
    views.master.frameworks = 1;
    views.master.zookeeper = "connected";
    views.dns = {true, {*base::Endpoint::parse("198.51.100.1:53")}, {}, 1, 42};
    views.capabilities = {{"tcx", false, "clsact is used"}};
    views.records = [] {
      return std::vector<DnsRecord>{{"web.marathon.l4lb.thisdcos.directory.", "11.0.0.1", "A"}};
    };
  }
  Example(const Example&) = delete;

  base::Time now{std::chrono::hours(1)};
  service::LocalTable table;
  Views views;
};

}  // namespace viaduct::api
