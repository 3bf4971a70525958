#include "dataplane/io/link_watch.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

namespace viaduct::dataplane {
namespace {

/// A container's set-up is a burst of events.
constexpr std::chrono::milliseconds kBurst{5};

}  // namespace

struct LinkWatch::State {
  State(boost::asio::io_context& context, int fd, std::function<void()> call)
      : socket(context, fd), timer(context), on_change(std::move(call)) {}

  boost::asio::posix::stream_descriptor socket;
  boost::asio::steady_timer timer;
  std::function<void()> on_change;
  bool stopped = false;
};

namespace {

/// Empties the socket; what was lost to a full buffer (ENOBUFS) is as good a reason to look as what
/// was read.
void drain(int fd) {
  char buffer[16384];
  while (true) {
    const ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n < 0 && errno != ENOBUFS && errno != EINTR) return;
    if (n == 0) return;
  }
}

boost::asio::awaitable<void> watch(std::shared_ptr<LinkWatch::State> state) {
  constexpr auto kToken = boost::asio::as_tuple(boost::asio::use_awaitable);
  while (!state->stopped) {
    const auto [failed] =
        co_await state->socket.async_wait(boost::asio::posix::stream_descriptor::wait_read, kToken);
    if (failed || state->stopped) co_return;
    state->timer.expires_after(kBurst);
    co_await state->timer.async_wait(kToken);
    if (state->stopped) co_return;
    drain(state->socket.native_handle());
    state->on_change();
  }
}

}  // namespace

LinkWatch::LinkWatch(std::shared_ptr<State> state) : state_(std::move(state)) {}
LinkWatch::LinkWatch(LinkWatch&&) noexcept = default;
LinkWatch& LinkWatch::operator=(LinkWatch&&) noexcept = default;

LinkWatch::~LinkWatch() {
  if (!state_) return;
  state_->stopped = true;
  boost::system::error_code ignored;
  state_->socket.close(ignored);
  state_->timer.cancel();
}

base::Result<LinkWatch> LinkWatch::start(boost::asio::io_context& context,
                                         std::function<void()> on_change) {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (fd < 0) return base::from_errno(errno, "open a netlink socket");
  auto state = std::make_shared<State>(context, fd, std::move(on_change));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    return base::from_errno(errno, "subscribe to link changes");
  boost::asio::co_spawn(context, watch(state), boost::asio::detached);
  return LinkWatch(std::move(state));
}

}  // namespace viaduct::dataplane
