#include "dataplane/io/reaper.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>

#include "dataplane/io/bpffs.h"
#include "dataplane/io/namespaces.h"
#include "dataplane/io/programs.h"
#include "dataplane/io/socket_diag.h"
#include "tests/bpf/lab.h"
#include "tests/bpf/sockets.h"

namespace viaduct::dataplane {
namespace {

using base::Protocol;
using bpftest::SockAddr;
using bpftest::Socket;
using Clock = std::chrono::steady_clock;

constexpr std::uint16_t kVipPort = 80;

const std::string kAborted = "error " + std::to_string(ECONNABORTED);

/// Socket programs in the lab's cgroup, their maps, and a reaper that looks at them.
class Reaping : public testing::Test {
 protected:
  void SetUp() override {
    VD_REQUIRE_PRIVILEGE();
    config_.bpffs = "/sys/fs/bpf/viaduct-test-reaper-" + std::to_string(getpid()) + "-" +
                    std::to_string(counter_++);
    config_.max_services = config_.max_backends = config_.max_slot_lines = 64;
    config_.max_flows = config_.max_new_flows = 64;
    auto lock = claim_bpffs(config_.bpffs);
    ASSERT_TRUE(lock) << lock.error().message();
    auto programs = Programs::load(config_, 1);
    ASSERT_TRUE(programs) << programs.error().message();
    const auto cgroup =
        std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(bpftest::cgroup_fd()));
    const auto attached = programs->attach_sockets(cgroup.string());
    ASSERT_TRUE(attached) << attached.error().message();
    auto maps = Maps::open(config_.bpffs, Access::write);
    ASSERT_TRUE(maps) << maps.error().message();
    maps_.emplace(std::move(*maps));
  }

  void TearDown() override {
    reaper_.reset();
    std::error_code ignored;
    if (!config_.bpffs.empty()) std::filesystem::remove_all(config_.bpffs, ignored);
  }

  void start() {
    auto reaper = Reaper::start(config_.bpffs);
    ASSERT_TRUE(reaper) << reaper.error().message();
    reaper_ = std::move(*reaper);
  }

  /// A VIP of one backend. @return the backend's id.
  std::uint32_t add(const std::string& vip, Protocol protocol, const base::Endpoint& backend) {
    const std::uint32_t id = next_++;
    write(PutBackend{{id, 1, id, backend, 1}, true});
    write(PutSlots{id * 2, {id}});
    write(PutService{{{*base::Address::parse(vip), kVipPort, protocol},
                      id,
                      id * 2,
                      1,
                      Pick::random,
                      Pick::random}});
    return id;
  }
  void write(const Op& op) {
    const auto done = maps_->write(op);
    ASSERT_TRUE(done) << done.error().message();
  }
  void remove(std::uint32_t id) { write(DropBackend{id, 2}); }

  /// Wakes the reaper and waits until it destroyed that many in all.
  bool reap(std::uint64_t total) {
    reaper_->wake();
    for (int i = 0; i < 500 && reaper_->stats().destroyed < total; i++) usleep(10'000);
    return reaper_->stats().destroyed == total && reaper_->stats().failed == 0;
  }

  Config config_;
  std::optional<Maps> maps_;
  std::unique_ptr<Reaper> reaper_;
  std::uint32_t next_ = 1;
  static inline int counter_ = 0;
};

/// A backend that lets clients connect, and never answers.
struct Silent {
  Silent(const std::string& address, Protocol protocol, int backlog = 128)
      : socket(SockAddr(address, 0).family(),
               protocol == Protocol::tcp ? SOCK_STREAM : SOCK_DGRAM) {
    EXPECT_EQ(socket.bind(SockAddr(address, 0)), 0);
    if (protocol == Protocol::tcp) {
      EXPECT_EQ(listen(socket.fd(), backlog), 0);
    }
    endpoint = {*base::Address::parse(address), socket.local().port()};
  }
  Socket socket;
  base::Endpoint endpoint;
};

Socket connected(const std::string& address, std::uint16_t port, Protocol protocol) {
  const SockAddr to(address, port);
  Socket socket(to.family(), protocol == Protocol::tcp ? SOCK_STREAM : SOCK_DGRAM);
  EXPECT_EQ(socket.connect(to), 0) << address;
  return socket;
}

/// Whether the socket is connected and has no error.
bool is_alive(Socket& socket) {
  char octet;
  return recv(socket.fd(), &octet, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

TEST_F(Reaping, ClientsOfARemovedBackendGetAnErrorAndOthersKeepTheirConnection) {
  for (const Protocol protocol : {Protocol::tcp, Protocol::udp}) {
    SCOPED_TRACE(base::to_string(protocol));
    Silent first("192.0.2.1", protocol), second("192.0.2.2", protocol);
    Silent first6("2001:db8::1", protocol);
    const std::uint32_t gone[] = {add("11.0.0.1", protocol, first.endpoint),
                                  add("fd01:c::1", protocol, first6.endpoint)};
    const std::uint32_t drained = add("11.0.0.2", protocol, second.endpoint);
    Socket lost[] = {connected("11.0.0.1", kVipPort, protocol),
                     connected("fd01:c::1", kVipPort, protocol),
                     connected("::ffff:11.0.0.1", kVipPort, protocol)};
    Socket kept[] = {connected("11.0.0.2", kVipPort, protocol),
                     connected("192.0.2.1", first.endpoint.port, protocol)};
    write(PutBackend{{drained, 1, drained, second.endpoint, 0}, false});
    if (!reaper_) start();
    reaper_->wake();
    const std::uint64_t before = reaper_->stats().destroyed;
    for (const std::uint32_t id : gone) remove(id);
    EXPECT_TRUE(reap(before + 3)) << reaper_->stats().destroyed << " " << reaper_->stats().failed;
    for (Socket& socket : lost) EXPECT_EQ(socket.receive().first, kAborted);
    for (Socket& socket : kept) EXPECT_TRUE(is_alive(socket));
    // The descriptors are still open: the look that finds one more leaves them alone.
    Silent third("192.0.2.3", protocol);
    const std::uint32_t next = add("11.0.0.3", protocol, third.endpoint);
    Socket last = connected("11.0.0.3", kVipPort, protocol);
    remove(next);
    EXPECT_TRUE(reap(before + 4));
    EXPECT_EQ(last.receive().first, kAborted);
    EXPECT_EQ(reaper_->stats().destroyed, before + 4);
    EXPECT_EQ(reaper_->stats().failed, 0u);
  }
}

TEST_F(Reaping, AClientThatStillConnectsGetsAnError) {
  Silent full("192.0.2.1", Protocol::tcp, 0);
  const std::uint32_t id = add("11.0.0.1", Protocol::tcp, full.endpoint);
  Socket first = connected("11.0.0.1", kVipPort, Protocol::tcp);
  Socket waiting(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  ASSERT_EQ(waiting.connect(SockAddr("11.0.0.1", kVipPort)), EINPROGRESS);
  start();
  remove(id);
  EXPECT_TRUE(reap(2));
  int error = 0;
  socklen_t length = sizeof(error);
  ASSERT_EQ(getsockopt(waiting.fd(), SOL_SOCKET, SO_ERROR, &error, &length), 0);
  EXPECT_EQ(error, ECONNABORTED);
}

TEST_F(Reaping, SocketsThatShareAddressesAreToldApart) {
  Silent server("127.0.0.1", Protocol::udp);
  const std::uint32_t id = add("11.0.0.1", Protocol::udp, server.endpoint);
  const SockAddr port("127.0.0.1", 40123);
  const int on = 1;
  const auto open = [&](const SockAddr& to) {
    Socket socket(AF_INET, SOCK_DGRAM);
    EXPECT_EQ(setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    EXPECT_EQ(setsockopt(socket.fd(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 2), 0);
    EXPECT_EQ(socket.bind(port), 0);
    EXPECT_EQ(socket.connect(to), 0);
    return socket;
  };
  Socket direct = open(SockAddr("127.0.0.1", server.endpoint.port + 1));
  Socket through = open(SockAddr("11.0.0.1", kVipPort));
  start();
  remove(id);
  EXPECT_TRUE(reap(1));
  EXPECT_EQ(through.receive().first, kAborted);
  EXPECT_TRUE(is_alive(direct));
}

void bring_up_loopback() {
  Socket socket(AF_INET, SOCK_DGRAM);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  ASSERT_EQ(ioctl(socket.fd(), SIOCSIFFLAGS, &request), 0);
}

/// Runs `client` in a process with a network namespace of its own.
pid_t run_elsewhere(const std::function<std::string()>& client) {
  const pid_t child = fork();
  if (child != 0) return child;
  if (unshare(CLONE_NEWNET) != 0) _exit(2);
  bring_up_loopback();
  _exit(client() == kAborted ? 0 : 1);
}

TEST_F(Reaping, ReachesSocketsOfOtherNamespaces) {
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const std::uint32_t id = add("11.0.0.1", Protocol::udp, *base::Endpoint::parse("127.0.0.1:9"));
  const pid_t child = run_elsewhere([&] {
    Silent server("127.0.0.1", Protocol::tcp);
    Socket socket = connected("11.0.0.1", kVipPort, Protocol::udp);
    if (::write(pipes[1], "r", 1) != 1) return std::string("no pipe");
    return socket.receive().first;
  });
  char ready;
  ASSERT_EQ(::read(pipes[0], &ready, 1), 1);
  start();
  remove(id);
  EXPECT_TRUE(reap(1));
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(pipes[0]);
  close(pipes[1]);
}

TEST_F(Reaping, ThousandsGoWithinASecond) {
  constexpr std::size_t kSockets = 3000;
  Silent server("192.0.2.1", Protocol::udp);
  const std::uint32_t id = add("11.0.0.1", Protocol::udp, server.endpoint);
  std::vector<Socket> sockets;
  for (std::size_t i = 0; i < kSockets; i++)
    sockets.push_back(connected("11.0.0.1", kVipPort, Protocol::udp));
  start();
  remove(id);
  const auto began = Clock::now();
  EXPECT_TRUE(reap(kSockets));
  const auto took = std::chrono::duration<double, std::milli>(Clock::now() - began);
  std::printf("%zu sockets destroyed in %.0f ms\n", kSockets, took.count());
  EXPECT_LT(took.count(), 1000);
}

TEST_F(Reaping, AThreadThatHasNothingToDoEndsAtOnce) {
  start();
  const auto began = Clock::now();
  reaper_.reset();
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(1));
}

TEST(ProbeDestroy, WorksHere) {
  VD_REQUIRE_PRIVILEGE();
  const auto done = probe_destroy();
  EXPECT_TRUE(done) << done.error().message();
}

TEST(Namespaces, UnknownInodesAreNotFound) {
  VD_REQUIRE_PRIVILEGE();
  EXPECT_TRUE(open_namespaces({1, 2}).empty());
}

}  // namespace
}  // namespace viaduct::dataplane
