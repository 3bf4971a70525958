// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/lab.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace viaduct::bpftest {
namespace {

constexpr long kCgroup2Magic = 0x63677270;

std::string g_missing;
int g_cgroup_fd = -1;

// The mount point of cgroup v2; empty if there is none.
std::string cgroup2_mount() {
  std::ifstream mounts("/proc/self/mounts");
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string source, target, type;
    fields >> source >> target >> type;
    if (type == "cgroup2") return target;
  }
  return "";
}

bool run(const std::string& command) { return std::system(command.c_str()) == 0; }

std::string enter(const std::string& cgroup) {
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
    return std::string("unshare: ") + std::strerror(errno);
  for (const char* command :
       {"mount --make-rprivate /", "mkdir -p /run/netns && mount -t tmpfs none /run/netns",
        "ip link set lo up", "ip addr add 192.0.2.1/32 dev lo", "ip addr add 192.0.2.2/32 dev lo",
        "ip addr add 192.0.2.3/32 dev lo", "ip -6 addr add 2001:db8::1/128 dev lo nodad",
        "ip -6 addr add 2001:db8::2/128 dev lo nodad"}) {
    if (!run(command)) return std::string("failed: ") + command;
  }
  std::ofstream procs(cgroup + "/cgroup.procs");
  procs << getpid() << std::flush;
  if (!procs) return "cannot enter " + cgroup;
  g_cgroup_fd = open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return g_cgroup_fd < 0 ? "cannot open " + cgroup : "";
}

std::string make_cgroup(std::string* path) {
  if (geteuid() != 0) return "BPF programs need root";
  const std::string mount = cgroup2_mount();
  if (mount.empty()) return "no cgroup v2 is mounted";
  struct statfs fs {};
  if (statfs(mount.c_str(), &fs) != 0 || fs.f_type != kCgroup2Magic)
    return mount + " is no cgroup v2";
  *path = mount + "/vd-bpf-test-" + std::to_string(getpid());
  if (mkdir(path->c_str(), 0755) != 0) return "mkdir " + *path + ": " + std::strerror(errno);
  return "";
}

}  // namespace

std::string missing_privilege() { return g_missing; }

int cgroup_fd() { return g_cgroup_fd; }

int run_in_lab(int (*tests)(int, char**), int argc, char** argv) {
  std::string cgroup;
  g_missing = make_cgroup(&cgroup);
  if (!g_missing.empty()) return tests(argc, argv);

  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    g_missing = enter(cgroup);
    const int code = tests(argc, argv);
    std::fflush(nullptr);
    std::_Exit(code);
  }
  std::signal(SIGINT, SIG_IGN);  // the child gets it too; the cgroup goes with it
  std::signal(SIGTERM, SIG_IGN);
  int status = 1;
  waitpid(child, &status, 0);
  // The last task leaves the cgroup a moment after it was waited for.
  for (int i = 0; i < 100 && rmdir(cgroup.c_str()) != 0; ++i) usleep(10000);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace viaduct::bpftest
