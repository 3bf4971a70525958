// viaductctl against a served API: what it prints and how it exits.

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "api/routes.h"
#include "tests/io/viaductctl/program.h"
#include "tests/unit/api/example_views.h"

namespace viaduct::ctltest {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Commands : public testing::Test {
 protected:
  Outcome ask(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--socket", daemon_.socket()});
    return run(std::move(arguments));
  }

  api::Example example_;
  Daemon daemon_{example_.views};
};

TEST_F(Commands, VipsAndBackendsAreTables) {
  const Outcome vips = ask({"vips"});
  EXPECT_EQ(vips.exit, 0);
  EXPECT_EQ(vips.err, "");
  EXPECT_THAT(vips.out, StartsWith("VIP "));
  EXPECT_THAT(vips.out, HasSubstr("\nweb.marathon.l4lb.thisdcos.directory:80  tcp    11.0.0.1"));
  const Outcome backends = ask({"backends"});
  EXPECT_EQ(backends.exit, 0);
  EXPECT_THAT(backends.out,
              HasSubstr("\n192.0.2.5:31000  web.marathon.l4lb.thisdcos.directory:80"));
}

TEST_F(Commands, JsonIsWhatTheApiSays) {
  for (const auto& [command, path] :
       {std::pair("vips", "/v1/vips"), {"rows", "/v1/rows"}, {"status", "/v1/status"}}) {
    // The option stands before or after the command.
    EXPECT_EQ(ask({"-o", "json", command}).out, api::answer("GET", path, example_.views).body);
    EXPECT_EQ(ask({command, "-o", "json"}).out, api::answer("GET", path, example_.views).body);
  }
}

TEST_F(Commands, OneVipIsShownByAnyOfItsNames) {
  for (const char* name :
       {"web", "web.marathon:80", "11.0.0.1", "web.marathon.l4lb.thisdcos.directory"}) {
    const Outcome vip = ask({"vip", name});
    EXPECT_EQ(vip.exit, 0) << name;
    EXPECT_THAT(vip.out, StartsWith("web.marathon.l4lb.thisdcos.directory:80  tcp\n")) << name;
  }
  const Outcome json = ask({"vip", "web", "-o", "json"});
  EXPECT_EQ(boost::json::parse(json.out).as_array().size(), 1u);
}

TEST_F(Commands, AnUnknownVipIsAFailureThatSaysWhereToLook) {
  const Outcome vip = ask({"vip", "wbe"});
  EXPECT_EQ(vip.exit, 1);
  EXPECT_EQ(vip.out, "");
  EXPECT_THAT(vip.err, HasSubstr("no VIP is called \"wbe\""));
  EXPECT_THAT(vip.err, HasSubstr("viaductctl vips lists them"));
}

TEST_F(Commands, RejectedRowsSayWhy) {
  const Outcome rejected = ask({"rows", "--rejected"});
  EXPECT_EQ(rejected.exit, 0);
  EXPECT_THAT(rejected.out,
              HasSubstr("\nmesos-agent  task db.1, label VIP_0  \"/db:0\" has no port\n"));
}

TEST_F(Commands, StatusTellsTheNode) {
  const Outcome status = ask({"status"});
  EXPECT_EQ(status.exit, 0);
  EXPECT_THAT(status.out, StartsWith("node         node1 (192.0.2.1)\n"));
}

TEST(CommandLine, WithoutADaemonTheExitCodeIsTwoAndTheMessageHelps) {
  for (const char* command : {"status", "rows", "vips", "backends"}) {
    const Outcome outcome =
        run({"--socket", "/tmp/viaduct-test-ctl-none.sock", "--bpffs", "/proc", command});
    EXPECT_EQ(outcome.exit, 2) << command;
    EXPECT_EQ(outcome.out, "") << command;
    EXPECT_THAT(outcome.err,
                HasSubstr("viaductd does not answer on /tmp/viaduct-test-ctl-none.sock"));
    EXPECT_THAT(outcome.err, HasSubstr("viaductctl doctor"));
  }
}

TEST(CommandLine, AWrongUseIsAFailure) {
  EXPECT_EQ(run({}).exit, 1);
  EXPECT_EQ(run({"vipz"}).exit, 1);
  EXPECT_EQ(run({"vips", "-o", "xml"}).exit, 1);
  EXPECT_EQ(run({"vip"}).exit, 1);
  EXPECT_EQ(run({"--help"}).exit, 0);
  EXPECT_THAT(run({"--version"}).out, StartsWith("viaductctl "));
}

}  // namespace
}  // namespace viaduct::ctltest
