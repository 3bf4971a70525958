#include "files/io/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "files/limits.h"
#include "tests/support/source_parts.h"

namespace viaduct::files {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

std::string service(const std::string& name, int host) {
  return "[[service]]\nname = \"" + name +
         "\"\nport = 80\n[[service.backend]]\naddress = \"192.0.2." + std::to_string(host) +
         "\"\nport = 8080\n";
}

/// A temporary folder with a real Watch on its "services.d".
class FilesWatch : public testing::Test {
 protected:
  FilesWatch() {
    char pattern[] = "/tmp/viaduct-watch-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    directory_ = folder_ / "services.d";
  }
  ~FilesWatch() override {
    watch_.reset();
    fs::remove_all(folder_);
  }

  void start() {
    watch_ = std::make_unique<Watch>(
        context_, Config{directory_.string()},
        [this](const service::SourceParts& parts) {
          rows_ = test::joined(parts);
          calls_++;
        },
        [this](std::string error) { errors_.push_back(std::move(error)); });
    watch_->start();
    ASSERT_TRUE(until([&] { return calls_ > 0 || !errors_.empty(); }));
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
  }

  /// "web.service 192.0.2.5,..." in the order of the rows.
  std::string now() const {
    std::string out;
    for (const auto& row : rows_.rows)
      out += (out.empty() ? "" : ",") + std::get<service::VipName>(row.vip).value + " " +
             row.backend.address.to_string();
    return out;
  }

  template <class Condition>
  bool until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!condition() && std::chrono::steady_clock::now() < end) context_.run_one_for(50ms);
    return condition();
  }
  bool becomes(const std::string& expected) {
    return until([&] { return now() == expected; });
  }
  void run_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) context_.run_one_for(20ms);
  }

  fs::path folder_;
  fs::path directory_;
  boost::asio::io_context context_{1};
  service::SourceRows rows_;
  int calls_ = 0;
  std::vector<std::string> errors_;
  std::unique_ptr<Watch> watch_;
};

TEST_F(FilesWatch, ReadsWhatIsThereAtTheStart) {
  fs::create_directory(directory_);
  write("a.toml", service("web", 5));
  write("notes.txt", "not a service file");
  write(".hidden.toml", service("hidden", 6));
  start();
  EXPECT_EQ(now(), "web.service 192.0.2.5");
  EXPECT_THAT(rows_.rejected, IsEmpty());
}

TEST_F(FilesWatch, FollowsCreationChangeRenameAndRemoval) {
  fs::create_directory(directory_);
  start();
  EXPECT_EQ(now(), "");
  write("a.toml", service("web", 5));
  EXPECT_TRUE(becomes("web.service 192.0.2.5"));
  write("a.toml", service("web", 6));
  EXPECT_TRUE(becomes("web.service 192.0.2.6"));
  write("a.toml.new", service("web", 7));
  fs::rename(directory_ / "a.toml.new", directory_ / "a.toml");
  EXPECT_TRUE(becomes("web.service 192.0.2.7"));
  fs::rename(directory_ / "a.toml", directory_ / "b.toml");
  EXPECT_TRUE(until([&] { return !rows_.rows.empty() && rows_.rows[0].task == "b.toml:4"; }));
  fs::rename(directory_ / "b.toml", directory_ / ".b.toml");
  EXPECT_TRUE(becomes(""));
  fs::create_hard_link(directory_ / ".b.toml", directory_ / "c.toml");
  EXPECT_TRUE(becomes("web.service 192.0.2.7"));
  fs::remove(directory_ / "c.toml");
  EXPECT_TRUE(becomes(""));
}

TEST_F(FilesWatch, AFileThatIsBeingWrittenIsReadWhenItIsWhole) {
  fs::create_directory(directory_);
  start();
  {
    std::ofstream file(directory_ / "a.toml");
    file << "[[service]]\nname = \"we" << std::flush;
    run_for(200ms);
    EXPECT_THAT(rows_.rejected, IsEmpty());
    file << "b\"\nport = 80\n[[service.backend]]\naddress = \"192.0.2.5\"\nport = 1\n";
  }
  EXPECT_TRUE(becomes("web.service 192.0.2.5"));
}

TEST_F(FilesWatch, AMistakeIsHandedOnAndTheLastGoodRowsStay) {
  fs::create_directory(directory_);
  write("a.toml", service("web", 5));
  start();
  write("a.toml", "[[service]]\nname = \"web\"\nprot = 80\n");
  ASSERT_TRUE(until([&] { return !rows_.rejected.empty(); }));
  EXPECT_EQ(now(), "web.service 192.0.2.5");
  EXPECT_EQ(rows_.rejected[0].where, "a.toml:3");
  EXPECT_THAT(rows_.rejected[0].reason, HasSubstr("did you mean port?"));
}

TEST_F(FilesWatch, TheDirectoryMayAppearLater) {
  start();
  EXPECT_EQ(calls_, 1) << "no directory: no services, and the source has answered";
  EXPECT_THAT(errors_, IsEmpty());
  fs::create_directory(directory_);
  write("a.toml", service("web", 5));
  EXPECT_TRUE(becomes("web.service 192.0.2.5"));
  write("a.toml", service("web", 6));
  EXPECT_TRUE(becomes("web.service 192.0.2.6"));
}

TEST_F(FilesWatch, ADirectoryThatIsReplacedIsReadAnew) {
  fs::create_directory(directory_);
  write("a.toml", service("web", 5));
  write("b.toml", service("api", 6));
  start();
  const fs::path next = folder_ / "next";
  fs::create_directory(next);
  std::ofstream(next / "a.toml") << service("web", 7);
  fs::rename(directory_, folder_ / "old");
  fs::rename(next, directory_);
  EXPECT_TRUE(becomes("web.service 192.0.2.7"));
  write("a.toml", service("web", 8));
  EXPECT_TRUE(becomes("web.service 192.0.2.8"));
}

TEST_F(FilesWatch, ASymbolicLinkToADirectoryIsFollowedWhenItMoves) {
  fs::create_directory(folder_ / "v1");
  fs::create_directory(folder_ / "v2");
  std::ofstream(folder_ / "v1" / "a.toml") << service("web", 1);
  std::ofstream(folder_ / "v2" / "a.toml") << service("web", 2);
  fs::create_directory_symlink("v1", directory_);
  start();
  EXPECT_EQ(now(), "web.service 192.0.2.1");
  fs::create_directory_symlink("v2", folder_ / "link");
  fs::rename(folder_ / "link", directory_);
  EXPECT_TRUE(becomes("web.service 192.0.2.2"));
}

TEST_F(FilesWatch, ADirectoryThatIsMovedAwayIsAFailureAndTheRowsStay) {
  fs::create_directory(directory_);
  write("a.toml", service("web", 5));
  start();
  fs::rename(directory_, folder_ / "elsewhere");
  ASSERT_TRUE(until([&] { return !errors_.empty(); }));
  EXPECT_EQ(errors_[0], "watch " + directory_.string() + ": No such file or directory");
  run_for(Watch::kCheckInterval + 200ms);
  EXPECT_EQ(errors_.size(), 1u) << "one report for one reason";
  EXPECT_EQ(now(), "web.service 192.0.2.5");
  fs::rename(folder_ / "elsewhere", directory_);
  calls_ = 0;
  EXPECT_TRUE(until([&] { return calls_ > 0; }));
  EXPECT_EQ(now(), "web.service 192.0.2.5");
}

TEST_F(FilesWatch, RemovingTheDirectoryWithItsFilesRemovesTheRows) {
  fs::create_directory(directory_);
  write("a.toml", service("web", 5));
  start();
  fs::remove_all(directory_);
  EXPECT_TRUE(becomes(""));
}

TEST_F(FilesWatch, WhatIsNoRegularFileIsReportedAndDoesNotBlock) {
  fs::create_directory(directory_);
  ASSERT_EQ(::mkfifo((directory_ / "pipe.toml").c_str(), 0600), 0);
  fs::create_directory(directory_ / "folder.toml");
  write("a.toml", service("web", 5));
  start();
  EXPECT_EQ(now(), "web.service 192.0.2.5");
  ASSERT_EQ(rows_.rejected.size(), 2u);
  EXPECT_EQ(rows_.rejected[0].where, "folder.toml");
  EXPECT_EQ(rows_.rejected[1].where, "pipe.toml");
  EXPECT_THAT(rows_.rejected[1].reason, HasSubstr("not a regular file"));
}

TEST_F(FilesWatch, AFileOverTheLimitIsReportedAndItsLastRowsStay) {
  fs::create_directory(directory_);
  write("a.toml", service("web", 5));
  start();
  write("a.toml", "#" + std::string(kMaxFileBytes, 'x'));
  ASSERT_TRUE(until([&] { return !rows_.rejected.empty(); }));
  EXPECT_THAT(rows_.rejected[0].reason, HasSubstr("more than 16777216 bytes"));
  EXPECT_EQ(now(), "web.service 192.0.2.5");
}

TEST_F(FilesWatch, ABurstOfFilesIsFewChanges) {
  fs::create_directory(directory_);
  start();
  calls_ = 0;
  for (int i = 0; i < 200; i++)
    write("f" + std::to_string(i) + ".toml", service("web" + std::to_string(i), 5));
  ASSERT_TRUE(until([&] { return rows_.rows.size() == 200; }));
  EXPECT_LT(calls_, 50);
}

TEST_F(FilesWatch, NoCallbackComesAfterTheEndOfItsOwner) {
  fs::create_directory(directory_);
  start();
  write("a.toml", service("web", 5));
  watch_.reset();
  calls_ = 0;
  context_.run();
  EXPECT_EQ(calls_, 0);
}

}  // namespace
}  // namespace viaduct::files
