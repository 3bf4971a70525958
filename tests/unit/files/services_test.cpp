#include "files/services.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "files/limits.h"
#include "tests/support/source_parts.h"

namespace viaduct::files {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// A service with one backend at 192.0.2.<host>.
std::string service(const std::string& name, int host, const std::string& more = "") {
  return "[[service]]\nname = \"" + name + "\"\nport = 80\n" + more +
         "[[service.backend]]\naddress = \"192.0.2." + std::to_string(host) + "\"\nport = 8080\n";
}

/// "web.service 192.0.2.5".
std::vector<std::string> lines(Services& services) {
  std::vector<std::string> out;
  for (const auto& row : test::joined(services.rows()).rows)
    out.push_back(std::get<service::VipName>(row.vip).value + " " +
                  row.backend.address.to_string());
  return out;
}

std::vector<std::string> rejected(Services& services) {
  std::vector<std::string> out;
  for (const auto& row : test::joined(services.rows()).rejected)
    out.push_back(row.where + ": " + row.reason);
  return out;
}

TEST(Services, AreTheUnionOfAllFiles) {
  Services services;
  services.on_file("b.toml", service("web", 5));
  services.on_file("a.toml", service("web", 6) + service("api", 7));
  EXPECT_THAT(lines(services),
              UnorderedElementsAre("api.service 192.0.2.7", "web.service 192.0.2.6",
                                   "web.service 192.0.2.5"));
  services.on_removed("a.toml");
  EXPECT_THAT(lines(services), ElementsAre("web.service 192.0.2.5"));
}

TEST(Services, ACleanFileGivesExactlyItsRows) {
  Services services;
  services.on_file("a.toml", service("web", 5) + service("api", 7));
  services.on_file("a.toml", service("web", 6));
  EXPECT_THAT(lines(services), ElementsAre("web.service 192.0.2.6"));
  services.on_file("a.toml", "");
  EXPECT_THAT(lines(services), IsEmpty());
}

TEST(Services, AFileThatBreaksKeepsAllItSaid) {
  Services services;
  services.on_file("a.toml", service("web", 5) + service("api", 7));
  services.on_file("a.toml", "[[service");
  EXPECT_THAT(lines(services),
              UnorderedElementsAre("web.service 192.0.2.5", "api.service 192.0.2.7"));
  EXPECT_THAT(rejected(services),
              ElementsAre(HasSubstr("a.toml:1: syntax"),
                          "a.toml: has mistakes: 2 of its VIPs keep what it said before"));
  services.on_file("a.toml", service("web", 6));
  EXPECT_THAT(lines(services), ElementsAre("web.service 192.0.2.6"));
  EXPECT_THAT(rejected(services), IsEmpty());
}

TEST(Services, AMistakeInOneVipLetsTheOthersOfTheFileChange) {
  Services services;
  services.on_file("a.toml", service("web", 5) + service("api", 7) + service("old", 8));
  services.on_file("a.toml",
                   service("web", 6) + service("api", 9, "portt = 1\n") + service("new", 10));
  EXPECT_THAT(lines(services),
              UnorderedElementsAre("web.service 192.0.2.6", "api.service 192.0.2.7",
                                   "old.service 192.0.2.8", "new.service 192.0.2.10"));
}

TEST(Services, AVipThatWasNeverCleanHasItsGoodBackends) {
  const std::string wrong = "[[service.backend]]\naddress = \"192.0.2.99\"\nport = 0\n";
  Services services;
  services.on_file("a.toml", service("web", 5) + wrong);
  EXPECT_THAT(lines(services), ElementsAre("web.service 192.0.2.5"));
  services.on_file("a.toml", service("web", 6) + wrong);
  EXPECT_THAT(lines(services), ElementsAre("web.service 192.0.2.6"));
  services.on_file("a.toml", service("web", 7));
  services.on_file("a.toml", service("web", 8) + wrong);
  EXPECT_THAT(lines(services), ElementsAre("web.service 192.0.2.7"));
}

TEST(Services, TheRowsSurviveSeveralBrokenVersions) {
  Services services;
  services.on_file("a.toml", service("web", 5));
  for (const char* broken : {"[[", "x = 1", "[[service]]\nname = 5"}) {
    services.on_file("a.toml", broken);
    EXPECT_THAT(lines(services), ElementsAre("web.service 192.0.2.5")) << broken;
  }
}

TEST(Services, AFileThatCannotBeReadKeepsItsRows) {
  Services services;
  services.on_file("a.toml", service("web", 5));
  services.on_unreadable("a.toml", "cannot be read: Permission denied");
  services.on_unreadable("b.toml", "cannot be read: Permission denied");
  EXPECT_THAT(lines(services), ElementsAre("web.service 192.0.2.5"));
  EXPECT_THAT(rejected(services), ElementsAre("a.toml: cannot be read: Permission denied",
                                              "b.toml: cannot be read: Permission denied"));
}

TEST(Services, ABackendGivenByTwoFilesCountsOnceForTheFirst) {
  Services services;
  services.on_file("b.toml", service("web", 5));
  services.on_file("a.toml", service("web", 5));
  const auto rows = test::joined(services.rows());
  ASSERT_THAT(rows.rows, SizeIs(1));
  EXPECT_EQ(rows.rows[0].task, "a.toml:4");
  EXPECT_THAT(
      rejected(services),
      ElementsAre(
          "b.toml:4: backend 192.0.2.5:8080 of tcp web.service:80 is already given at a.toml:4"));
}

TEST(Services, PartsThatDoNotChangeAreShared) {
  Services services;
  services.on_file("a.toml", service("web", 5));
  services.on_file("b.toml", service("web", 6));
  services.on_file("c.toml", service("web", 5));
  const auto before = services.rows();
  services.on_file("b.toml", service("web", 7));
  const auto after = services.rows();
  EXPECT_EQ(after.by_name().at("a.toml"), before.by_name().at("a.toml"));
  EXPECT_NE(after.by_name().at("b.toml"), before.by_name().at("b.toml"));
  EXPECT_EQ(after.by_name().at("c.toml"), before.by_name().at("c.toml"));
  services.on_file("a.toml", "\n" + service("web", 5));
  EXPECT_THAT(
      rejected(services),
      ElementsAre(
          "c.toml:4: backend 192.0.2.5:8080 of tcp web.service:80 is already given at a.toml:5"));
  services.on_removed("a.toml");
  EXPECT_THAT(rejected(services), IsEmpty());
  EXPECT_THAT(lines(services), ElementsAre("web.service 192.0.2.7", "web.service 192.0.2.5"));
}

/// Files of a world so small that they give the same backends all the time.
class RandomFiles {
 public:
  explicit RandomFiles(unsigned seed) : random_(seed) {}

  void change(Services& services) {
    const std::string name = std::string(1, static_cast<char>('a' + below(5))) + ".toml";
    const unsigned kind = below(10);
    if (kind == 0) {
      services.on_removed(name);
      histories_.erase(name);
    } else if (kind == 1) {
      services.on_unreadable(name, "cannot be read");
      histories_[name].push_back("");
    } else {
      histories_[name].push_back(text());
      services.on_file(name, histories_[name].back());
    }
  }

  /// The same files, each with all that it ever said, in another order.
  service::SourceParts from_scratch() {
    std::vector<std::string> names;
    for (const auto& [name, texts] : histories_) names.push_back(name);
    std::shuffle(names.begin(), names.end(), random_);
    Services services;
    for (const std::string& name : names) {
      for (const std::string& text : histories_[name]) {
        if (text.empty())
          services.on_unreadable(name, "cannot be read");
        else
          services.on_file(name, text);
      }
    }
    return services.rows();
  }

 private:
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  std::string text() {
    std::string out(below(3), '\n');
    for (const char* name : {"web", "api"})
      if (below(3) > 0)
        out += service(name, static_cast<int>(below(3)), below(6) == 0 ? "typo = 1\n" : "");
    return out + "#\n";
  }

  std::mt19937 random_;
  std::map<std::string, std::vector<std::string>> histories_;  ///< "": could not be read
};

/// The seed of a failure is printed by the scoped trace.
TEST(Services, AnyChangesGiveWhatTheFilesGiveFromScratch) {
  for (unsigned seed = 1; seed <= 30; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomFiles files(seed);
    Services services;
    for (int step = 0; step < 60; step++) {
      files.change(services);
      if (step % 3 == 0) continue;
      ASSERT_EQ(services.rows(), files.from_scratch()) << "step " << step;
    }
  }
}

TEST(Services, FilesBeyondTheLimitAreRefusedUntilAnotherGoes) {
  Services services;
  for (std::size_t i = 0; i < kMaxFiles; i++)
    services.on_file("f" + std::to_string(i) + ".toml", "");
  services.on_file("z.toml", service("web", 5));
  EXPECT_THAT(lines(services), IsEmpty());
  EXPECT_THAT(rejected(services),
              ElementsAre("z.toml: is not read: there are already 1024 service files"));
  EXPECT_THAT(services.refused(), ElementsAre("z.toml"));
  EXPECT_THAT(services.names(), Contains("z.toml"));
  services.on_removed("f0.toml");
  services.on_file("z.toml", service("web", 5));
  EXPECT_THAT(lines(services), ElementsAre("web.service 192.0.2.5"));
  EXPECT_THAT(services.refused(), IsEmpty());
}

}  // namespace
}  // namespace viaduct::files
