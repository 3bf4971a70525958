// viaductctl trace against programs that balance real sockets.

#include <gmock/gmock.h>
#include <viaduct/abi/event.h>

#include <boost/json.hpp>
#include <future>

#include "tests/io/viaductctl/kernel.h"
#include "tests/support/own_pid.h"

namespace viaduct::ctltest {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class TraceCommand : public Kernel {
 protected:
  void SetUp() override {
    Kernel::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    const auto mount = dataplane::find_cgroup2();
    ASSERT_TRUE(mount);
    bring_up_loopback();
    cgroup_.emplace(*mount);
    ASSERT_TRUE(programs_->attach_sockets(cgroup_->path()));
  }

  std::future<Outcome> trace(std::vector<std::string> more) {
    std::vector<std::string> arguments{"--socket", kNoDaemon, "--bpffs", bpffs_, "trace"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::async(std::launch::async, [arguments] { return run(arguments); });
  }

  vd_trace control() {
    const base::Fd map(bpf_obj_get((bpffs_ + "/vd_trace_v1").c_str()));
    const std::uint32_t zero = 0;
    vd_trace value{};
    EXPECT_EQ(bpf_map_lookup_elem(map.get(), &zero, &value), 0);
    return value;
  }
  void wait_until_traced() {
    for (int i = 0; i < 500 && control().until_s == 0; i++) ::usleep(10'000);
    ASSERT_NE(control().until_s, 0u);
  }

  /// The backend's address is nobody's: only the connect counts, not what becomes of it.
  static void connect_to_vip() {
    const base::Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in vip = ipv4("11.0.0.1", 80);
    (void)::connect(client.get(), reinterpret_cast<const sockaddr*>(&vip), sizeof(vip));
  }

  std::optional<Cgroup> cgroup_;
};

TEST_F(TraceCommand, ShowsWhatHappensAndEnds) {
  auto running = trace({"--count", "2", "-o", "json"});
  wait_until_traced();
  connect_to_vip();
  connect_to_vip();
  const Outcome outcome = running.get();
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "viaductctl: 2 events\n");
  const auto event = boost::json::parse(outcome.out.substr(0, outcome.out.find('\n')));
  EXPECT_EQ(event.at("kind"), "new");
  EXPECT_EQ(event.at("hook"), "sock");
  EXPECT_EQ(event.at("vip"), "11.0.0.1:80");
  EXPECT_EQ(event.at("backend"), "192.0.2.5:31000");
  const auto pid = event.at("pid").to_number<std::uint32_t>();
  EXPECT_GT(pid, 0U);
  EXPECT_EQ(pid, test::own_pid().value_or(pid));
  EXPECT_EQ(control().until_s, 0u) << "the programs write no more";
}

TEST_F(TraceCommand, ShowsOneVipOnly) {
  auto running = trace({"11.0.0.1:80", "--count", "1"});
  wait_until_traced();
  EXPECT_EQ(ntohs(control().port), 80);
  connect_to_vip();
  const Outcome outcome = running.get();
  EXPECT_THAT(outcome.out, StartsWith("TIME (UTC)"));
  EXPECT_THAT(outcome.out, HasSubstr("11.0.0.1:80            192.0.2.5:31000\n"));
}

TEST_F(TraceCommand, RunsOnceAtATime) {
  auto first = trace({"--count", "1"});
  wait_until_traced();
  const Outcome second = trace({}).get();
  EXPECT_EQ(second.exit, 1);
  EXPECT_THAT(second.err,
              HasSubstr("another trace runs in process " + std::to_string(control().pid)));
  connect_to_vip();
  EXPECT_EQ(first.get().exit, 0);
}

TEST_F(TraceCommand, CtrlCEndsItInOrder) {
  auto running = trace({"-o", "json"});
  wait_until_traced();
  ::kill(static_cast<pid_t>(control().pid), SIGINT);
  const Outcome outcome = running.get();
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_EQ(outcome.err, "viaductctl: 0 events\n");
  EXPECT_EQ(control().until_s, 0u);
}

TEST_F(TraceCommand, WhenItIsKilledTheNextOneTakesOver) {
  auto running = trace({});
  wait_until_traced();
  ::kill(static_cast<pid_t>(control().pid), SIGKILL);
  running.get();
  connect_to_vip();  // within the time that the dead one asked for
  auto next = trace({"--count", "1", "-o", "json"});
  const auto before = control().pid;
  for (int i = 0; i < 500 && control().pid == before; i++) ::usleep(10'000);
  connect_to_vip();
  const Outcome outcome = next.get();
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.err, StartsWith("viaductctl: 1 event\n")) << "and not the dead one's";
}

TEST_F(TraceCommand, SaysWhatItCannotDo) {
  EXPECT_THAT(trace({"web"}).get().err, HasSubstr("\"web\" is no one VIP's address or name"));
  EXPECT_EQ(trace({"11.0.0.1:80", "--sample", "0"}).get().exit, 1);
  const Outcome gone = run({"--socket", kNoDaemon, "--bpffs", "/proc", "trace"});
  EXPECT_EQ(gone.exit, 1);
  EXPECT_THAT(gone.err, HasSubstr("--bpffs"));
}

}  // namespace
}  // namespace viaduct::ctltest
