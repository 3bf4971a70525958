#include "tests/support/zookeeper_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace viaduct::test {
namespace {

constexpr const char* kJava = "/usr/bin/java";
constexpr const char* kLibrary = "/usr/share/java/zookeeper.jar";
constexpr const char* kLogger = "/usr/share/java/slf4j-simple.jar";

/// Of this process alone, so that runs beside each other do not meet.
base::Address own_address() {
  static std::uint8_t count = 0;
  const auto pid = static_cast<std::uint32_t>(::getpid());
  return base::Address::v4({127, static_cast<std::uint8_t>(100 + ++count % 100),
                            static_cast<std::uint8_t>(pid >> 8), static_cast<std::uint8_t>(pid)});
}

}  // namespace

bool has_zookeeper() {
  return ::access(kJava, X_OK) == 0 && ::access(kLibrary, R_OK) == 0 &&
         ::access(kLogger, R_OK) == 0;
}

ZookeeperServer::ZookeeperServer() : address_(own_address()) {
  char path[] = "/tmp/viaduct-test-zookeeper-XXXXXX";
  folder_ = ::mkdtemp(path);
  std::ofstream(folder_ + "/zoo.cfg") << "tickTime=200\nminSessionTimeout=1000\nclientPort=2181\n"
                                      << "clientPortAddress=" << address_.to_string() << "\n"
                                      << "dataDir=" << folder_ << "/data\n"
                                      << "maxClientCnxns=0\nadmin.enableServer=false\n";
}

ZookeeperServer::~ZookeeperServer() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void ZookeeperServer::start() {
  kill();
  std::filesystem::create_directories(folder_ + "/data");
  const std::string classes = std::string(kLibrary) + ":" + kLogger;
  const std::string settings = folder_ + "/zoo.cfg";
  std::vector<std::string> words{kJava,
                                 "-Xmx64m",
                                 "-XX:+UseSerialGC",
                                 "-XX:TieredStopAtLevel=1",
                                 "-Xshare:auto",
                                 "-Dzookeeper.fsync.warningthresholdms=60000",
                                 "-Dzookeeper.forceSync=no",
                                 "-cp",
                                 classes,
                                 "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                                 settings};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const int log = ::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, 0);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(log);
}

void ZookeeperServer::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void ZookeeperServer::wipe() { std::filesystem::remove_all(folder_ + "/data"); }

void ZookeeperServer::pause() { ::kill(pid_, SIGSTOP); }

void ZookeeperServer::resume() { ::kill(pid_, SIGCONT); }

std::string ZookeeperServer::url(const std::string& path) const {
  return "zk://" + endpoint().to_string() + path;
}

std::string ZookeeperServer::log() const {
  std::ifstream file(folder_ + "/log");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace viaduct::test
