#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "api/config.h"
#include "api/routes.h"
#include "config/help.h"
#include "tests/unit/api/example_views.h"

namespace viaduct::api {
namespace {

namespace json = boost::json;

std::string readme() {
  std::ifstream file(VIADUCT_TEST_DATA "/../../userspace/api/README.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<json::value> examples() {
  std::vector<json::value> found;
  const std::string text = readme();
  const std::string fence = "```json\n";
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
    at += fence.size();
    found.push_back(json::parse(text.substr(at, text.find("```", at) - at)));
  }
  return found;
}

/// The same keys with values of the same kinds, in objects and in the first elements of arrays.
void expect_same_shape(const json::value& a, const json::value& b, const std::string& path) {
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.as_object()) {
      const json::value* other = b.as_object().if_contains(key);
      ASSERT_NE(other, nullptr) << path << "." << std::string(key);
      expect_same_shape(value, *other, path + "." + std::string(key));
    }
    EXPECT_EQ(a.as_object().size(), b.as_object().size()) << path;
  } else if (a.is_array() && b.is_array()) {
    if (!a.as_array().empty() && !b.as_array().empty())
      expect_same_shape(a.at(0), b.at(0), path + "[0]");
  } else {
    EXPECT_EQ(a.is_number(), b.is_number()) << path;
    EXPECT_EQ(a.is_string(), b.is_string()) << path;
    EXPECT_EQ(a.is_bool(), b.is_bool()) << path;
  }
}

TEST(Readme, ItsExamplesHaveTheShapesThatAreServed) {
  const Example example;
  const auto documented = examples();
  const char* paths[] = {"/v1/vips", "/v1/rows", "/v1/status", "/v1/records", "/v1/members"};
  ASSERT_EQ(documented.size(), std::size(paths));
  for (std::size_t i = 0; i < documented.size(); i++) {
    json::value served = json::parse(answer("GET", paths[i], example.views).body);
    // The source that has never answered has no age.
    if (i == 1) served.at("sources").as_object().erase("files");
    if (i == 2) served.at("sources").as_array().erase(served.at("sources").as_array().begin());
    expect_same_shape(documented[i], served, paths[i]);
  }
}

TEST(Readme, ListsTheKeysAsTheyAre) {
  EXPECT_THAT(readme(), testing::HasSubstr(config::markdown_table(keys())));
}

}  // namespace
}  // namespace viaduct::api
