#include "mesos/io/agent_poll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/io/file.h"
#include "tests/support/http_server.h"
#include "tests/support/source_parts.h"

namespace viaduct::mesos {
namespace {

using namespace std::chrono_literals;
using test::Exchange;
using test::HttpServer;
using testing::HasSubstr;

std::string recorded(const std::string& name) {
  return base::read_file(std::string(VIADUCT_TEST_DATA) + "/mesos/" + name, 1 << 20).value();
}

/// A poller of a server, with what it handed on.
class Poller {
 public:
  explicit Poller(const HttpServer& server, Config config = fast()) {
    config.agent = http::parse_origin(server.url()).value();
    poll = std::make_unique<AgentPoll>(
        context, config, base::Address::parse("10.77.0.21").value(),
        [this](const service::SourceParts& now) { rows.push_back(test::joined(now)); },
        [this](std::string error) { errors.push_back(std::move(error)); });
    poll->start();
  }

  static Config fast() {
    Config config;
    config.poll_min = 5ms;
    config.poll_max = 20ms;
    config.timeout = 2s;
    return config;
  }

  /// Runs until the condition holds, ten seconds at most.
  template <class Condition>
  bool until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition() && std::chrono::steady_clock::now() < end) context.run_one_for(50ms);
    return condition();
  }

  boost::asio::io_context context{1};
  std::vector<service::SourceRows> rows;
  std::vector<std::string> errors;
  std::unique_ptr<AgentPoll> poll;
};

/// What the agent answers at the moment; may be changed at any time.
class Agent {
 public:
  explicit Agent(std::string first) : state_(std::move(first)) {}
  void become(HttpServer::Handler handler) {
    const std::lock_guard lock(mutex_);
    handler_ = std::move(handler);
  }
  void say(std::string state) {
    const std::lock_guard lock(mutex_);
    state_ = std::move(state);
    handler_ = nullptr;
  }
  void operator()(Exchange& exchange) {
    HttpServer::Handler handler;
    std::string state;
    {
      const std::lock_guard lock(mutex_);
      handler = handler_;
      state = state_;
    }
    if (handler) return handler(exchange);
    if (exchange.method != "POST" || exchange.target != "/api/v1" ||
        exchange.headers["content-type"] != "application/json")
      return exchange.answer(400, "unexpected request");
    if (exchange.body == R"({"type":"GET_AGENT"})")
      return exchange.answer(200, recorded("host-with-ipv6.GET_AGENT.json"));
    if (exchange.body != R"({"type":"GET_STATE"})") return exchange.answer(400, "unexpected call");
    exchange.answer(200, state);
  }

 private:
  std::mutex mutex_;
  std::string state_;
  HttpServer::Handler handler_;
};

TEST(AgentPoll, HandsOnTheRowsOfARealAgentsAnswer) {
  Agent agent(recorded("host-network.GET_STATE.json"));
  HttpServer server([&](Exchange& exchange) { agent(exchange); });
  Poller poller(server);
  ASSERT_TRUE(poller.until([&] { return poller.rows.size() >= 3 && poller.poll->agent(); }));
  EXPECT_EQ(poller.rows[0].rows.size(), 2u);
  ASSERT_EQ(poller.rows[1].processes.size(), 1u) << "the agent has said who it is";
  EXPECT_EQ(poller.rows[1].processes[0].role, service::MesosRole::agent);
  EXPECT_EQ(poller.rows[1].processes[0].addresses[0].to_string(), "10.77.0.21");
  EXPECT_EQ(poller.rows[1].processes[0].port, 5051);
  EXPECT_EQ(poller.rows[2], poller.rows[1]);
  EXPECT_EQ(poller.poll->counters().changes, 1u)
      << "an answer that says the same is not read again";
  EXPECT_EQ(poller.poll->agent()->hostname, "agent-one.example");
  EXPECT_TRUE(poller.errors.empty());
}

TEST(AgentPoll, FollowsChanges) {
  Agent agent(recorded("host-network.GET_STATE.json"));
  HttpServer server([&](Exchange& exchange) { agent(exchange); });
  Poller poller(server);
  ASSERT_TRUE(poller.until([&] { return !poller.rows.empty(); }));
  agent.say(recorded("container-networks.GET_STATE.json"));
  ASSERT_TRUE(poller.until([&] { return poller.rows.back().rows.size() == 9; }));
  agent.say(R"({"type":"GET_STATE","get_state":{"get_tasks":{}}})");
  ASSERT_TRUE(poller.until([&] { return poller.rows.back().rows.empty(); }));
}

/// Every way for an agent to fail: the error names it, no rows are handed on, and afterwards all is
/// well again.
TEST(AgentPoll, EachKindOfFailureIsReportedAndSurvived) {
  const std::pair<HttpServer::Handler, std::string> failures[] = {
      {[](Exchange& e) { e.answer(200, R"({"get_state":)"); }, "not usable JSON"},
      {[](Exchange& e) { e.answer(200, R"({"get_state":[1,2]})"); }, "get_state is not an object"},
      {[](Exchange& e) { e.answer(200, ""); }, "not usable JSON"},
      {[](Exchange& e) { e.answer(500, "broken\nserver"); },
       "GET_STATE gave 500 \"broken?server\""},
      {[](Exchange& e) { e.answer(401, "who are you"); }, "401"},
      {[](Exchange& e) { e.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"); },
       "before the answer was whole"},
      {[](Exchange&) {}, "before the answer was whole"},
      {[](Exchange& e) { e.send("hello\r\n\r\n"); }, "not HTTP/1.1"},
  };
  Agent agent(recorded("host-network.GET_STATE.json"));
  HttpServer server([&](Exchange& exchange) { agent(exchange); });
  Poller poller(server);
  for (const auto& [handler, expected] : failures) {
    poller.rows.clear();
    ASSERT_TRUE(poller.until([&] { return !poller.rows.empty(); })) << "before: " << expected;
    poller.errors.clear();
    agent.become(handler);
    ASSERT_TRUE(poller.until([&] { return !poller.errors.empty(); })) << expected;
    EXPECT_THAT(poller.errors[0], HasSubstr(expected));
    EXPECT_THAT(poller.errors[0], HasSubstr(server.url()));
    const auto rows_before = poller.rows.size();
    ASSERT_TRUE(poller.until([&] { return poller.errors.size() >= 2; }));
    EXPECT_EQ(poller.rows.size(), rows_before) << "no rows come out of " << expected;
    agent.say(recorded("host-network.GET_STATE.json"));
  }
  poller.rows.clear();
  ASSERT_TRUE(poller.until([&] { return !poller.rows.empty(); }));
  EXPECT_EQ(poller.rows[0].rows.size(), 2u);
}

TEST(AgentPoll, AnAgentThatTakesTooLongIsAFailure) {
  Agent agent("");
  agent.become([](Exchange& exchange) { exchange.wait(30s); });
  HttpServer server([&](Exchange& exchange) { agent(exchange); });
  Config config = Poller::fast();
  config.timeout = 100ms;
  Poller poller(server, config);
  ASSERT_TRUE(poller.until([&] { return !poller.errors.empty(); }));
  EXPECT_THAT(poller.errors[0], HasSubstr("timed out"));
}

TEST(AgentPoll, AHundredMegabytesAreRefusedAndTheRowsStay) {
  Agent agent(recorded("host-network.GET_STATE.json"));
  HttpServer server([&](Exchange& exchange) { agent(exchange); });
  Config config = Poller::fast();
  config.max_answer_bytes = 1 << 20;
  Poller poller(server, config);
  ASSERT_TRUE(poller.until([&] { return !poller.rows.empty(); }));
  agent.become([](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "100000\r\n" + std::string(1 << 20, ' ') + "\r\n";
    for (int i = 0; i < 100 && exchange.send(chunk); i++) {
    }
  });
  ASSERT_TRUE(poller.until([&] { return !poller.errors.empty(); }));
  EXPECT_THAT(poller.errors[0], HasSubstr("more than 1048576 bytes: the answer is too large"));
  EXPECT_EQ(poller.rows.back().rows.size(), 2u);
}

TEST(AgentPoll, ATaskThatCannotBeUsedIsHandedOnAsRejected) {
  Agent agent(
      R"({"get_state":{"get_tasks":{"launched_tasks":[{"task_id":{"value":"a"},"framework_id":{"value":"f"},
    "state":"TASK_RUNNING"}]}}})");
  HttpServer server([&](Exchange& exchange) { agent(exchange); });
  Poller poller(server);
  ASSERT_TRUE(poller.until([&] { return !poller.rows.empty(); }));
  ASSERT_EQ(poller.rows[0].rejected.size(), 1u);
  EXPECT_EQ(poller.rows[0].rejected[0].where, "task a");
}

TEST(AgentPoll, AnAgentWithoutGetAgentIsPolledAllTheSame) {
  Agent agent("");
  agent.become([](Exchange& exchange) {
    if (exchange.body.find("GET_AGENT") != std::string::npos)
      return exchange.answer(400, "unknown call");
    exchange.answer(200, recorded("host-network.GET_STATE.json"));
  });
  HttpServer server([&](Exchange& exchange) { agent(exchange); });
  Poller poller(server);
  ASSERT_TRUE(poller.until([&] { return poller.rows.size() >= 3; }));
  EXPECT_TRUE(poller.errors.empty());
  EXPECT_FALSE(poller.poll->agent());
}

TEST(AgentPoll, SendsThePasswordThatTheFileHasNow) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("viaduct-password-" + std::to_string(getpid()));
  std::ofstream(path) << "secret\n";
  Agent agent("");
  std::atomic<bool> second = false;
  agent.become([&](Exchange& exchange) {
    // base64 of "viaduct:secret" and "viaduct:better".
    const std::string expected =
        second ? "Basic dmlhZHVjdDpiZXR0ZXI=" : "Basic dmlhZHVjdDpzZWNyZXQ=";
    if (exchange.headers["authorization"] != expected) return exchange.answer(401, "");
    exchange.answer(200, R"({"get_state":{"get_tasks":{}}})");
  });
  HttpServer server([&](Exchange& exchange) { agent(exchange); });
  Config config = Poller::fast();
  config.user = "viaduct";
  config.password_file = path;
  Poller poller(server, config);
  EXPECT_TRUE(poller.until([&] { return !poller.rows.empty(); }));
  second = true;
  EXPECT_TRUE(poller.until([&] { return !poller.errors.empty(); }));
  EXPECT_THAT(poller.errors[0], testing::Not(HasSubstr("secret")));
  std::ofstream(path) << "better\n";
  poller.rows.clear();
  EXPECT_TRUE(poller.until([&] { return !poller.rows.empty(); }));
  ::unlink(path.c_str());
  poller.errors.clear();
  EXPECT_TRUE(poller.until([&] { return !poller.errors.empty(); }));
  EXPECT_THAT(poller.errors[0], HasSubstr(path));
}

TEST(AgentPoll, NoCallbackComesAfterTheEndOfItsOwner) {
  Agent agent("");
  std::atomic<bool> asked = false;
  agent.become([&](Exchange& exchange) {
    asked = true;
    exchange.wait(100ms);
    exchange.answer(200, R"({"get_state":{"get_tasks":{}}})");
  });
  HttpServer server([&](Exchange& exchange) { agent(exchange); });
  Poller poller(server);
  ASSERT_TRUE(poller.until([&] { return asked.load(); }));
  poller.poll.reset();
  poller.context.run();
  EXPECT_TRUE(poller.rows.empty());
  EXPECT_TRUE(poller.errors.empty());
}

TEST(AgentPoll, TheLoopMayEndWithARequestUnderWay) {
  std::atomic<bool> asked = false;
  HttpServer server([&](Exchange& exchange) {
    asked = true;
    exchange.wait(30s);
  });
  const auto poller = std::make_unique<Poller>(server);
  EXPECT_TRUE(poller->until([&] { return asked.load(); }));
}

TEST(AgentPoll, MayBeDestroyedBeforeItRan) {
  HttpServer server([](Exchange& exchange) { exchange.answer(200, "{}"); });
  Poller poller(server);
  poller.poll.reset();
  poller.context.run();
  EXPECT_TRUE(poller.errors.empty());
}

}  // namespace
}  // namespace viaduct::mesos
