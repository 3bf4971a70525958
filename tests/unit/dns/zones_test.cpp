// The zones beside l4lb, and what a node serves in all.

#include "dns/zones/zones.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>

#include "dns/respond.h"
#include "dns/zones/local.h"
#include "dns/zones/reverse.h"
#include "tests/unit/dns/task_rows.h"

namespace viaduct::dns {
namespace {

using testing::Contains;
using testing::ElementsAre;

service::Snapshot snapshot() {
  service::Snapshot made;
  made.revision = 42;
  made.complete = true;
  made.names = {{"web.marathon", {address("11.0.0.1"), address("fd01:c::1")}},
                {"x.y", {address("192.0.2.9")}}};
  return made;
}

ZoneOptions options() {
  ZoneOptions options;
  options.servers = {address("198.51.100.1"), address("198.51.100.2")};
  options.node = {address("192.0.2.1"), address("2001:db8::1")};
  return options;
}

TEST(ReverseName, IsTheAddressBackwards) {
  EXPECT_EQ(zones::reverse_name(address("11.0.0.1")).to_text(), "1.0.0.11.in-addr.arpa.");
  EXPECT_EQ(zones::reverse_name(address("2001:db8::567:89ab")).to_text(),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.");
}

TEST(ReverseApex, IsWhatTheRangeHasInCommon) {
  const auto apex = [](const char* first, const char* last) {
    const auto found = zones::reverse_apex(address(first), address(last));
    return found ? found->to_text() : "";
  };
  EXPECT_EQ(apex("11.0.0.0", "11.255.255.255"), "11.in-addr.arpa.");
  EXPECT_EQ(apex("10.5.1.0", "10.5.1.200"), "1.5.10.in-addr.arpa.");
  EXPECT_EQ(apex("192.0.2.7", "192.0.2.7"), "7.2.0.192.in-addr.arpa.");
  EXPECT_EQ(apex("10.0.0.0", "11.0.0.0"), "");
  EXPECT_EQ(apex("fd01:c::", "fd01:c::ffff:ffff:ffff:ffff"),
            "0.0.0.0.0.0.0.0.c.0.0.0.1.0.d.f.ip6.arpa.");
}

TEST(Reverse, HasTheNamesOfTheAddressesInTheRange) {
  std::vector<std::string> pointers;
  for (const Record& record : build_table(snapshot(), options()).table->records())
    if (record.type == Type::ptr) pointers.push_back(to_text(record).name);
  EXPECT_THAT(pointers,
              testing::UnorderedElementsAre("1.0.0.11.in-addr.arpa.",
                                            zones::reverse_name(address("fd01:c::1")).to_text()));
  service::Snapshot incomplete = snapshot();
  incomplete.complete = false;
  for (const auto& zone : zones::reverse(incomplete, options())) EXPECT_FALSE(zone.head.ready);
}

TEST(Local, SaysWhatTheNodeIs) {
  EXPECT_THAT(
      texts(zones::local(snapshot(), options())),
      ElementsAre("localhost. A 127.0.0.1", "localhost. AAAA ::1", "ns.spartan. A 198.51.100.1",
                  "ready.spartan. A 127.0.0.1", "thisnode.thisdcos.directory. A 192.0.2.1",
                  "thisnode.thisdcos.directory. AAAA 2001:db8::1"));
}

/// A query without EDNS, and the answer's code and counts.
struct Asked {
  unsigned rcode = 0, answers = 0, authority = 0;
  bool operator==(const Asked&) const = default;
};

Asked ask(const Table& table, std::string_view name, Type type) {
  std::vector<std::uint8_t> query = {0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  const Name parsed = Name::parse(name).value();
  query.insert(query.end(), parsed.wire().begin(), parsed.wire().end());
  query.insert(query.end(), {0, static_cast<std::uint8_t>(type), 0, 1});
  std::vector<std::uint8_t> out(answer_capacity(Transport::udp));
  respond(query, table, Transport::udp, out);
  return {out[3] & 15u, read16(&out[6]), read16(&out[8])};
}

TEST(AllZones, AnswerWhatIsTheirsAndNothingElse) {
  const Table table = *build_table(snapshot(), options()).table;
  EXPECT_EQ(ask(table, "READY.spartan", Type::a), (Asked{0, 1, 0}));
  EXPECT_EQ(ask(table, "thisnode.thisdcos.global", Type::aaaa), (Asked{0, 1, 0}));
  EXPECT_EQ(ask(table, "1.0.0.11.in-addr.arpa", Type::ptr), (Asked{0, 1, 0}));
  EXPECT_EQ(ask(table, "0.0.11.in-addr.arpa", Type::ptr), (Asked{0, 0, 1})) << "only names below";
  EXPECT_EQ(ask(table, "2.0.0.11.in-addr.arpa", Type::ptr), (Asked{3, 0, 1}));
  EXPECT_EQ(ask(table, "1.0.0.12.in-addr.arpa", Type::ptr), (Asked{5, 0, 0}));
  EXPECT_EQ(ask(table, "a.localhost", Type::a), (Asked{3, 0, 1}));
}

TEST(AllZones, KnowTasksUnderAllTheirNames) {
  ZoneOptions made = options();
  made.masters.all = {address("192.0.2.1")};
  made.containers = {*base::Subnet::parse("198.51.100.0/24")};
  made.cnames = {
      {Name::parse("r.c.thisdcos.directory").value(), Name::parse("master.mesos").value()}};
  service::TaskRow row = task("web");
  row.ports = {31000};
  const BuiltTable built = build_table(running({row}), made);
  EXPECT_TRUE(built.rejected.empty());
  const Table& table = *built.table;
  for (const char* name :
       {"web.marathon.autoip.dcos.thisdcos.directory", "web.marathon.agentip.dcos.thisdcos.global",
        "web.marathon.mesos", "web.marathon.mesos.thisdcos.directory",
        "web.marathon.slave.mesos.thisdcos.global", "leader.mesos", "zk-5.zk",
        "master.dcos.thisdcos.directory", "r.c.thisdcos.directory", "r.c.thisdcos.global"})
    EXPECT_EQ(ask(table, name, Type::a), (Asked{0, 1, 0})) << name;
  EXPECT_EQ(ask(table, "_web._tcp.marathon.mesos", Type::srv), (Asked{0, 1, 0}));
  EXPECT_EQ(ask(table, "5.100.51.198.in-addr.arpa", Type::ptr), (Asked{0, 1, 0}));
  EXPECT_EQ(ask(table, "marathon.mesos", Type::a), (Asked{0, 0, 1})) << "only names below";
  EXPECT_EQ(ask(table, "db.marathon.mesos", Type::a), (Asked{3, 0, 1}));
}

TEST(AllZones, RangesInOneReverseZoneShareIt) {
  ZoneOptions made = options();
  made.containers = {*base::Subnet::parse("11.0.0.0/8"), *base::Subnet::parse("198.51.100.0/25"),
                     *base::Subnet::parse("198.51.100.128/25")};
  const Table table = *build_table(snapshot(), made).table;
  EXPECT_EQ(ask(table, "1.0.0.11.in-addr.arpa", Type::ptr), (Asked{0, 1, 0}));
}

TEST(AllZones, OfThisNodeAnswerBeforeTheOthersAreKnown) {
  const Table table = *build_table(service::Snapshot{}, options()).table;
  EXPECT_EQ(ask(table, "ready.spartan", Type::a), (Asked{0, 1, 0}));
  EXPECT_EQ(ask(table, "web.marathon.l4lb.thisdcos.directory", Type::a), (Asked{2, 0, 0}));
  EXPECT_EQ(ask(table, "1.0.0.11.in-addr.arpa", Type::ptr), (Asked{2, 0, 0}));
}

/// Makes a task another one, or, without a name, none. Some have all in common.
void change(service::TaskRow& row, std::mt19937& random) {
  row = random() % 3 == 0 ? service::TaskRow{} : task("app" + std::to_string(random() % 3));
  if (row.name.empty()) return;
  if (random() % 2) row.discovery = "App" + std::to_string(random() % 3) + ".x";
  if (random() % 2) row.ports = {static_cast<std::uint16_t>(31000 + random() % 2)};
  if (random() % 2) row.discovery_ports = {{80, "http", "tcp"}, {53, "", ""}};
  row.host_port = random() % 2 != 0;
  if (random() % 2)
    row.addresses = {{service::AddressSource::netinfo,
                      base::Address::v4({198, 51, 100, static_cast<std::uint8_t>(random() % 4)})}};
}

/// Makes a process another one, or, without an id, none. Some have all in common.
void change(service::MesosRow& row, std::mt19937& random) {
  const base::Address own = base::Address::v4({192, 0, 2, static_cast<std::uint8_t>(random() % 4)});
  const auto port = static_cast<std::uint16_t>(5050 + random() % 2);
  const auto number = static_cast<std::uint16_t>(random() % 3);
  switch (random() % 6) {
    case 0:
      row = agent("", {own}, port);
      break;
    case 1:
      row = master(number, own, random() % 2 != 0, port);
      break;
    case 2:
      row = framework(number == 0 ? "slave" : "app" + std::to_string(number), {own}, port);
      break;
    default:
      row = {};
  }
}

/// Snapshots with random names, tasks and processes, each differing little from the one before.
class KeptUp : public testing::TestWithParam<MesosMode> {};
INSTANTIATE_TEST_SUITE_P(AllZones, KeptUp, testing::Values(MesosMode::local, MesosMode::master));

TEST_P(KeptUp, EqualThoseMadeAnew) {
  std::mt19937 random(7);
  ZoneOptions made = options();
  made.mesos = GetParam();
  std::map<unsigned, service::MesosRow> rows_of_processes;
  made.containers = {*base::Subnet::parse("198.51.100.0/24")};
  made.cnames = {
      {Name::parse("a.b.thisdcos.directory").value(), Name::parse("app1.marathon.mesos").value()}};
  Zones kept(made);
  service::Snapshot now = snapshot();
  std::map<unsigned, service::TaskRow> tasks;
  std::vector<unsigned> owner(40, 0);  // of each address 11.0.1.x: a name's number, or none
  for (unsigned turn = 0; turn < 300; ++turn) {
    for (int i = 0; i < 3; ++i) owner[random() % owner.size()] = random() % 20;
    std::map<unsigned, std::vector<base::Address>> names;
    for (unsigned i = 0; i < owner.size(); ++i)
      if (owner[i] != 0)
        names[owner[i]].push_back(base::Address::v4({11, 0, 1, static_cast<std::uint8_t>(i)}));
    std::vector<service::NamedVip> list;
    for (const auto& [name, addresses] : names)
      list.push_back({std::string(name % 3, 'a') + "w" + std::to_string(name) + ".x", addresses});
    now.names = list;
    std::vector<std::shared_ptr<const service::Service>> services;
    for (const service::NamedVip& vip : list) {
      service::Service service;
      service.key = {vip.addresses.front(), static_cast<std::uint16_t>(80 + random() % 3),
                     base::Protocol::tcp};
      service.name = vip.name;
      services.push_back(std::make_shared<const service::Service>(service));
    }
    now.services = services;
    for (int i = 0; i < 3; ++i) change(tasks[random() % 12], random);
    std::vector<service::TaskRow> rows;
    for (auto& [number, row] : tasks) {
      row.id = std::to_string(number);
      if (!row.name.empty()) rows.push_back(row);
    }
    now.tasks = running(rows).tasks;
    // All of the processes go now and then, so that agents are known by their tasks alone.
    for (int i = 0; i < 2; ++i) change(rows_of_processes[random() % 6], random);
    if (random() % 10 == 0) rows_of_processes.clear();
    std::vector<service::MesosRow> known;
    for (auto& [number, row] : rows_of_processes) {
      if (row.addresses.empty()) continue;
      row.id = std::to_string(number);
      known.push_back(row);
    }
    now.processes = processes(known);
    now.master = {
        true,
        running({rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2)}).tasks,
        processes(known, "")};
    now.revision++;
    kept.update(now);
    if (turn % 10 == 0) {
      EXPECT_EQ(kept.table()->records(), build_table(now, made).table->records());
    }
  }
  EXPECT_EQ(kept.table()->record_count(), kept.table()->records().size());
  EXPECT_TRUE(kept.take_rejected().empty());
}

TEST(AllZones, OfAnIncompleteSnapshotKeepWhatTheyHadAndSayThatTheyDoNotKnow) {
  Zones zones(options());
  zones.update(snapshot());
  service::Snapshot lost = snapshot();
  lost.complete = false;
  lost.names = {};
  zones.update(lost);
  EXPECT_EQ(ask(*zones.table(), "web.marathon.l4lb.thisdcos.directory", Type::a), (Asked{2, 0, 0}));
  zones.update(snapshot());
  EXPECT_EQ(ask(*zones.table(), "web.marathon.l4lb.thisdcos.directory", Type::a), (Asked{0, 1, 0}));
}

}  // namespace
}  // namespace viaduct::dns
