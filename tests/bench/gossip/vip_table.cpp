// What the VIP table costs: memory and processor time with many owners and rows.
//
// Run: vip_table [OWNERS ROWS_OF_EACH]; without arguments 1000 100. A tenth of the rows' VIPs are
// named; each row has a task's text of 30 characters. Lines:
//   store       heap of the store alone, a row
//   model       heap of the decoded rows in a service::Merger and its snapshot, a row
//   delta       apply a delta of one row, coded, at one node; and to the Merger's next snapshot
//   mask        one owner is suspect, then not: to the next snapshot, each
//   digest      begin a sync with an equal table and answer it; octets of both messages
//   sync 1      one owner's rows differ; octets of all messages
//   join        an empty table takes everything; octets of all messages, and the largest answer
//   state file  write and read
#include <malloc.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "gossip/delta.h"
#include "gossip/own_rows.h"
#include "gossip/state_file.h"
#include "gossip/store.h"
#include "gossip/table_rows.h"
#include "service/merger.h"

namespace viaduct::gossip {
namespace {

constexpr std::size_t kRoom = 1300;
constexpr base::Time kNow{};
constexpr int kRounds = 1000;

double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::size_t heap() { return mallinfo2().uordblks; }

template <class Work>
double timed(Work work) {
  const double begin = cpu_us();
  work();
  return cpu_us() - begin;
}

std::string owner_name(int owner) { return "agent-" + std::to_string(10'000 + owner) + ".example"; }

service::BackendRow row_of(int owner, int number) {
  service::BackendRow row;
  if (number % 10 == 0)
    row.vip = service::VipName{"service-" + std::to_string(number) + ".marathon"};
  else
    row.vip = base::Address::v4(0xc6120000 + static_cast<std::uint32_t>(number));
  row.vip_port = 80;
  row.backend = {base::Address::v4(0x0a000000 + static_cast<std::uint32_t>(owner)),
                 static_cast<std::uint16_t>(20'000 + number)};
  row.task = "service-" + std::to_string(number) + ".5f0a7c1e-0000-4d0b";
  return row;
}

struct Traffic {
  std::size_t messages = 0;
  std::size_t octets = 0;
  std::size_t largest_answer = 0;
};

Traffic sync(Store& from, Store& to) {
  Traffic traffic;
  std::deque<std::pair<Store*, base::Bytes>> messages;
  messages.emplace_back(&to, from.begin_sync());
  while (!messages.empty()) {
    auto [at, message] = std::move(messages.front());
    messages.pop_front();
    traffic.messages++;
    traffic.octets += message.size();
    std::size_t answer = 0;
    for (base::Bytes& reply : at->on_sync(message, kNow).replies) {
      answer += reply.size();
      messages.emplace_back(at == &to ? &from : &to, std::move(reply));
    }
    traffic.largest_answer = std::max(traffic.largest_answer, answer);
  }
  return traffic;
}

void feed(Store& store, service::Merger& merger) {
  for (const OwnerChange& change : store.take_changes()) {
    const DecodedChange decoded = decode_change(change, {});
    merger.apply_node(decoded.owner, decoded.rows);
  }
}

class Bench {
 public:
  Bench(int owners, int rows) : owners_(owners), rows_(rows), merger_(options()) {}

  int run() {
    std::printf("%d owners, %d rows of each\n", owners_, rows_);
    fill();
    deltas();
    masks();
    syncs();
    state_file();
    return 0;
  }

 private:
  static service::MergeOptions options() {
    service::MergeOptions made;
    made.node_name = "self";
    return made;
  }

  void fill() {
    const std::size_t before = heap();
    for (int owner = 0; owner < owners_; owner++) {
      store_.member_alive(owner_name(owner), kNow);
      Store peer(owner_name(owner), 1);
      OwnRows own(owner_name(owner));
      service::SourceChange change;
      for (int number = 0; number < rows_; number++) change.added.push_back(row_of(owner, number));
      own.apply("files", change);
      (void)peer.publish(own.take(kNow), kNow);
      if (owner == 0) (void)first_.publish(own_first(change), kNow);
      sync(peer, store_);
    }
    malloc_trim(0);
    const std::size_t rows = static_cast<std::size_t>(owners_) * static_cast<std::size_t>(rows_);
    const std::size_t with_store = heap();
    std::printf("store       %8.1f MB  %6.0f octets a row\n",
                static_cast<double>(with_store - before) / 1e6,
                static_cast<double>(with_store - before) / static_cast<double>(rows));
    const double us = timed([&] {
      feed(store_, merger_);
      snapshot_ = merger_.snapshot(true);
    });
    std::printf("model       %8.1f MB  %6.0f octets a row, made in %.0f ms\n",
                static_cast<double>(heap() - with_store) / 1e6,
                static_cast<double>(heap() - with_store) / static_cast<double>(rows), us / 1e3);
  }

  std::vector<RowChange> own_first(const service::SourceChange& change) {
    own_first_.apply("files", change);
    return own_first_.take(kNow);
  }

  /// The first owner's weights change, one at a time.
  void deltas() {
    sync(first_, store_);
    (void)first_.take_delta(kRoom);
    double publish = 0;
    double apply = 0;
    double merge = 0;
    std::size_t octets = 0;
    for (int round = 0; round < kRounds; round++) {
      first_.delta_sent();
      service::BackendRow row = row_of(0, round % rows_);
      row.weight = static_cast<std::uint16_t>(2 + round / rows_);
      const WireRow wire = *encode_row(row);
      base::Bytes bytes;
      publish += timed([&] {
        (void)first_.publish({RowChange(std::string(wire.key()), std::string(wire.value()))}, kNow);
        bytes = encode_delta(*first_.take_delta(kRoom), kRoom);
      });
      octets += bytes.size();
      apply += timed([&] { store_.apply(*decode_delta(bytes), kNow); });
      merge += timed([&] {
        feed(store_, merger_);
        snapshot_ = merger_.snapshot(true);
      });
    }
    std::printf("delta       publish %.1f us, apply %.1f us, to the snapshot %.1f us; %zu octets\n",
                publish / kRounds, apply / kRounds, merge / kRounds, octets / kRounds);
  }

  void masks() {
    constexpr int kMasks = 20;
    const double us = timed([&] {
      for (int round = 0; round < kMasks; round++) {
        merger_.set_mask(owner_name(round / 2 % owners_),
                         round % 2 == 0 ? service::Mask::suspect : service::Mask::none);
        snapshot_ = merger_.snapshot(true);
      }
    });
    std::printf("mask        %.2f ms\n", us / kMasks / 1e3);
  }

  void syncs() {
    Store other("other", 1);
    for (int owner = 0; owner < owners_; owner++) other.member_alive(owner_name(owner), kNow);
    Traffic traffic;
    double us = timed([&] { traffic = sync(other, store_); });
    std::printf("join        %.1f ms, %zu messages of %zu octets, largest answer %zu\n", us / 1e3,
                traffic.messages, traffic.octets, traffic.largest_answer);
    if (!(other.digest() == store_.digest())) std::printf("the tables differ\n");
    us = timed([&] {
      for (int round = 0; round < kRounds; round++) traffic = sync(other, store_);
    });
    std::printf("digest      %.1f us, %zu octets\n", us / kRounds, traffic.octets);
    (void)first_.publish({RowChange("\x0f one more", "")}, kNow);
    sync(first_, store_);
    us = timed([&] { traffic = sync(other, store_); });
    std::printf("sync 1      %.1f us, %zu octets\n", us, traffic.octets);
  }

  void state_file() {
    base::Bytes file;
    const double write = timed([&] { file = write_state(store_, kNow); });
    Store other("other", 1);
    const double read = timed([&] { (void)read_state(file, {}, other, kNow); });
    std::printf("state file  %.1f MB, write %.1f ms, read %.1f ms\n",
                static_cast<double>(file.size()) / 1e6, write / 1e3, read / 1e3);
  }

  int owners_;
  int rows_;
  Store store_{"self", 1};
  Store first_{owner_name(0), 2};
  OwnRows own_first_{owner_name(0)};
  service::Merger merger_;
  std::shared_ptr<const service::Snapshot> snapshot_;
};

}  // namespace
}  // namespace viaduct::gossip

int main(int argc, char** argv) {
  const int owners = argc > 2 ? std::atoi(argv[1]) : 1000;
  const int rows = argc > 2 ? std::atoi(argv[2]) : 100;
  if (owners < 1 || rows < 1 || rows > 10'000) {
    std::fprintf(stderr, "usage: vip_table [OWNERS ROWS_OF_EACH]\n");
    return 2;
  }
  return viaduct::gossip::Bench(owners, rows).run();
}
