// How long one changed backend takes from its source's rows to the kernel's maps, at several sizes.
//
// Run as root: one_change [VIPS BACKENDS_EACH]; without arguments all sizes. It makes a network
// namespace, a cgroup and a folder in /sys/fs/bpf of its own. Each size is first written as a
// whole. Then one thing at a time changes: a weight, a backend that comes or goes, a VIP that comes
// or goes. The steps of each change:
//   compare  the source hands over all of its rows; which of them are new or gone
//   merge    rows to a snapshot
//   write    plan, map writes, routes
// "floor" is the bare writes of one change of a backend: a backend, a slot table, a service.
// Half of the VIPs have names, the others addresses of RFC 2544's network.
// "cpu" is the processor time of all steps: on a busy machine it says more than the time that
// passed.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/io/log.h"
#include "dataplane/io/data_plane.h"
#include "service/local_table.h"
#include "service/merger.h"
#include "tests/bpf/lab.h"

namespace viaduct {
namespace {

constexpr int kChanges = 1000;
constexpr double kBudgetMs = 10;

struct Size {
  unsigned vips;
  unsigned backends;  ///< of each VIP
};
constexpr Size kSizes[] = {{1'000, 1}, {1'000, 10}, {10'000, 10}, {100'000, 1}};

double milliseconds(base::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

/// Processor time of this process, in ms.
double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// Runs something once.
/// @return how long it took, in ms.
template <class Work>
double timed(Work work) {
  const base::Time begin = base::Clock::now();
  work();
  return milliseconds(base::Clock::now() - begin);
}

class Series {
 public:
  void add(double ms) { all_.push_back(ms); }
  double at(double share) {
    std::sort(all_.begin(), all_.end());
    return all_[std::min(all_.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(all_.size())))];
  }
  void print(const char* name) {
    std::printf("  %-8s p50 %8.3f  p99 %8.3f  max %8.3f ms\n", name, at(0.5), at(0.99), at(1));
  }

 private:
  std::vector<double> all_;
};

void require(const base::Result<void>& done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "%s: %s\n", what, done.error().message().c_str());
  std::_Exit(1);
}

service::BackendRow row(unsigned vip, unsigned host) {
  service::BackendRow made;
  if (vip % 2 == 0)
    made.vip = service::VipName{"service-" + std::to_string(vip) + ".bench"};
  else
    made.vip = base::Address::v4(0xc6120000U + vip);  // 198.18.0.0/15
  made.vip_port = 80;
  made.backend = {base::Address::v4(0xac100000U + host), 8080};  // 172.16.0.0/12
  made.task = "bench.toml:" + std::to_string(host);
  return made;
}

/// The rows of one source, and single changes of them.
class Rows {
 public:
  explicit Rows(const Size& size) : next_vip_(size.vips) {
    for (unsigned vip = 0; vip < size.vips; vip++)
      for (unsigned i = 0; i < size.backends; i++) all.push_back(row(vip, next_host_++));
  }

  void change(int kind) {
    const auto at = all.begin() + static_cast<std::ptrdiff_t>(random_() % all.size());
    if (kind == 0) {
      at->weight = at->weight == 1 ? 2 : 1;
    } else if (kind == 1) {
      service::BackendRow more = *at;
      more.backend.address = base::Address::v4(0xac100000U + next_host_++);
      all.insert(at, std::move(more));
    } else if (kind == 2) {
      all.erase(at);
    } else if (kind == 3) {
      all.push_back(row(next_vip_++, next_host_++));
    } else {
      const auto others = [vip = at->vip](const auto& one) { return one.vip != vip; };
      const auto last = std::find_if(at, all.end(), others);
      const auto first = std::find_if(std::make_reverse_iterator(at), all.rend(), others).base();
      all.erase(first, last);
    }
  }

  std::vector<service::BackendRow> all;

 private:
  std::mt19937 random_{7};
  unsigned next_vip_;
  unsigned next_host_ = 1;
};

class Node {
 public:
  explicit Node(const dataplane::Config& config) : config_(config) {
    auto started = dataplane::DataPlane::start(config, {});
    require(started ? base::Result<void>() : started.error(), "start the data plane");
    plane_ = std::make_unique<dataplane::DataPlane>(std::move(*started));
  }
  ~Node() {
    plane_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(config_.bpffs, ignored);
  }
  Node(const Node&) = delete;

  void show(const Rows& rows) {
    service::SourceRows source{rows.all, {}, {}};
    service::SourceChange change;
    const double cpu_before_ms = cpu_ms();
    const double compare_ms =
        timed([&] { change = table_.replace("bench", std::move(source), base::Clock::now()); });
    std::shared_ptr<const service::Snapshot> snapshot;
    const double merge_ms = timed([&] {
      merger_.apply("bench", std::move(change));
      snapshot = merger_.snapshot(table_.complete());
    });
    const double write_ms =
        timed([&] { require(plane_->apply(snapshot, base::Clock::now()), "write the maps"); });
    compare_.add(compare_ms);
    merge_.add(merge_ms);
    write_.add(write_ms);
    all_.add(compare_ms + merge_ms + write_ms);
    cpu_.add(cpu_ms() - cpu_before_ms);
    services_ = snapshot->services.size();
  }

  void forget_times() { compare_ = merge_ = write_ = all_ = cpu_ = {}; }

  void print() {
    compare_.print("compare");
    merge_.print("merge");
    write_.print("write");
    all_.print("all");
    cpu_.print("cpu");
    if (!plane_->status().problems.empty())
      std::printf("  %zu problems, the first: %s\n", plane_->status().problems.size(),
                  plane_->status().problems[0].reason.c_str());
    std::printf("  in the kernel: %zu of %zu services, %zu backends\n",
                plane_->image().services.size(), services_, plane_->image().backends.size());
  }

  double first_ms() { return all_.at(0); }
  double p99_ms() { return all_.at(0.99); }

  double reconcile_ms() {
    return timed([&] { require(plane_->reconcile(base::Clock::now()), "reconcile"); });
  }

  /// From scratch, beside what a change costs.
  double merge_all_ms() {
    return timed([&] { service::merge(table_, {}, nullptr); });
  }

  Series floor() {
    auto maps = dataplane::Maps::open(config_.bpffs, dataplane::Access::write);
    require(maps ? base::Result<void>() : maps.error(), "open the maps");
    const dataplane::Image& image = plane_->image();
    const auto& service = image.services.begin()->second;
    const auto ids = image.backends_of.at(service.id);
    const auto region = maps->slots().subspan(service.slot_offset, service.slot_count);
    const lb::Table table(region.begin(), region.end());
    lb::Table turned = table;
    std::rotate(turned.begin(), turned.begin() + 1, turned.end());
    Series times;
    for (int i = 0; i < kChanges; i++)
      times.add(timed([&] {
        require(maps->write(dataplane::PutBackend{image.backends.at(*ids.begin()), false}), "put");
        require(maps->write(dataplane::PutSlots{service.slot_offset, i % 2 ? table : turned}),
                "put");
        require(maps->write(dataplane::PutService{service}), "put");
      }));
    return times;
  }

 private:
  dataplane::Config config_;
  std::unique_ptr<dataplane::DataPlane> plane_;
  service::LocalTable table_;
  service::Merger merger_{{}};
  Series compare_, merge_, write_, all_, cpu_;
  std::size_t services_ = 0;
};

dataplane::Config config() {
  dataplane::Config made;
  made.bpffs = "/sys/fs/bpf/viaduct-bench-" + std::to_string(getpid());
  made.cgroup =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(bpftest::cgroup_fd()));
  made.container_links = {"none*"};
  made.max_services = made.max_backends = made.max_flows = 131'072;
  made.max_slot_lines = 720'896;
  return made;
}

/// @return whether the budget is kept.
bool measure(const Size& size) {
  Rows rows(size);
  Node node(config());
  node.show(rows);
  std::printf("%zu backends, %u VIPs: written as a whole in %.0f ms\n", rows.all.size(), size.vips,
              node.first_ms());
  node.forget_times();
  for (int i = 0; i < kChanges; i++) {
    rows.change(i % 5);
    node.show(rows);
  }
  node.print();
  node.floor().print("floor");
  const double merge_all_ms = node.merge_all_ms();
  const double reconcile_ms = node.reconcile_ms();
  std::printf("  a merge from scratch %.1f ms, a full reconcile %.1f ms\n\n", merge_all_ms,
              reconcile_ms);
  return node.p99_ms() <= kBudgetMs;
}

int run(int argc, char** argv) {
  if (const std::string why = bpftest::missing_privilege(); !why.empty()) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
  }
  std::printf(
      "ms per change, %d changes a size: weight, addition, removal, new VIP, removed VIP\n\n",
      kChanges);
  log::configure(log::Level::warn, log::Format::logfmt);
  bool kept = true;
  if (argc == 3)
    kept = measure(
        {static_cast<unsigned>(std::atoi(argv[1])), static_cast<unsigned>(std::atoi(argv[2]))});
  else
    for (const Size& size : kSizes) kept &= measure(size);
  std::printf("budget: p99 of all steps <= %.0f ms at each size: %s\n", kBudgetMs,
              kept ? "kept" : "MISSED");
  return kept ? 0 : 1;
}

}  // namespace
}  // namespace viaduct

int main(int argc, char** argv) { return viaduct::bpftest::run_in_lab(viaduct::run, argc, argv); }
