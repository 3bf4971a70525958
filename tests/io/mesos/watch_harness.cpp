#include "tests/io/mesos/watch_harness.h"

#include <algorithm>
#include <cstdio>

#include "base/io/file.h"
#include "http/record_io.h"

namespace viaduct::mesos {

using namespace std::chrono_literals;
namespace asio = boost::asio;

std::string recorded(const std::string& name) {
  return base::read_file(std::string(VIADUCT_TEST_DATA "/mesos/stream/") + name, 1 << 20).value();
}

void Changes::add(const service::MasterChange& change) {
  const auto append = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(tasks_removed, change.tasks_removed);
  append(tasks_added, change.tasks_added);
  append(removed, change.removed);
  append(added, change.added);
}

Changes changes_of(const std::vector<std::string>& recordio) {
  Changes changes;
  MasterState state;
  for (const std::string& text : recordio) {
    http::RecordDecoder decoder(1 << 20);
    std::string_view rest = text;
    while (const auto record = decoder.next(rest).value())
      changes.add(without_masters(state.on_record(*record, base::Clock::now()).value().change));
  }
  return changes;
}

service::MasterChange without_masters(service::MasterChange change) {
  for (auto* rows : {&change.added, &change.removed})
    std::erase_if(
        *rows, [](const service::MesosRow& row) { return row.role == service::MesosRole::master; });
  return change;
}

MasterWatch::Timing Watcher::fast() {
  MasterWatch::Timing timing;
  timing.retry_min = 2ms;
  timing.retry_max = 20ms;
  timing.retry_election = 10ms;
  timing.summary_pause = 5ms;
  timing.summary_retry = 20ms;
  timing.hosts_pause = 1h;
  return timing;
}

MasterConfig Watcher::config_of(const std::vector<const test::CoroServer*>& masters) {
  MasterConfig config;
  for (const test::CoroServer* master : masters) config.masters.push_back(master->endpoint());
  config.refresh = 20ms;
  config.timeout = 10s;
  return config;
}

void Watcher::start(MasterConfig config, MasterWatch::Timing timing) {
  watch = std::make_unique<MasterWatch>(
      context, std::move(config),
      MasterWatch::Callbacks{
          .on_change =
              [this](const service::MasterChange& change) {
                const auto told = without_masters(change);
                if (!told) return;
                handed_on++;
                changes.add(told);
              },
          .on_success = [this] { successes++; },
          .on_failure = [this](std::string text) { failures.push_back(std::move(text)); }},
      timing);
  watch->start();
}

void Watcher::run_for(base::Duration time) {
  const auto end = base::Clock::now() + time;
  while (base::Clock::now() < end) context.run_one_until(end);
}

bool Watcher::has_failed_with(const std::string& part) const {
  return std::ranges::any_of(failures,
                             [&](const std::string& text) { return text.find(part) != text.npos; });
}

asio::awaitable<void> send_cut(test::CoroExchange& exchange, std::string octets,
                               std::vector<std::size_t> ends) {
  std::size_t from = 0;
  for (const std::size_t end : ends) {
    if (!co_await exchange.send(octets.substr(from, end - from))) co_return;
    from = end;
    co_await exchange.wait(1ms);  // lets the reader see this cut
  }
  co_await exchange.send(octets.substr(from));
}

std::vector<std::size_t> random_cuts(std::size_t size, std::uint64_t seed) {
  base::Rng rng(seed);
  std::vector<std::size_t> ends;
  for (std::size_t end = rng.below(400) + 1; end < size; end += rng.below(400) + 1)
    ends.push_back(end);
  return ends;
}

std::vector<std::size_t> recorded_cuts(const std::string& reads) {
  std::vector<std::size_t> ends;
  std::size_t line = 0;
  for (std::size_t end = reads.find('\n'); end != reads.npos; end = reads.find('\n', line)) {
    std::size_t offset = 0;
    std::size_t size = 0;
    const std::string text = reads.substr(line, end - line);
    if (std::sscanf(text.c_str() + text.find("\"off\""), "\"off\": %zu, \"n\": %zu", &offset,
                    &size) == 2)
      ends.push_back(offset + size);
    line = end + 1;
  }
  return ends;
}

std::string stream_head() {
  return "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:42:24 GMT\r\n"
         "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n";
}

std::string chunk(const std::string& record) {
  const std::string whole = std::to_string(record.size()) + "\n" + record;
  char length[16];
  std::snprintf(length, sizeof(length), "%zx", whole.size());
  return std::string(length) + "\r\n" + whole + "\r\n";
}

std::string subscribed(const std::string& heartbeat_seconds) {
  return R"({"type":"SUBSCRIBED","subscribed":{"get_state":{"get_tasks":{"tasks":[]},)"
         R"("get_executors":{"executors":[]},"get_frameworks":{"frameworks":[]},)"
         R"("get_agents":{"agents":[],"recovered_agents":[]}},"heartbeat_interval_seconds":)" +
         heartbeat_seconds + "}}";
}

}  // namespace viaduct::mesos
