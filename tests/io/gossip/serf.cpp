#include "tests/io/gossip/serf.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>

namespace viaduct::test {
namespace {

/// Of this process alone, so that runs beside each other do not meet.
base::Address own_address() {
  static std::uint8_t count = 0;
  const auto pid = static_cast<std::uint32_t>(::getpid());
  return base::Address::v4({127, static_cast<std::uint8_t>(100 + ++count % 100),
                            static_cast<std::uint8_t>(pid >> 8), static_cast<std::uint8_t>(pid)});
}

}  // namespace

bool has_serf() {
  return ::access("/usr/bin/serf", X_OK) == 0 || ::access("/usr/local/bin/serf", X_OK) == 0;
}

Serf::Serf(const std::string& node, std::vector<std::string> options) : address_(own_address()) {
  char path[] = "/tmp/viaduct-test-serf-XXXXXX";
  const int log = ::mkstemp(path);
  log_path_ = path;
  const std::string at = address_.to_string();
  std::vector<std::string> words{"serf",
                                 "agent",
                                 "-node=" + node,
                                 "-bind=" + at,
                                 "-rpc-addr=" + at + ":7373",
                                 "-profile=local",
                                 "-log-level=debug"};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const int parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, 0);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(log);
}

Serf::~Serf() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::unlink(log_path_.c_str());
}

std::string Serf::run(const std::string& command) const {
  const std::string line =
      "serf " + command + " -rpc-addr=" + address_.to_string() + ":7373 2>&1 < /dev/null";
  std::string printed;
  std::FILE* pipe = ::popen(line.c_str(), "r");
  std::array<char, 4096> buffer;
  while (const std::size_t octets = std::fread(buffer.data(), 1, buffer.size(), pipe))
    printed.append(buffer.data(), octets);
  ::pclose(pipe);
  return printed;
}

std::string Serf::log() const {
  std::ifstream file(log_path_);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace viaduct::test
