// viaductctl explain, asking the programs that are loaded.

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "tests/io/viaductctl/kernel.h"

namespace viaduct::ctltest {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ExplainCommand : public Kernel {
 protected:
  Outcome explain(std::vector<std::string> more) {
    std::vector<std::string> arguments{"--socket", kNoDaemon, "--bpffs", bpffs_, "explain"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
};

TEST_F(ExplainCommand, SaysWhatEachHookWouldDo) {
  bring_up_loopback();
  const Outcome outcome = explain({"192.0.2.7:40000", "11.0.0.1:80"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("tcp 192.0.2.7:40000 > 11.0.0.1:80\n"
                                      "socket: FORWARDED to 192.0.2.5:31000 (backend 7, "
                                      "least-loaded of 2 random slots: 0 open, both slots name "
                                      "it)\n"));
  EXPECT_THAT(outcome.out, HasSubstr("container: FORWARDED to 192.0.2.5:31000 (backend 7, hash of "
                                     "the flow), source 192.0.2.7:40001\n"));
  EXPECT_THAT(outcome.out, HasSubstr("NOT ATTACHED: there is no container link\n"));
  EXPECT_THAT(outcome.out, HasSubstr("NOT ATTACHED: there is no device viaduct0\n"));
  EXPECT_THAT(outcome.out, HasSubstr("xdp: LOCAL to 192.0.2.5:31000 (backend 7, hash of the flow): "
                                     "for a backend of this machine"));
  EXPECT_THAT(outcome.out, HasSubstr("uplink: FORWARDED to 192.0.2.5:31000 (backend 7, hash of "
                                     "the flow), source 192.0.2.7:40001\n"));
  EXPECT_THAT(outcome.out, HasSubstr("NOT ATTACHED: there is no uplink"));
}

TEST_F(ExplainCommand, ItsProgramsShareTheMapsAndPinNothingElse) {
  EXPECT_TRUE(std::filesystem::exists(bpffs_ + "/programs/explain_socket"));
  EXPECT_FALSE(std::filesystem::exists("/sys/fs/bpf/vd_explain_v1"));
}

TEST_F(ExplainCommand, SeesAKnownFlow) {
  write_flow(40000, 0);
  const Outcome outcome = explain({"192.0.2.7:40000", "11.0.0.1:80", "-o", "json"});
  const auto answers = boost::json::parse(outcome.out);
  ASSERT_EQ(answers.as_array().size(), 5u);
  EXPECT_EQ(answers.at(1).at("hook"), "container");
  EXPECT_EQ(answers.at(1).at("reason"), "backend_gone") << "of another generation";
  EXPECT_EQ(answers.at(1).at("verdict"), "refuse");
}

TEST_F(ExplainCommand, AnotherProtocolOrPortIsNoVip) {
  EXPECT_THAT(explain({"192.0.2.7", "11.0.0.1:80", "--udp"}).out,
              HasSubstr("socket: NOT_VIP (no service has this address and port"));
  EXPECT_THAT(explain({"192.0.2.7", "11.0.0.1:81"}).out, HasSubstr("container: NOT_VIP ("));
}

TEST_F(ExplainCommand, BadInputIsRefusedWithAReason) {
  for (const auto& [client, vip, message] :
       {std::tuple{"web", "11.0.0.1:80", "\"web\" is no client"},
        std::tuple{"192.0.2.7", "11.0.0.1", "is no VIP with its port"},
        std::tuple{"2001:db8::7", "11.0.0.1:80", "another family"}}) {
    const Outcome outcome = explain({client, vip});
    EXPECT_EQ(outcome.exit, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
  const Outcome gone =
      run({"--socket", kNoDaemon, "--bpffs", "/proc", "explain", "192.0.2.7", "11.0.0.1:80"});
  EXPECT_EQ(gone.exit, 1);
  EXPECT_THAT(gone.err, HasSubstr("--bpffs"));
}

}  // namespace
}  // namespace viaduct::ctltest
