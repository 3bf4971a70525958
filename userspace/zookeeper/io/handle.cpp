#include "zookeeper/io/handle.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <zookeeper/zookeeper.h>

#include <cerrno>
#include <utility>

#include "base/io/log.h"

namespace viaduct::zookeeper {
namespace {

void log_line(const char* text) { log::debug("zookeeper_library", {{"text", text}}); }

/// The library takes what follows the last colon for the port, and knows no brackets.
std::string hosts_of(const std::vector<base::Endpoint>& servers) {
  std::string out;
  for (const base::Endpoint& server : servers)
    out +=
        (out.empty() ? "" : ",") + server.address.to_string() + ":" + std::to_string(server.port);
  return out;
}

}  // namespace

Handle::~Handle() {
  if (handle_ == nullptr) return;
  // Closing a connected session sends a request and polls up to 4.5 s for the answer; on a socket
  // that is shut down both fail at once.
  if ((connected() || read_only()) && descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
  zookeeper_close(std::exchange(handle_, nullptr));
}

Handle::Handle(Handle&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    Handle old(std::move(*this));
    handle_ = std::exchange(other.handle_, nullptr);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

base::Result<Handle> Handle::open(const std::vector<base::Endpoint>& servers,
                                  std::chrono::milliseconds timeout, const std::string& credentials,
                                  Watcher watcher, void* context) {
  zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
  const std::string hosts = hosts_of(servers);
  Handle out;
  errno = 0;
  out.handle_ = zookeeper_init2(hosts.c_str(), watcher, static_cast<int>(timeout.count()), nullptr,
                                context, 0, log_line);
  if (out.handle_ == nullptr)
    return base::from_errno(errno != 0 ? errno : EINVAL, "open a session with " + hosts);
  zoo_set_servers_resolution_delay(out.handle_, -1);
  const auto ignore = [](int, const void*) {};  // a refusal is the session's end, seen by refused()
  if (!credentials.empty() &&
      zoo_add_auth(out.handle_, "digest", credentials.data(), static_cast<int>(credentials.size()),
                   ignore, nullptr) != ZOK)
    return base::from_errno(EINVAL, "give credentials to " + hosts);
  return out;
}

Handle::Interest Handle::interest() {
  Interest out;
  int events = 0;
  timeval wait{};
  const int result = zookeeper_interest(handle_, &out.descriptor, &events, &wait);
  out.failed = result != ZOK;
  if (out.failed) out.descriptor = -1;  // the library has closed it
  descriptor_ = out.descriptor;
  out.read = (events & ZOOKEEPER_READ) != 0;
  out.write = (events & ZOOKEEPER_WRITE) != 0;
  out.wait = std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec);
  return out;
}

bool Handle::process(bool readable, bool writable) {
  const int events = (readable ? ZOOKEEPER_READ : 0) | (writable ? ZOOKEEPER_WRITE : 0);
  const int result = zookeeper_process(handle_, events);
  const bool lost = result != ZOK && result != ZNOTHING;
  if (lost) descriptor_ = -1;
  return !lost;
}

bool Handle::connected() const { return zoo_state(handle_) == ZOO_CONNECTED_STATE; }

bool Handle::expired() const { return zoo_state(handle_) == ZOO_EXPIRED_SESSION_STATE; }

bool Handle::read_only() const { return zoo_state(handle_) == ZOO_READONLY_STATE; }

bool Handle::refused() const { return zoo_state(handle_) == ZOO_AUTH_FAILED_STATE; }

std::chrono::milliseconds Handle::timeout() const {
  return std::chrono::milliseconds(zoo_recv_timeout(handle_));
}

std::string Handle::server() const {
  const char* text = zoo_get_current_server(handle_);
  return text == nullptr ? "" : text;
}

}  // namespace viaduct::zookeeper
