// What a server does about addresses that do not answer, and about resolv.conf.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "dns/io/probe.h"
#include "dns/io/resolv_conf_file.h"
#include "tests/io/dns/client.h"

namespace viaduct::dns {
namespace {

using namespace std::chrono_literals;

/// A folder that goes with the test.
struct Folder {
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "vd-resolv-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

std::string text_of(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Config watching() {
  Config config = test::loopback_config();
  config.retry = 20ms;
  config.watch = 20ms;
  return config;
}

/// Runs a function on a thread in a network namespace of its own that has only loopback.
template <class Function>
void in_own_namespace(Function function) {
  std::thread([&] {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    const base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq up{};
    std::strcpy(up.ifr_name, "lo");
    up.ifr_flags = IFF_UP | IFF_RUNNING;
    ASSERT_EQ(::ioctl(fd.get(), SIOCSIFFLAGS, &up), 0);
    function(fd.get());
  }).join();
}

TEST(DnsWatch, SaysWhichAddressDoesNotAnswerAndBindsItAnew) {
  in_own_namespace([](int fd) {
    Config config = watching();
    config.listen = {test::loopback4(), *base::Address::parse("192.0.2.1")};  // not there yet
    Server server(config);
    ASSERT_TRUE(server.start());
    EXPECT_TRUE(test::eventually([&] {
      const auto faults = server.faults();
      return faults.size() == 1 && faults[0].starts_with("192.0.2.1");
    }));
    const base::Endpoint first = server.listening().at(1);
    EXPECT_TRUE(test::eventually([&] {
      const auto listening = server.listening();
      return listening.size() == 2 && listening[1].port != first.port;
    })) << "bound anew: the system chooses another port";
    ifreq address{};
    std::strcpy(address.ifr_name, "lo:1");
    reinterpret_cast<sockaddr_in&>(address.ifr_addr) = {AF_INET, 0, {htonl(0xc0000201)}, {}};
    ASSERT_EQ(::ioctl(fd, SIOCSIFADDR, &address), 0);
    EXPECT_TRUE(test::eventually([&] { return server.faults().empty(); }));
  });
}

TEST(DnsWatch, KeepsResolvConf) {
  const Folder folder;
  Config config = watching();
  config.resolv_conf = {folder.path / "resolv.conf",
                        {"marathon.l4lb.thisdcos.directory"},
                        {*base::Address::parse("192.0.2.53")}};
  Server server(config);
  ASSERT_TRUE(server.start());
  const std::string ours = "nameserver 127.0.0.1\n";
  const auto names = [&](const std::string& line) {
    return text_of(config.resolv_conf.path).find(line) != std::string::npos;
  };
  EXPECT_TRUE(test::eventually([&] { return names(ours); }));
  EXPECT_TRUE(names("search marathon.l4lb.thisdcos.directory\n"));
  EXPECT_FALSE(names("192.0.2.53"));
  std::ofstream(config.resolv_conf.path) << "nameserver 203.0.113.1\n";
  EXPECT_TRUE(test::eventually([&] { return names(ours); })) << "foreign edits are repaired";
  server.stop();
  EXPECT_TRUE(names("nameserver 192.0.2.53\n"));
}

TEST(ResolvConfFile, IsNeverEmptyAndWrittenInPlaceOnAMount) {
  const Folder folder;
  const auto path = folder.path / "resolv.conf", other = folder.path / "other";
  std::ofstream(path) << "nameserver 203.0.113.1\n";
  ResolvConfFile alone({path, {}, {}});
  EXPECT_TRUE(alone.show({}));
  EXPECT_EQ(text_of(path), "nameserver 203.0.113.1\n") << "nobody to name";
  std::ofstream(other) << std::string(4000, '#');
  ASSERT_EQ(::mount(other.c_str(), path.c_str(), nullptr, MS_BIND, nullptr), 0);
  const auto written = alone.show({*base::Address::parse("198.51.100.1")});
  const std::string text = text_of(other);
  ::umount(path.c_str());
  EXPECT_TRUE(written) << written.error().message();
  EXPECT_NE(text.find("nameserver 198.51.100.1\n"), std::string::npos);
  EXPECT_EQ(text.find("###"), std::string::npos);
}

TEST(DnsProbe, SaysWhyNobodyAnswers) {
  const Name name = Name::parse("ready.spartan").value();
  Server server(watching());
  ASSERT_TRUE(server.start());
  const base::Endpoint there = server.listening().front();
  for (const Transport transport : {Transport::udp, Transport::tcp})
    EXPECT_EQ(probe(there, transport, name, Type::a, 2s), "");
  server.stop();
  for (const Transport transport : {Transport::udp, Transport::tcp})
    EXPECT_NE(probe(there, transport, name, Type::a, 2s).find("Connection refused"),
              std::string::npos);
}

}  // namespace
}  // namespace viaduct::dns
