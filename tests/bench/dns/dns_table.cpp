// The answer table itself: memory, what a changed name costs, and answers while it changes.
//
//   dns_table [SECONDS]
//
// Memory is of a process of its own for each size. Changes: one name of 10,000, from the snapshot
// to the answers, and in the table alone. Then names change 1,000 times a second while they are
// asked for as fast as possible: every answer must be one that was published, whole, and not older
// than what was published when its question was sent.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include "dns/io/server.h"
#include "tests/bench/dns/load.h"

namespace viaduct::bench {
namespace {

using Clock = std::chrono::steady_clock;

double resident_mb() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line))
    if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6) / 1024;
  return 0;
}

service::Snapshot snapshot_of(unsigned names) {
  std::vector<service::NamedVip> list;
  list.reserve(names);
  for (unsigned i = 0; i < names; ++i)
    list.push_back({host(i), {base::Address::v4(0x0b000000 + i)}});
  service::Snapshot snapshot;
  snapshot.complete = true;
  snapshot.revision = 1;
  snapshot.names = std::move(list);
  return snapshot;
}

dns::Name owner_of(unsigned i) { return *dns::Name::parse(host(i) + ".bench.example"); }

dns::ZoneHead bench_zone() {
  dns::ZoneHead head;
  head.apex = *dns::Name::parse("bench.example");
  head.soa.primary = head.soa.mailbox = head.apex;
  return head;
}

/// The table alone: a writer that is fed name by name.
void print_memory(unsigned names) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    const double before = resident_mb();
    dns::TableWriter writer;
    const dns::ZoneHead head = bench_zone();
    writer.set_zone(head);
    const auto begin = Clock::now();
    for (unsigned i = 0; i < names; ++i) {
      const dns::Name owner = owner_of(i);
      writer.set_name(head.apex, owner,
                      {dns::address_record(owner, base::Address::v4(0x0b000000 + i), 5)});
    }
    const auto table = writer.table();
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    std::printf("%9zu records: %.1f MB resident (%.0f octets a record), made in %.2f s\n",
                table->record_count(), resident_mb() - before,
                (resident_mb() - before) * 1048576 / names, seconds.count());
    std::fflush(stdout);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

void print_change_cost() {
  constexpr unsigned kNames = 10'000, kChanges = 20'000;
  dns::TableWriter writer;
  const dns::ZoneHead head = bench_zone();
  writer.set_zone(head);
  const auto set = [&](unsigned i, unsigned address) {
    const dns::Name owner = owner_of(i);
    writer.set_name(head.apex, owner, {dns::address_record(owner, base::Address::v4(address), 5)});
  };
  for (unsigned i = 0; i < kNames; ++i) set(i, i);
  auto begin = Clock::now();
  for (unsigned i = 0; i < kChanges; ++i) set(i % kNames, i + 1);
  const std::chrono::duration<double, std::micro> table = Clock::now() - begin;
  service::Snapshot snapshot = snapshot_of(kNames);
  dns::Zones zones{dns::ZoneOptions{}};
  zones.update(snapshot);
  constexpr unsigned kSnapshots = 2'000;
  std::chrono::duration<double, std::micro> whole{};
  for (unsigned i = 0; i < kSnapshots; ++i) {
    service::NamedVips::Editor editor(snapshot.names);
    editor.put({host(i), {base::Address::v4(0x0c000000 + i)}});
    snapshot.names = editor.finish();
    ++snapshot.revision;
    begin = Clock::now();
    zones.update(snapshot);
    (void)zones.table();
    whole += Clock::now() - begin;
  }
  std::printf(
      "a changed name of %u: %.2f us in the table, %.1f us from the snapshot (name, PTR, "
      "serials of all zones)\n",
      kNames, table.count() / kChanges, whole.count() / kSnapshots);
}

/// Every name has four addresses a.b.c.0 .. a.b.c.3 whose upper 24 bits are its version.
constexpr unsigned kFlipping = 1'000;
constexpr unsigned kRecords = 4;

class Flips {
 public:
  Flips() : versions_(kFlipping) {
    head_ = bench_zone();
    writer_.set_zone(head_);
    for (unsigned i = 0; i < kFlipping; ++i) set(i, 1);
  }
  std::shared_ptr<const dns::Table> table() { return writer_.table(); }

  void set(unsigned i, unsigned version) {
    const dns::Name owner = owner_of(i);
    std::vector<dns::Record> records;
    for (unsigned r = 0; r < kRecords; ++r)
      records.push_back(dns::address_record(owner, base::Address::v4(version << 8 | r), 5));
    writer_.set_name(head_.apex, owner, std::move(records));
    versions_[i].store(version, std::memory_order_release);
  }
  unsigned version(unsigned i) const { return versions_[i].load(std::memory_order_acquire); }

 private:
  dns::ZoneHead head_;
  dns::TableWriter writer_;
  std::vector<std::atomic<unsigned>> versions_;
};

struct Verdicts {
  std::uint64_t answers = 0, torn = 0, stale = 0, future = 0;
};

/// @param least  the version that was published when the question was sent.
void judge(std::span<const std::uint8_t> answer, std::size_t body_at, unsigned least,
           unsigned newest, Verdicts& verdicts) {
  ++verdicts.answers;
  unsigned seen = 0;
  bool torn = answer.size() < body_at + kRecords * 16 || dns::read16(&answer[6]) != kRecords;
  for (unsigned r = 0; !torn && r < kRecords; ++r) {
    const unsigned address = dns::read32(&answer[body_at + r * 16 + 12]);
    if (r == 0) seen = address >> 8;
    torn = address >> 8 != seen;
  }
  verdicts.torn += torn;
  verdicts.stale += !torn && seen < least;
  verdicts.future += !torn && seen > newest;
}

int print_churn(std::chrono::seconds time) {
  dns::Config config;
  config.listen = {base::Address::v4(0x7f000001)};
  config.port = 0;
  config.watch = std::chrono::hours(1);
  dns::Server server(config);
  if (!server.start()) return 1;
  Flips flips;
  server.publish(flips.table());
  auto queries = make_queries(kFlipping, ".bench.example");
  std::jthread writer([&](const std::stop_token& stop) {
    unsigned changes = 0;
    auto next = Clock::now();
    while (!stop.stop_requested()) {
      const unsigned i = changes++ % kFlipping;
      flips.set(i, flips.version(i) + 1);
      next += std::chrono::milliseconds(1);
      std::this_thread::sleep_until(next);
    }
  });
  const base::Fd fd = connect_to(server.listening().front());
  auto buffers = std::make_unique<Buffers>();
  std::vector<unsigned> least(kFlipping);  // by id, which is the host's number
  Verdicts verdicts;
  std::size_t next = 0;
  unsigned in_flight = 0;
  const auto begin = Clock::now();
  while (Clock::now() - begin < time) {
    for (; in_flight < kInFlight; ++in_flight, next = (next + 1) % queries.size()) {
      const unsigned i = dns::read16(queries[next].data());
      least[i] = flips.version(i);
      ::send(fd.get(), queries[next].data(), queries[next].size(), 0);
    }
    const int count = buffers->receive(fd.get(), MSG_WAITFORONE, false);
    if (count <= 0) {
      in_flight = 0;
      continue;
    }
    for (unsigned m = 0; m < static_cast<unsigned>(count); ++m) {
      const std::span answer(buffers->octets[m].data(), buffers->messages[m].msg_len);
      const unsigned i = dns::read16(answer.data());
      const std::size_t body = 12 + host(i).size() + std::strlen(".bench.example") + 2 + 4;
      judge(answer, body, least[i], flips.version(i), verdicts);
    }
    in_flight -= std::min(in_flight, static_cast<unsigned>(count));
  }
  const std::chrono::duration<double> seconds = Clock::now() - begin;
  std::printf(
      "1,000 changes/s while asked %.0f times/s for %.0f s: %llu answers, %llu torn, %llu "
      "stale, %llu never published\n",
      static_cast<double>(verdicts.answers) / seconds.count(), seconds.count(),
      static_cast<unsigned long long>(verdicts.answers),
      static_cast<unsigned long long>(verdicts.torn),
      static_cast<unsigned long long>(verdicts.stale),
      static_cast<unsigned long long>(verdicts.future));
  return verdicts.torn + verdicts.stale + verdicts.future == 0 ? 0 : 1;
}

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) {
  using namespace viaduct::bench;
  const int seconds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 10;
  print_memory(10'000);
  print_memory(1'000'000);
  print_change_cost();
  return print_churn(std::chrono::seconds(seconds));
}
