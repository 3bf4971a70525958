#include "tests/support/zookeeper_client.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <zookeeper/zookeeper.h>

#include <algorithm>
#include <chrono>

namespace viaduct::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kNoResult = 1;  // results are 0 or negative
constexpr auto kPatience = std::chrono::seconds(60);

void note(int result, const void* into) { *static_cast<int*>(const_cast<void*>(into)) = result; }
void note_name(int result, const char*, const void* into) { note(result, into); }
void note_stat(int result, const Stat*, const void* into) { note(result, into); }

}  // namespace

ZookeeperClient::ZookeeperClient(const base::Endpoint& server, const std::string& credentials) {
  const std::string host = server.address.to_string() + ":" + std::to_string(server.port);
  zoo_set_debug_level(static_cast<ZooLogLevel>(0));
  const auto ignore = [](_zhandle*, int, int, const char*, void*) {};
  handle_ = zookeeper_init(host.c_str(), ignore, 30'000, nullptr, nullptr, 0);
  if (!credentials.empty())
    zoo_add_auth(handle_, "digest", credentials.data(), static_cast<int>(credentials.size()),
                 nullptr, nullptr);
  EXPECT_TRUE(pump([this] { return zoo_state(handle_) == ZOO_CONNECTED_STATE; }))
      << host << " does not serve";
}

ZookeeperClient::~ZookeeperClient() { zookeeper_close(handle_); }

bool ZookeeperClient::pump(const std::function<bool()>& done) {
  const auto end = Clock::now() + kPatience;
  while (!done() && Clock::now() < end) {
    int descriptor = -1;
    int events = 0;
    timeval wait{};
    if (zookeeper_interest(handle_, &descriptor, &events, &wait) != ZOK) descriptor = -1;
    const auto milliseconds = wait.tv_sec * 1000 + wait.tv_usec / 1000;
    pollfd ready{.fd = descriptor,
                 .events = static_cast<short>(((events & ZOOKEEPER_READ) != 0 ? POLLIN : 0) |
                                              ((events & ZOOKEEPER_WRITE) != 0 ? POLLOUT : 0)),
                 .revents = 0};
    ::poll(&ready, 1, static_cast<int>(std::clamp<long>(milliseconds, 20, 200)));
    if (descriptor < 0) continue;
    const int failed = POLLERR | POLLHUP;
    zookeeper_process(handle_,
                      ((ready.revents & (POLLIN | failed)) != 0 ? ZOOKEEPER_READ : 0) |
                          ((ready.revents & (POLLOUT | failed)) != 0 ? ZOOKEEPER_WRITE : 0));
  }
  return done();
}

void ZookeeperClient::perform(const std::string& what,
                              const std::function<int(_zhandle*, int*)>& begin) {
  int result = kNoResult;
  ASSERT_EQ(begin(handle_, &result), ZOK) << what;
  ASSERT_TRUE(pump([&] { return result != kNoResult; })) << what;
  ASSERT_EQ(result, ZOK) << what << ": " << zerror(result);
}

void ZookeeperClient::make(const std::string& path, const std::string& data,
                           const ACL_vector* who) {
  perform("create " + path, [&](_zhandle* handle, int* result) {
    return zoo_acreate(handle, path.c_str(), data.data(), static_cast<int>(data.size()), who, 0,
                       note_name, result);
  });
}

void ZookeeperClient::create(const std::string& path, const std::string& data) {
  make(path, data, &ZOO_OPEN_ACL_UNSAFE);
}

void ZookeeperClient::create_private(const std::string& path, const std::string& data) {
  make(path, data, &ZOO_CREATOR_ALL_ACL);
}

void ZookeeperClient::create_many(const std::string& prefix, int count) {
  std::vector<int> results(static_cast<std::size_t>(count), kNoResult);
  for (int i = 0; i < count; i++)
    zoo_acreate(handle_, (prefix + std::to_string(i)).c_str(), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0,
                note_name, &results[static_cast<std::size_t>(i)]);
  ASSERT_TRUE(pump([&] { return results.back() != kNoResult; })) << prefix;
  ASSERT_EQ(std::count(results.begin(), results.end(), ZOK), count) << prefix;
}

void ZookeeperClient::set(const std::string& path, const std::string& data) {
  perform("set " + path, [&](_zhandle* handle, int* result) {
    return zoo_aset(handle, path.c_str(), data.data(), static_cast<int>(data.size()), -1, note_stat,
                    result);
  });
}

void ZookeeperClient::remove(const std::string& path) {
  perform("remove " + path, [&](_zhandle* handle, int* result) {
    return zoo_adelete(handle, path.c_str(), -1, note, result);
  });
}

}  // namespace viaduct::test
