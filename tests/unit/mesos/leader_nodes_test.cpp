#include "mesos/leader_nodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "mesos/master_info.h"

namespace viaduct::mesos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using zookeeper::Node;

base::Endpoint endpoint(std::string_view text) { return base::Endpoint::parse(text).value(); }

/// As a master of Mesos 1.12 writes it.
std::string info(const std::string& address, std::uint32_t ip) {
  return R"({"address":{"hostname":")" + address + R"(","ip":")" + address +
         R"(","port":5050},"capabilities":[{"type":"AGENT_UPDATE"},{"type":"AGENT_DRAINING"},)"
         R"({"type":"QUOTA_V2"}],"hostname":")" +
         address + R"(","id":"dc4ca385-fad6-47ff-8372-fde0d99261a7","ip":)" + std::to_string(ip) +
         R"(,"pid":"master@)" + address + R"(:5050","port":5050,"version":"1.12.0"})";
}

const std::string kFirst = info("10.77.0.11", 184569098);
const std::string kSecond = info("10.77.0.12", 201346314);

Node node(std::string name, std::string data) { return {std::move(name), std::move(data), ""}; }

LeaderNodes read(std::vector<Node> nodes) { return read_leader_nodes(nodes); }

TEST(LeaderNodes, TheLowestNumberLeads) {
  const auto out = read({node("json.info_0000000003", kFirst),
                         node("json.info_0000000002", kSecond), node("log_replicas", "")});
  EXPECT_EQ(out.masters.leader, endpoint("10.77.0.12:5050"));
  EXPECT_THAT(out.masters.all,
              ElementsAre(endpoint("10.77.0.12:5050"), endpoint("10.77.0.11:5050")));
  EXPECT_THAT(out.rejected, IsEmpty());
}

TEST(LeaderNodes, NumbersAreComparedAsNumbers) {
  const auto out =
      read({node("json.info_10000000000", kFirst), node("json.info_9999999999", kSecond)});
  EXPECT_EQ(out.masters.leader, endpoint("10.77.0.12:5050"));
}

TEST(LeaderNodes, NoNodesAreNoMasters) {
  EXPECT_EQ(read({}).masters, Masters{});
  EXPECT_EQ(read({node("log_replicas", "")}).masters, Masters{});
}

TEST(LeaderNodes, AMasterThatStartedAnewIsListedOnce) {
  const auto out =
      read({node("json.info_0000000001", kFirst), node("json.info_0000000002", kSecond),
            node("json.info_0000000003", kFirst)});
  EXPECT_THAT(out.masters.all,
              ElementsAre(endpoint("10.77.0.11:5050"), endpoint("10.77.0.12:5050")));
}

TEST(LeaderNodes, ABadNodeCostsOnlyItself) {
  const auto out = read({node("json.info_0000000001", kFirst), node("json.info_0000000002", "{"),
                         node("json.info_", kFirst), node("json.info_12x", kFirst),
                         Node{"json.info_0000000003", "", "not authenticated"},
                         node("info_0000000004", "\xff"), node("json.info_0000000005", kSecond)});
  EXPECT_EQ(out.masters.leader, endpoint("10.77.0.11:5050"));
  EXPECT_THAT(out.masters.all,
              ElementsAre(endpoint("10.77.0.11:5050"), endpoint("10.77.0.12:5050")));
  ASSERT_THAT(out.rejected, SizeIs(5));
  EXPECT_EQ(out.rejected[0].where, "node \"json.info_\"");
  EXPECT_THAT(out.rejected[0].reason, HasSubstr("does not end in a number"));
  EXPECT_EQ(out.rejected[2].where, "node \"json.info_0000000002\"");
  EXPECT_THAT(out.rejected[2].reason, HasSubstr("not usable JSON"));
  EXPECT_EQ(out.rejected[3].reason, "not authenticated");
  EXPECT_THAT(out.rejected[4].reason, HasSubstr("not a whole protobuf message"));
}

TEST(LeaderNodes, ALeadingNodeThatCannotBeReadLeavesTheLeaderUnknown) {
  const auto out =
      read({node("json.info_0000000001", "null"), node("json.info_0000000002", kSecond)});
  EXPECT_EQ(out.masters.leader, std::nullopt);
  EXPECT_THAT(out.masters.all, ElementsAre(endpoint("10.77.0.12:5050")));
  EXPECT_THAT(out.rejected, SizeIs(1));
}

TEST(MasterInfoJson, TheAddressCountsBeforeIpAndPort) {
  EXPECT_EQ(parse_master_info_json(R"({"ip":184569098,"port":5050})").value(),
            endpoint("10.77.0.11:5050"));
  EXPECT_EQ(parse_master_info_json(
                R"({"ip":184569098,"port":5050,"address":{"ip":"2001:db8::1","port":5051}})")
                .value(),
            endpoint("[2001:db8::1]:5051"));
  EXPECT_EQ(parse_master_info_json(R"({"pid":"master@192.0.2.7:5050"})").value(),
            endpoint("192.0.2.7:5050"));
  EXPECT_EQ(parse_master_info_json(R"({"ip":184569098,"port":1,"address":{"port":5051}})").value(),
            endpoint("10.77.0.11:5051"));
}

TEST(MasterInfoJson, WhatCannotBeUsedIsAnError) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "not usable JSON"},
      {"[]", "not an object"},
      {"{}", "has no address"},
      {R"({"ip":184569098})", "has no port"},
      {R"({"ip":184569098,"port":0})", "its port is 0"},
      {R"({"ip":184569098,"port":70000})", "its port is 70000"},
      {R"({"ip":-1,"port":5050})", "its ip is -1"},
      {R"({"ip":4294967296,"port":5050})", "its ip is 4294967296"},
      {R"({"ip":"10.77.0.11","port":5050})", "ip is a string"},
      {R"({"ip":0,"port":5050})", "nobody can connect to 0.0.0.0:5050"},
      {R"({"address":{"ip":"master.example","port":5050}})", "\"master.example\""},
      {R"({"pid":"master"})", "its pid is"},
      {R"({"pid":"master@master.example:5050"})", "its pid is"},
      {std::string(20, '[') + std::string(20, ']'), "not usable JSON"},
  };
  for (const auto& [text, expected] : cases) {
    const auto endpoint = parse_master_info_json(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_THAT(endpoint.error().message(), HasSubstr(expected)) << text;
  }
}

/// Writes a message field by field.
class Message {
 public:
  Message& number(std::uint64_t field, std::uint64_t value) {
    writer_.varint(field << 3U);
    writer_.varint(value);
    return *this;
  }
  Message& text(std::uint64_t field, std::string_view value) {
    writer_.varint(field << 3U | 2U);
    writer_.counted(base::as_bytes(value));
    return *this;
  }
  std::string bytes() const { return std::string(base::as_text(writer_.bytes())); }

 private:
  base::Writer writer_;
};

TEST(MasterInfoProtobuf, SaysTheSame) {
  Message message;
  message.text(1, "20150101-000000-184569098-5050-1")
      .number(2, 184569098)
      .number(3, 5050)
      .text(4, "master@10.77.0.11:5050")
      .text(5, "master-one.example")
      .text(6, "0.22.0");
  EXPECT_EQ(read({node("info_0000000007", message.bytes())}).masters.leader,
            endpoint("10.77.0.11:5050"));
  const std::string address =
      Message().text(1, "m.example").text(2, "2001:db8::1").number(3, 5051).bytes();
  message.text(7, address);
  EXPECT_EQ(parse_master_info_protobuf(base::as_bytes(message.bytes())).value(),
            endpoint("[2001:db8::1]:5051"));
}

TEST(MasterInfoProtobuf, FieldsOfOtherKindsArePassedOver) {
  const std::string start = Message().number(2, 184569098).number(3, 5050).bytes();
  const std::string fixed64 = std::string("\x79") + "12345678";  // field 15, eight octets
  const std::string fixed32 = std::string("\x7d") + "1234";      // field 15, four octets
  const std::string other = Message().text(3, "a port").text(99, "later").bytes();
  EXPECT_EQ(parse_master_info_protobuf(base::as_bytes(start + fixed64 + fixed32 + other)).value(),
            endpoint("10.77.0.11:5050"));
}

TEST(MasterInfoProtobuf, ACutMessageIsAnErrorAtEveryLength) {
  const std::string whole =
      Message().number(2, 184569098).text(5, "m.example").number(3, 5050).bytes();
  for (std::size_t length = 0; length < whole.size(); length++)
    EXPECT_FALSE(parse_master_info_protobuf(base::as_bytes(whole.substr(0, length)))) << length;
  EXPECT_TRUE(parse_master_info_protobuf(base::as_bytes(whole)));
}

TEST(MasterInfoProtobuf, GroupsFieldZeroAndLongLengthsAreErrors) {
  for (const std::string& bytes :
       {std::string("\x13", 1), std::string("\x00\x01", 2),
        std::string("\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11)}) {
    const auto endpoint = parse_master_info_protobuf(base::as_bytes(bytes));
    ASSERT_FALSE(endpoint);
    EXPECT_THAT(endpoint.error().message(), HasSubstr("not a whole protobuf message"));
  }
  const std::string negative_port =
      Message().number(2, 184569098).number(3, static_cast<std::uint64_t>(-1)).bytes();
  EXPECT_THAT(parse_master_info_protobuf(base::as_bytes(negative_port)).error().message(),
              HasSubstr("its port is"));
}

}  // namespace
}  // namespace viaduct::mesos
