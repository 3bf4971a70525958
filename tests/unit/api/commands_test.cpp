#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "api/routes.h"
#include "base/errors.h"
#include "tests/unit/api/example_views.h"

namespace viaduct::api {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

struct Recorded {
  std::string called;
  Commands commands;

  Recorded() {
    commands.leave = [this]() -> Commands::Result {
      called = "leave";
      return std::string("left");
    };
    commands.remove_node = [this](const std::string& node) -> Commands::Result {
      called = "remove " + node;
      if (node == "nobody") return base::Error{base::Errc::not_found, "no node is called nobody"};
      return "removed " + node;
    };
    commands.install_key = [this](const std::string& key) -> Commands::Result {
      called = "install " + key;
      return std::string("installed");
    };
  }
};

TEST(Commands, APostOnTheUnixSocketRunsOne) {
  Recorded recorded;
  const auto reply = answer("POST", "/v1/leave", {}, &recorded.commands);
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(json::parse(reply.body), json::parse(R"({"done": "left"})"));
  EXPECT_EQ(recorded.called, "leave");
}

TEST(Commands, AParameterIsDecodedAndAPlusStandsForItself) {
  Recorded recorded;
  answer("POST", "/v1/keys/install?key=a+b%2F%2B%3D", {}, &recorded.commands);
  EXPECT_EQ(recorded.called, "install a+b/+=");
}

TEST(Commands, AMissingParameterIsNamedAndNothingIsDone) {
  Recorded recorded;
  for (const char* target :
       {"/v1/members/remove", "/v1/members/remove?nam=x", "/v1/members/remove?name"}) {
    const auto reply = answer("POST", target, {}, &recorded.commands);
    EXPECT_EQ(reply.status, 400u) << target;
    EXPECT_THAT(reply.body, HasSubstr("the parameter name is missing")) << target;
  }
  EXPECT_EQ(recorded.called, "");
}

TEST(Commands, ARefusalSaysWhyNot) {
  Recorded recorded;
  const auto reply = answer("POST", "/v1/members/remove?name=nobody", {}, &recorded.commands);
  EXPECT_EQ(reply.status, 409u);
  EXPECT_THAT(reply.body, HasSubstr("no node is called nobody"));
}

TEST(Commands, OverTcpTheyAreForbidden) {
  EXPECT_EQ(answer("POST", "/v1/leave", {}, nullptr).status, 403u);
}

TEST(Commands, AGetDoesNothing) {
  Recorded recorded;
  const auto reply = answer("GET", "/v1/leave", {}, &recorded.commands);
  EXPECT_EQ(reply.status, 405u);
  EXPECT_EQ(reply.allow, "POST");
  EXPECT_EQ(recorded.called, "");
}

TEST(Commands, WithoutAClusterTheySaySo) {
  const Commands none;
  const auto reply = answer("POST", "/v1/keys/use?id=00", {}, &none);
  EXPECT_EQ(reply.status, 409u);
  EXPECT_THAT(reply.body, HasSubstr("in no cluster"));
}

}  // namespace
}  // namespace viaduct::api
