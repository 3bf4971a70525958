#include "service/name.h"

#include <gtest/gtest.h>

namespace viaduct::service {
namespace {

std::string repeat(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; i++) all += text;
  return all;
}

TEST(SanitiseName, FollowsDcosNet) {
  EXPECT_EQ(sanitise_name("/myapp"), "myapp");
  EXPECT_EQ(sanitise_name("/mygroup/myapp"), "mygroupmyapp");
  EXPECT_EQ(sanitise_name("/api.hello-world"), "api.hello-world");
  EXPECT_EQ(sanitise_name("dev/kafka"), "devkafka");
  EXPECT_EQ(sanitise_name("/My_App-"), "my-app");
  EXPECT_EQ(sanitise_name("..a..b."), "a.b");
  EXPECT_EQ(sanitise_name("/App_Name.-x-"), "app-name.x");
  EXPECT_EQ(sanitise_name("/-a"), "a");
  EXPECT_EQ(sanitise_name("/h\xc3\xa9llo"), "hllo");
  EXPECT_EQ(sanitise_name("/"), "");
  EXPECT_EQ(sanitise_name(""), "");
  EXPECT_EQ(sanitise_name("..."), "");
}

TEST(SanitiseName, CutsLabelsAt63Characters) {
  EXPECT_EQ(sanitise_name(repeat(70, "a")), repeat(63, "a"));
  EXPECT_EQ(sanitise_name(repeat(62, "a") + "-bcd"), repeat(62, "a") + "b");
  EXPECT_EQ(sanitise_name(repeat(60, "a") + "---bcdef"), repeat(60, "a") + "bcd");
  EXPECT_EQ(sanitise_name(repeat(70, "a") + "." + repeat(70, "b")),
            repeat(63, "a") + "." + repeat(63, "b"));
}

TEST(SanitiseLabel, TurnsDotsIntoDashes) {
  EXPECT_EQ(sanitise_label("a.b_c-"), "a-b-c");
  EXPECT_EQ(sanitise_label("myapp.mygroup"), "myapp-mygroup");
}

}  // namespace
}  // namespace viaduct::service
