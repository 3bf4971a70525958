// What following a Mesos master costs: processor time and memory, with synthetic clusters.
//
// Run: mesos_master [TASKS...]; without arguments 10000 50000. Twenty tasks an agent, twenty
// frameworks; a task has a discovery name, two ports, a health check, a container and two statuses
// with addresses, as a scheduler like Marathon makes it. Lines:
//   first load  from text to rows: of a SUBSCRIBED record, and of `/state`; the resident memory is
//               what it grew by, with the rows that it served still held by the caller, and at most
//   parts only  the text read and thrown away, each task built as JSON: the part of decoding
//   again       the same text once more: nothing changes
//   change      one TASK_UPDATED that changes a row: its text is read, its row changed
//   names       the same load up to the table that DNS answers from: text, rows, merge, zones;
//               then the same for one changed task
//   fail-over   an empty snapshot and what comes back with it, a record
// Each load runs in a process of its own.
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "dns/zones/zones.h"
#include "mesos/json_lists.h"
#include "mesos/limits.h"
#include "mesos/master_state.h"
#include "service/merger.h"
#include "tests/support/cluster_model.h"

namespace viaduct::mesos {
namespace {

constexpr int kTasksPerAgent = 20;
constexpr int kFrameworks = 20;
constexpr int kChanges = 2000;

double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double resident_mib() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

template <class Work>
double timed_ms(Work work) {
  const double begin = cpu_us();
  work();
  return (cpu_us() - begin) / 1e3;
}

std::string agent_id(int number) {
  return "5f0a7c1e-1b2c-4d0b-9e39-0a1b2c3d4e5f-S" + std::to_string(number);
}

std::string octets(int number) {
  return std::to_string(number / 65536 % 256) + "." + std::to_string(number / 256 % 256) + "." +
         std::to_string(number % 256);
}

test::ClusterModel make_cluster(int tasks) {
  test::ClusterModel model;
  const int agents = std::max(1, tasks / kTasksPerAgent);
  for (int i = 0; i < agents; i++) model.add_agent({agent_id(i), "10." + octets(i + 1)});
  for (int i = 0; i < kFrameworks; i++)
    model.add_framework({"5f0a7c1e-1b2c-4d0b-9e39-0a1b2c3d4e5f-" + std::to_string(i),
                         "marathon-" + std::to_string(i), "10.0.0.1",
                         "scheduler-" + std::to_string(i) + "@10.0.0.1:8080"});
  for (int i = 0; i < tasks; i++) {
    test::ModelTask task;
    task.framework = "5f0a7c1e-1b2c-4d0b-9e39-0a1b2c3d4e5f-" + std::to_string(i % kFrameworks);
    task.id = "shop_service-" + std::to_string(i / 4) + ".instance-9c2ae0f2-" +
              std::to_string(10'000'000 + i) + "._app.1";
    task.name = "service-" + std::to_string(i / 4) + ".shop";
    task.discovery = "service-" + std::to_string(i / 4) + ".shop";
    task.agent = agent_id(i % agents);
    task.ports = {{31000 + i % 500, 31000 + i % 500}, {32000 + i % 500, 32000 + i % 500}};
    const std::string own = "11." + octets(i + 1);
    task.more =
        R"(,"executor_id":{"value":""},"user":"root","health_check":{"delay_seconds":15.0,"interval_seconds":60.0,)"
        R"("timeout_seconds":20.0,"consecutive_failures":3,"grace_period_seconds":300.0,"type":"HTTP","http":)"
        R"({"protocol":"IPv4","scheme":"http","port":31000,"path":"/health"}},"container":{"type":"MESOS","mesos":)"
        R"({"image":{"type":"DOCKER","docker":{"name":"registry.example/shop/service:1.27.4"},"cached":true}},)"
        R"("network_infos":[{"name":"net"}]},"kill_policy":{"grace_period":{"nanoseconds":3000000000}})";
    task.state = "TASK_RUNNING";
    task.statuses = {{"TASK_STARTING", 1.5e9 + i, {own}}, {"TASK_RUNNING", 1.5e9 + i + 1, {own}}};
    model.launch(task);
  }
  return model;
}

struct Measured {
  double load_ms = 0;
  double again_ms = 0;
  double resident_mib = 0;
  double peak_mib = 0;
  std::size_t rows = 0;
};

/// Runs `work` in a process of its own, for the memory that it takes.
template <class Work>
Measured apart(Work work) {
  int ends[2];
  Measured measured;
  if (pipe(ends) != 0) std::exit(1);
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    measured = work();
    const ssize_t written = write(ends[1], &measured, sizeof measured);
    _exit(written == static_cast<ssize_t>(sizeof measured) ? 0 : 1);
  }
  const ssize_t got = read(ends[0], &measured, sizeof measured);
  if (got != static_cast<ssize_t>(sizeof measured)) std::exit(1);
  close(ends[0]);
  close(ends[1]);
  waitpid(child, nullptr, 0);
  return measured;
}

Measured load(const std::string& text, bool poll) {
  Measured measured;
  const double before = resident_mib();
  MasterState state;
  const auto step = [&] {
    auto done = poll ? state.on_state(text, {}) : state.on_record(text, {});
    if (!done) std::abort();
    return std::move(*done);
  };
  MasterStep first;
  measured.load_ms = timed_ms([&] { first = step(); });
  measured.peak_mib = peak_mib() - before;
  measured.resident_mib = resident_mib() - before;
  measured.rows = first.change.tasks_added.size();
  measured.again_ms = timed_ms([&] {
    if (step().change) std::abort();
  });
  return measured;
}

/// All that a node with dns.mesos = "master" does with the master's words.
class Names {
 public:
  Names() : merger_({}), zones_(options()) {}

  /// @return what DNS answers from.
  std::shared_ptr<const dns::Table> take(const std::string& record) {
    auto step = state_.on_record(record, {});
    if (!step) std::abort();
    merger_.apply_master(std::move(step->change), true);
    zones_.update(*merger_.snapshot(true));
    return zones_.table();
  }

 private:
  static dns::ZoneOptions options() {
    dns::ZoneOptions made;
    made.mesos = dns::MesosMode::master;
    return made;
  }

  MasterState state_;
  service::Merger merger_;
  dns::Zones zones_;
};

Measured load_names(const std::string& text) {
  Measured measured;
  const double before = resident_mib();
  Names names;
  std::shared_ptr<const dns::Table> table;
  measured.load_ms = timed_ms([&] { table = names.take(text); });
  measured.peak_mib = peak_mib() - before;
  measured.resident_mib = resident_mib() - before;
  measured.rows = table->records().size();
  return measured;
}

void print_load(const char* what, const std::string& text, const Measured& measured, int tasks) {
  std::printf(
      "  first load  %-10s %6.1f MB  %8.0f ms  %6.1f us a task  +%.0f MiB resident (peak +%.0f), "
      "%.0f octets a task; again %.0f ms; %zu rows\n",
      what, static_cast<double>(text.size()) / 1e6, measured.load_ms,
      measured.load_ms * 1e3 / tasks, measured.resident_mib, measured.peak_mib,
      measured.resident_mib * (1 << 20) / tasks, measured.again_ms, measured.rows);
}

class Counter : public JsonPartReader {
 public:
  void on_part(std::size_t, const boost::json::value&, std::size_t) override { parts++; }
  void on_too_large(std::size_t, std::size_t) override {}
  void on_mismatch(const std::string&) override {}
  std::size_t parts = 0;
};

void print_parts(const std::string& text, int tasks) {
  const auto run = [&](const std::string& path) {
    Counter counter;
    const JsonLists lists({{path}});
    return timed_ms([&] { (void)lists.read(text, kMaxRecordBytes, counter); });
  };
  const double nothing = run("nothing");
  const double built = run("subscribed.get_state.get_tasks.tasks[]");
  std::printf(
      "  parts only  SUBSCRIBED text checked %.0f ms (%.0f ns a task), tasks built as JSON %.0f ms "
      "(%.0f ns a task)\n",
      nothing, nothing * 1e6 / tasks, built, built * 1e6 / tasks);
}

void print_percentiles(const char* what, std::vector<double>& us) {
  std::sort(us.begin(), us.end());
  std::printf("  %s  p50 %.1f us, p99 %.1f us, max %.1f us of %zu\n", what, us[us.size() / 2],
              us[us.size() * 99 / 100], us.back(), us.size());
}

/// Records that each change one task's address.
std::vector<std::string> change_some(test::ClusterModel& model, double from_time,
                                     const std::string& net) {
  std::vector<std::string> records;
  std::vector<std::pair<std::string, std::string>> keys;
  for (const auto& entry : model.tasks()) keys.push_back(entry.first);
  for (int i = 0; i < kChanges; i++) {
    const auto& key = keys[static_cast<std::size_t>(i) * 7919 % keys.size()];
    records.push_back(model.update(key.first, key.second,
                                   {"TASK_RUNNING", from_time + i, {net + octets(i + 1)}})[0]);
  }
  return records;
}

void change_names(test::ClusterModel& model, const std::string& text) {
  Names names;
  names.take(text);
  std::vector<double> us;
  for (const std::string& record : change_some(model, 2e9, "12.")) {
    const double begin = cpu_us();
    names.take(record);
    us.push_back(cpu_us() - begin);
  }
  print_percentiles("names, a change", us);
}

void changes(test::ClusterModel& model, const std::string& text) {
  MasterState state;
  if (!state.on_record(text, {})) std::abort();
  const auto records = change_some(model, 3e9, "13.");
  std::vector<double> us;
  for (const std::string& record : records) {
    const double begin = cpu_us();
    const auto step = state.on_record(record, {});
    us.push_back(cpu_us() - begin);
    if (!step || step->change.tasks_added.size() != 1) std::abort();
  }
  print_percentiles("change    ", us);

  // Another leader, to which all agents come back.
  model.fail_over();
  const double empty = timed_ms([&] {
    const auto step = state.on_record(model.subscribed(), {});
    if (!step || step->change) std::abort();
  });
  std::size_t count = 0;
  double all = 0;
  const auto agents = model.agents();
  for (const auto& agent : agents)
    for (const std::string& record : model.return_agent(agent.first, false)) {
      const double begin = cpu_us();
      if (!state.on_record(record, {})) std::abort();
      all += cpu_us() - begin;
      count++;
    }
  std::printf("  fail-over   empty snapshot %.1f ms; %zu records until all is back, %.1f us each\n",
              empty, count, all / static_cast<double>(count));
}

void run(int tasks) {
  std::printf("%d tasks, %d agents, %d frameworks\n", tasks, std::max(1, tasks / kTasksPerAgent),
              kFrameworks);
  test::ClusterModel model = make_cluster(tasks);
  const std::string v1 = model.subscribed();
  const std::string v0 = model.state();
  print_load("SUBSCRIBED", v1, apart([&] { return load(v1, false); }), tasks);
  print_load("/state", v0, apart([&] { return load(v0, true); }), tasks);
  print_parts(v1, tasks);
  const Measured names = apart([&] { return load_names(v1); });
  std::printf(
      "  names       %.0f ms until DNS answers (%.1f us a task), +%.0f MiB resident (peak +%.0f), "
      "%zu records\n",
      names.load_ms, names.load_ms * 1e3 / tasks, names.resident_mib, names.peak_mib, names.rows);
  change_names(model, v1);
  changes(model, model.subscribed());
}

}  // namespace
}  // namespace viaduct::mesos

int main(int argc, char** argv) {
  std::vector<int> sizes;
  for (int i = 1; i < argc; i++) sizes.push_back(std::atoi(argv[i]));
  if (sizes.empty()) sizes = {10'000, 50'000};
  for (const int size : sizes) {
    if (size < 20 || size > 200'000) {
      std::fprintf(stderr, "usage: mesos_master [TASKS...], 20 to 200000 each\n");
      return 2;
    }
    viaduct::mesos::run(size);
  }
  std::printf(
      "For comparison, figures of Mesos-DNS 0.7 on such a machine (constants, not measured here): "
      "a refresh of\n"
      "10000 tasks (13.7 MB) 0.66-0.68 CPU s, 145-151 MiB resident; of 50000 (68.9 MB) 4.1-4.6 CPU "
      "s, 724-1005 MiB;\n"
      "each refresh costs that again, changed or not.\n");
  return 0;
}
