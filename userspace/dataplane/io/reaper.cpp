#include "dataplane/io/reaper.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/io/log.h"
#include "base/time.h"
#include "dataplane/io/abi.h"
#include "dataplane/io/namespaces.h"
#include "dataplane/io/socket_diag.h"

namespace viaduct::dataplane {
namespace {

/// Sockets destroyed in one go; the next look takes the others.
constexpr std::size_t kMaxOrphans = 16384;
/// The thread rests this many times as long as it looked: it takes a fifth of a core at most.
constexpr int kRestFactor = 4;
constexpr base::Duration kRestMin = std::chrono::milliseconds(10);
constexpr base::Duration kRestMax = std::chrono::milliseconds(500);

}  // namespace

Reaper::Reaper(SocketFlows flows, Maps maps)
    : flows_(std::move(flows)), maps_(std::move(maps)), thread_([this] { work(); }) {}

base::Result<std::unique_ptr<Reaper>> Reaper::start(const std::string& bpffs) {
  if (auto able = probe_destroy(); !able) return able.error();
  auto flows = SocketFlows::open(bpffs);
  if (!flows) return flows.error();
  auto maps = Maps::open(bpffs, Access::read);
  if (!maps) return maps.error();
  return std::unique_ptr<Reaper>(new Reaper(std::move(*flows), std::move(*maps)));
}

Reaper::~Reaper() {
  stopping_.store(true);
  wake();
  thread_.join();
}

void Reaper::wake() {
  wishes_.fetch_add(1);
  wishes_.notify_one();
}

Reaper::Stats Reaper::stats() const {
  return {destroyed_.load(std::memory_order_relaxed), failed_.load(std::memory_order_relaxed)};
}

void Reaper::work() {
  const base::Fd home(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  std::uint32_t granted = 0;
  while (!stopping_.load()) {
    wishes_.wait(granted);
    granted = wishes_.load();
    bool has_more = true;
    while (has_more && !stopping_.load()) {
      const base::Time began = base::Clock::now();
      has_more = look();
      // A thread keeps the namespace alive that it is in.
      if (setns(home.get(), CLONE_NEWNET) != 0)
        log::error("netns_not_left", {{"error", base::from_errno(errno, "setns").message()}});
      std::this_thread::sleep_for(
          std::clamp((base::Clock::now() - began) * kRestFactor, kRestMin, kRestMax));
    }
  }
}

/// @return whether another look would find more to destroy.
bool Reaper::look() {
  OrphanSearch search(
      [this](std::uint32_t id, std::uint32_t generation) { return maps_.holds(id, generation); },
      kMaxOrphans);
  const auto read = flows_.read([&](const vd_sock_flow& flow) { search.see(from_abi(flow)); });
  if (!read) log::warn("socket_search_failed", {{"error", read.error().message()}});
  if (search.by_netns().empty()) return false;
  const std::uint64_t before = destroyed_.load();
  destroy_all(search);
  return search.has_more() && destroyed_.load() > before;
}

void Reaper::destroy_all(const OrphanSearch& found) {
  std::set<std::uint32_t> inodes;
  for (const auto& [inode, sockets] : found.by_netns()) inodes.insert(inode);
  const auto namespaces = open_namespaces(inodes);
  Stats sum;
  for (const auto& [inode, sockets] : found.by_netns()) {
    if (stopping_.load()) break;
    const auto netns = namespaces.find(inode);
    if (netns == namespaces.end()) {
      log::warn("netns_not_found", {{"netns", inode}, {"sockets", sockets.size()}});
      sum.failed += sockets.size();
      continue;
    }
    const Stats one = destroy_in(netns->second.get(), sockets);
    sum.destroyed += one.destroyed;
    sum.failed += one.failed;
  }
  destroyed_.fetch_add(sum.destroyed);
  failed_.fetch_add(sum.failed);
  if (sum.destroyed + sum.failed > 0)
    log::info("sockets_destroyed", {{"destroyed", sum.destroyed},
                                    {"failed", sum.failed},
                                    {"reason", "their backends are gone"}});
}

Reaper::Stats Reaper::destroy_in(int netns, const std::vector<ConnectedSocket>& sockets) {
  Stats stats;
  const auto give_up = [&](const base::Error& error) {
    log::warn("netns_not_entered", {{"error", error.message()}, {"sockets", sockets.size()}});
    stats.failed = sockets.size();
    return stats;
  };
  if (setns(netns, CLONE_NEWNET) != 0)
    return give_up(base::from_errno(errno, "enter a network namespace"));
  auto diag = SocketDiag::open();
  if (!diag) return give_up(diag.error());
  base::Error first_error;
  for (const ConnectedSocket& socket : sockets) {
    if (stopping_.load()) break;
    const auto done = diag->destroy(socket);
    if (done)
      stats.destroyed++;
    else if (done.error().code.value() != ENOENT && stats.failed++ == 0)  // closed meanwhile
      first_error = done.error();
  }
  if (stats.failed > 0)
    log::warn("socket_not_destroyed",
              {{"error", first_error.message()}, {"sockets", stats.failed}});
  return stats;
}

}  // namespace viaduct::dataplane
