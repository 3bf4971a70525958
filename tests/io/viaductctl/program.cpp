#include "tests/io/viaductctl/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/routes.h"

namespace viaduct::ctltest {
namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Folder::Folder() {
  char path[] = "/tmp/viaduct-test-ctl-XXXXXX";
  path_ = ::mkdtemp(path);
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Outcome run(std::vector<std::string> arguments) {
  const Folder folder;
  const std::string out = folder.path() + "/out";
  const std::string err = folder.path() + "/err";
  arguments.insert(arguments.begin(), VIADUCTCTL);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t pid = 0;
  EXPECT_EQ(::posix_spawn(&pid, VIADUCTCTL, &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(out), contents(err)};
}

Daemon::Daemon(const api::Views& views) {
  server_ = std::make_unique<http::Server>(
      context_, [&views](std::string_view method, std::string_view target) {
        return api::answer(method, target, views);
      });
  EXPECT_TRUE(server_->listen_unix(socket()));
  thread_ = std::thread([this] { context_.run(); });
}

Daemon::~Daemon() {
  boost::asio::post(context_, [this] { server_.reset(); });
  thread_.join();
}

}  // namespace viaduct::ctltest
