#include "mesos/json_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "mesos/errors.h"
#include "mesos/limits.h"

namespace viaduct::mesos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Collector : public JsonPartReader {
 public:
  void on_part(std::size_t part, const boost::json::value& value, std::size_t index) override {
    lines.push_back(std::to_string(part) + "#" + std::to_string(index) + " " +
                    boost::json::serialize(value));
  }
  void on_too_large(std::size_t part, std::size_t index) override {
    lines.push_back(std::to_string(part) + "#" + std::to_string(index) + " too large");
  }
  void on_mismatch(const std::string& path) override { lines.push_back("mismatch " + path); }

  std::vector<std::string> lines;
};

std::vector<std::string> read(const std::vector<JsonPart>& parts, std::string_view text,
                              std::size_t limit = 1 << 20) {
  Collector collector;
  const auto done = JsonLists(parts).read(text, limit, collector);
  if (!done) collector.lines.push_back(done.error().message());
  return collector.lines;
}

TEST(JsonLists, ElementsOfListsAreHandedOverOneByOne) {
  EXPECT_THAT(read({{"a.b[]"}, {"c"}},
                   R"({"a":{"x":[[1]],"b":[{"k":[1,"two",{"n":null}]},3,null]},"c":true})"),
              ElementsAre(R"(0#1 {"k":[1,"two",{"n":null}]})", "0#2 3", "0#3 null", "1#0 true"));
}

TEST(JsonLists, WhatNobodyWantsIsReadButNotBuilt) {
  EXPECT_THAT(read({{"a"}}, R"({"b":{"a":1},"c":[{"a":2}],"a":{"a":3}})"),
              ElementsAre(R"(0#0 {"a":3})"));
}

TEST(JsonLists, APartWithinAPartComesFirstAndAlone) {
  EXPECT_THAT(
      read({{"f[]", {"id"}}, {"f[].t[]"}, {"f[].t[].s[]"}},
           R"({"f":[{"x":0,"t":[{"s":[1,2],"n":5}],"id":"a","y":{"id":1}},{"id":"b","t":null}]})"),
      ElementsAre("2#1 1", "2#2 2", R"(1#1 {"n":5})", R"(0#1 {"id":"a"})", R"(0#2 {"id":"b"})"));
}

TEST(JsonLists, OnlySomeMembersAreBuilt) {
  EXPECT_THAT(
      read({{"t[]", {"a", "b"}}}, R"({"t":[{"x":{"a":1},"b":[{"x":1}],"a":"","c":[]},[1],"s"]})"),
      ElementsAre(R"(0#1 {"b":[{"x":1}],"a":""})", "0#2 [1]", "0#3 \"s\""));
}

TEST(JsonLists, APartThatIsOnlySeenIsNotBuilt) {
  EXPECT_THAT(read({{"a", {}, true}, {"a.b"}}, R"({"a":{"b":1,"c":2}})"),
              ElementsAre("0#0 null", "1#0 1"));
  EXPECT_THAT(read({{"a", {}, true}}, R"({"a":null})"), IsEmpty());
}

TEST(JsonLists, AWrongTypeOnTheWayIsTold) {
  EXPECT_THAT(read({{"a.b[]"}}, R"({"a":{"b":{"c":1}}})"), ElementsAre("mismatch a.b"));
  EXPECT_THAT(read({{"a.b[]"}}, R"({"a":[1]})"), ElementsAre("mismatch a"));
  EXPECT_THAT(read({{"a.b[]"}}, R"({"a":"x"})"), ElementsAre("mismatch a"));
  EXPECT_THAT(read({{"a.b[]"}}, R"({"a":null})"), IsEmpty());
  EXPECT_THAT(read({{"a.b[]"}}, "[1]"), ElementsAre("mismatch "));
}

TEST(JsonLists, EscapesAndNumbersAreKept) {
  EXPECT_THAT(read({{"a"}}, R"({"\u0061":["\u00e9\n\"",-1,18446744073709551615,1.5e3,false]})"),
              ElementsAre("0#0 [\"\u00e9\\n\\\"\",-1,18446744073709551615,1.5E3,false]"));
}

TEST(JsonLists, APartOverTheLimitIsLostAlone) {
  const std::string large = "{\"k\":\"" + std::string(2000, 'x') + "\"}";
  EXPECT_THAT(read({{"t[]"}}, "{\"t\":[1," + large + ",{\"k\":2}]}", 1000),
              ElementsAre("0#1 1", "0#2 too large", R"(0#3 {"k":2})"));
  const std::string key = "{\"" + std::string(2000, 'x') + "\":1}";
  EXPECT_THAT(read({{"t[]"}}, "{\"t\":[" + key + ",2]}", 1000),
              ElementsAre("0#1 too large", "0#2 2"));
  std::string many = "[0";
  for (int i = 0; i < 1000; i++) many += ",0";
  EXPECT_THAT(read({{"t[]"}}, "{\"t\":[" + many + "],2]}", 1000),
              ElementsAre("0#1 too large", "0#2 2"));
  const std::string escaped = "\"" + std::string(1200, 'x') + "\\n" + std::string(1200, 'y') + "\"";
  EXPECT_THAT(read({{"t[]"}}, "{\"t\":[" + escaped + ",2],\"u\":" + escaped + "}", 1000),
              ElementsAre("0#1 too large", "0#2 2"));
}

TEST(JsonLists, NoJsonIsAnError) {
  for (const std::string text :
       {"", "{", "{\"t\":[1}", "{\"t\":[1]} x", "{\"t\":[1]}{}", "nonsense", "{\"a\":\"\xff\"}"}) {
    Collector collector;
    const auto done = JsonLists({{"t[]"}}).read(text, 1000, collector);
    ASSERT_FALSE(done) << text;
    EXPECT_EQ(done.error().code, Errc::bad_json);
  }
  const std::string deep =
      std::string(kMaxJsonDepth + 1, '[') + std::string(kMaxJsonDepth + 1, ']');
  Collector collector;
  EXPECT_FALSE(JsonLists({{"t[]"}}).read("{\"x\":" + deep + "}", 1000, collector));
}

}  // namespace
}  // namespace viaduct::mesos
