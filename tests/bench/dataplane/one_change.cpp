// How long one changed backend takes from its service file to the kernel's maps, at several sizes.
//
// Run as root: one_change [BACKENDS BACKENDS_OF_A_VIP]; without arguments all sizes. It makes a
// network namespace, a cgroup and a folder in /sys/fs/bpf of its own. Each size is first written as
// a whole, as files of 100 backends. Then one thing at a time changes in one of the files: a
// weight, a backend that comes or goes, a VIP that comes or goes. The rows behind it in the file
// change too, as they name their lines. The steps of each change:
//   read     the file's text to rows; what the file's change means for other files
//   compare  which rows are new or gone
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
#include <span>
#include <string>
#include <vector>

#include "base/io/log.h"
#include "dataplane/io/data_plane.h"
#include "files/services.h"
#include "service/local_table.h"
#include "service/merger.h"
#include "tests/bpf/lab.h"

namespace viaduct {
namespace {

constexpr unsigned kChanges = 1000;
constexpr double kBudgetMs = 10;

constexpr unsigned kBackendsPerFile = 100;

struct Size {
  unsigned backends;
  unsigned of_a_vip;
};
constexpr Size kSizes[] = {{1'000, 1}, {1'000, 10}, {10'000, 10}, {100'000, 10}, {100'000, 1}};

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

/// One service file.
class File {
 public:
  File(std::string name, unsigned backends, unsigned of_a_vip)
      : name_(std::move(name)), of_a_vip_(of_a_vip) {
    for (unsigned i = 0; i < backends; i += of_a_vip) add_vip();
  }

  const std::string& name() const { return name_; }

  /// @param kind  0..4.
  void change(unsigned kind, std::mt19937& random) {
    const auto vip = vips_.begin() + static_cast<std::ptrdiff_t>(random() % vips_.size());
    const auto backend =
        vip->backends.begin() + static_cast<std::ptrdiff_t>(random() % vip->backends.size());
    if (kind == 0)
      backend->weight = backend->weight == 1 ? 2 : 1;
    else if (kind == 1)
      vip->backends.insert(backend, {next_host_++, 1});
    else if (kind == 2 && vip->backends.size() > 1)
      vip->backends.erase(backend);
    else if (kind == 3)
      add_vip();
    else if (vips_.size() > 1)
      vips_.erase(vip);
  }

  std::string text() const {
    std::string out;
    for (const Vip& vip : vips_) {
      out += "[[service]]\n" + vip.key + "\nport = 80\n";
      for (const Backend& backend : vip.backends)
        out += "[[service.backend]]\naddress = \"" +
               base::Address::v4(0xac100000U + backend.host).to_string() +  // 172.16.0.0/12
               "\"\nport = 8080\nweight = " + std::to_string(backend.weight) + "\n";
    }
    return out;
  }

 private:
  struct Backend {
    unsigned host;
    unsigned weight;
  };
  struct Vip {
    std::string key;
    std::vector<Backend> backends;
  };

  void add_vip() {
    const unsigned number = next_vip_++;
    Vip vip;
    if (number % 2 == 0)
      vip.key = "name = \"service-" + std::to_string(number) + "\"\nframework = \"bench\"";
    else
      vip.key = "address = \"" + base::Address::v4(0xc6120000U + number).to_string() +
                "\"";  // 198.18.0.0/15
    for (unsigned i = 0; i < of_a_vip_; i++) vip.backends.push_back({next_host_++, 1});
    vips_.push_back(std::move(vip));
  }

  static inline unsigned next_vip_ = 0;
  static inline unsigned next_host_ = 1;
  std::string name_;
  unsigned of_a_vip_;      ///< backends of a new VIP
  std::vector<Vip> vips_;  ///< never empty
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

  /// Reads files that have changed, and writes what that changes.
  void show(std::span<const File> files) {
    std::vector<std::string> texts;
    for (const File& file : files) texts.push_back(file.text());
    const double cpu_before_ms = cpu_ms();
    service::SourceParts parts;
    const double read_ms = timed([&] {
      for (std::size_t i = 0; i < files.size(); i++) services_.on_file(files[i].name(), texts[i]);
      parts = services_.rows();
    });
    service::SourceChange change;
    const double compare_ms =
        timed([&] { change = table_.replace("files", std::move(parts), base::Clock::now()); });
    std::shared_ptr<const service::Snapshot> snapshot;
    const double merge_ms = timed([&] {
      merger_.apply("files", std::move(change));
      snapshot = merger_.snapshot(table_.complete());
    });
    const double write_ms =
        timed([&] { require(plane_->apply(snapshot, base::Clock::now()), "write the maps"); });
    read_.add(read_ms);
    compare_.add(compare_ms);
    merge_.add(merge_ms);
    write_.add(write_ms);
    all_.add(read_ms + compare_ms + merge_ms + write_ms);
    cpu_.add(cpu_ms() - cpu_before_ms);
    desired_ = snapshot->services.size();
  }

  void forget_times() { read_ = compare_ = merge_ = write_ = all_ = cpu_ = {}; }

  void print() {
    read_.print("read");
    compare_.print("compare");
    merge_.print("merge");
    write_.print("write");
    all_.print("all");
    cpu_.print("cpu");
    if (!plane_->status().problems.empty())
      std::printf("  %zu problems, the first: %s\n", plane_->status().problems.size(),
                  plane_->status().problems[0].reason.c_str());
    std::printf("  in the kernel: %zu of %zu services, %zu backends\n",
                plane_->image().services.size(), desired_, plane_->image().backends.size());
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
    for (unsigned i = 0; i < kChanges; i++)
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
  files::Services services_;
  service::LocalTable table_;
  service::Merger merger_{{}};
  Series read_, compare_, merge_, write_, all_, cpu_;
  std::size_t desired_ = 0;
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
  std::vector<File> files;
  for (unsigned i = 0; i < size.backends / kBackendsPerFile; i++)
    files.emplace_back("shop-" + std::to_string(i) + ".toml", kBackendsPerFile, size.of_a_vip);
  Node node(config());
  node.show(files);
  std::printf("%u backends in %zu files, %u of a VIP: written as a whole in %.0f ms\n",
              size.backends, files.size(), size.of_a_vip, node.first_ms());
  node.forget_times();
  std::mt19937 random(7);
  for (unsigned i = 0; i < kChanges; i++) {
    File& file = files[random() % files.size()];
    file.change(i % 5, random);
    node.show({&file, 1});
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
      "ms per change, %u changes a size: weight, addition, removal, new VIP, removed VIP\n\n",
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
