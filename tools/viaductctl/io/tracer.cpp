#include "tools/viaductctl/io/tracer.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <utility>

#include "tools/viaductctl/io/clock.h"

namespace viaduct::ctl {
namespace {

constexpr std::uint32_t kLeaseSeconds = 3;
constexpr int kPollMilliseconds = 500;

volatile std::sig_atomic_t g_asked_to_end = 0;

void ask_to_end(int) { g_asked_to_end = 1; }

base::Result<base::Fd> open_pin(const std::string& path) {
  base::Fd fd(bpf_obj_get(path.c_str()));
  if (!fd) return base::from_errno(errno, "open pinned map " + path);
  return fd;
}

/// Between CLOCK_MONOTONIC, which the programs stamp events with, and the time of day.
std::chrono::nanoseconds since_1970_at_boot() {
  const auto read = [](clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  };
  return read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC);
}

std::size_t page_bytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

/// What one call of libbpf's poll works with.
struct Reading {
  const std::function<bool(const json::object&)>& see;
  std::uint64_t& shown;
  bool over = false;
};

int take(void* context, void* data, std::size_t size) {
  auto& reading = *static_cast<Reading*>(context);
  if (size < sizeof(vd_event) || reading.over) return 0;
  const auto& event = *static_cast<const vd_event*>(data);
  reading.shown++;
  const auto time = since_1970_at_boot() + std::chrono::nanoseconds(event.time_ns);
  reading.over = !reading.see(event_json(event, time));
  return reading.over ? -ECANCELED : 0;
}

int discard(void*, void*, std::size_t) { return 0; }

using Ring = std::unique_ptr<ring_buffer, void (*)(ring_buffer*)>;

Ring open_ring(int fd, ring_buffer_sample_fn take_one, void* context) {
  return {ring_buffer__new(fd, take_one, context, nullptr), ring_buffer__free};
}

}  // namespace

Tracer::Tracer(Tracer&& other) noexcept
    : lock_(std::move(other.lock_)),
      events_(std::move(other.events_)),
      control_(std::exchange(other.control_, nullptr)),
      shown_(other.shown_) {}

Tracer::~Tracer() {
  if (!control_) return;
  std::atomic_ref(control_->until_s).store(0);
  munmap(control_, page_bytes());
}

base::Result<Tracer> Tracer::start(const std::string& bpffs, const TraceFilter& filter) {
  base::Fd lock(::open((bpffs + "/links").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return base::from_errno(errno, "open " + bpffs + "/links");
  auto map = open_pin(bpffs + "/vd_trace_v1");
  if (!map) return map.error();
  auto events = open_pin(bpffs + "/vd_event_v1");
  if (!events) return events.error();
  void* memory = mmap(nullptr, page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, map->get(), 0);
  if (memory == MAP_FAILED) return base::from_errno(errno, "map vd_trace_v1 into memory");
  auto* control = static_cast<vd_trace*>(memory);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    const auto pid = control->pid;
    munmap(memory, page_bytes());
    return base::from_errno(EBUSY, "another trace runs in process " + std::to_string(pid));
  }
  Tracer tracer(std::move(lock), std::move(*events), control);
  const Ring rest = open_ring(tracer.events_.get(), discard, nullptr);
  if (!rest) return base::from_errno(errno, "open the ring buffer of events");
  std::atomic_ref(control->until_s).store(0);
  ring_buffer__consume(rest.get());  // of a trace that was killed
  control->sample_every = filter.sample_every;
  control->vip = {};
  if (filter.vip) std::ranges::copy(filter.vip->mapped(), control->vip.bytes);
  control->port = htons(filter.port);
  control->pid = static_cast<__u32>(getpid());
  control->matched = control->lost = 0;
  tracer.renew();
  return tracer;
}

void Tracer::renew() { std::atomic_ref(control_->until_s).store(coarse_seconds() + kLeaseSeconds); }

base::Result<void> Tracer::run(const std::function<bool(const json::object&)>& see) {
  struct sigaction action {};
  action.sa_handler = ask_to_end;  // without SA_RESTART: poll returns
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  Reading reading{see, shown_};
  const Ring ring = open_ring(events_.get(), take, &reading);
  if (!ring) return base::from_errno(errno, "open the ring buffer of events");
  while (!g_asked_to_end && !reading.over) {
    renew();
    const int rc = ring_buffer__poll(ring.get(), kPollMilliseconds);
    if (rc < 0 && rc != -EINTR && rc != -ECANCELED) return base::from_errno(rc, "wait for events");
  }
  std::atomic_ref(control_->until_s).store(0);
  if (!reading.over) ring_buffer__consume(ring.get());
  return {};
}

TraceSummary Tracer::summary() const {
  TraceSummary summary;
  summary.shown = shown_;
  summary.lost = std::atomic_ref(control_->lost).load();
  const std::uint64_t matched = std::atomic_ref(control_->matched).load();
  const std::uint64_t every = std::max<std::uint64_t>(control_->sample_every, 1);
  summary.sampled_out = matched - (matched + every - 1) / every;
  return summary;
}

}  // namespace viaduct::ctl
