// What peers and a state file say to the VIP table. The first octet says what the rest is: messages
// with their lengths in front that come one after the other, the body of a state file, or a row.

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "gossip/delta.h"
#include "gossip/row_codec.h"
#include "gossip/state_file.h"
#include "gossip/store.h"
#include "gossip/table_limits.h"
#include "gossip/table_rows.h"
#include "gossip/task_codec.h"
#include "tests/fuzz/check.h"

namespace viaduct::gossip {
namespace {

using namespace std::chrono_literals;
using fuzz::check;

constexpr std::size_t kRoom = 1366;

void check_store(const Store& store) {
  check(store.owners().size() <= kMaxOwners, "owners are bounded");
  for (const auto& [owner, record] : store.owners()) {
    check(record.rows.check().has_value(), "rows are within the limits");
    check(record.rows.hash() == record.version.hash, "rows are of their version");
  }
  check(store.own().version.seq == 0 || store.own().rows.size() == 1, "our rows are ours");
}

void check_changes(Store& store) {
  for (const OwnerChange& change : store.take_changes()) {
    const DecodedChange decoded = decode_change(change, {});
    for (const service::BackendRow& row : decoded.rows.added) {
      check(row.vip_port != 0 && row.backend.port != 0, "no port is 0");
      check(row.weight <= service::kMaxWeight, "weights are in range");
      const auto again = encode_row(row);
      check(again.has_value(), "what is read can be written");
    }
    for (const service::TaskRow& row : decoded.rows.tasks_added)
      check(service::check_task(row).has_value(), "tasks are within their limits");
  }
}

/// A table of which a peer knows one owner's name, and which publishes a row.
Store new_store() {
  Store store("self", 1);
  (void)store.publish({RowChange("k", "v")}, {});
  store.member_alive("peer", {});
  return store;
}

void messages(base::ByteView input) {
  Store store = new_store();
  base::Time now{};
  base::Reader reader(input);
  while (reader.remaining() > 0) {
    const base::ByteView message = reader.take(reader.u16());
    if (reader.failed()) break;
    now += 100ms;
    const auto delta = decode_delta(message);
    if (delta) {
      const auto again = decode_delta(encode_delta(*delta, kMaxSyncOctets));
      check(again && *again == *delta, "a delta comes back as it was");
      store.apply(*delta, now);
      check(join(*delta, *delta, kRoom) == *delta, "a delta joined with itself is itself");
    } else {
      std::size_t octets = 0;
      for (const base::Bytes& reply : store.on_sync(message, now).replies) octets += reply.size();
      check(octets < 4 * kMaxSyncOctets, "answers are bounded");
    }
    store.on_tick(now);
    check_store(store);
  }
  check_changes(store);
  const base::Bytes file = write_state(store, now);
  Store other("other", 1);
  check(read_state(file, 0s, other, now).has_value(), "the state file is read as it was written");
}

void state(base::ByteView body) {
  base::Writer file;
  file.put(body);
  file.u64(state_seal(body));
  Store store = new_store();
  const auto restored = read_state(file.bytes(), 1s, store, {});
  check(restored.has_value() || store.owners().size() == 2, "all or nothing");
  check_store(store);
  check_changes(store);
}

void row(base::ByteView input) {
  base::Reader reader(input);
  const std::string key(base::as_text(reader.counted(kMaxKeyOctets)));
  if (reader.failed() || key.empty()) return;
  const WireRow wire(key, base::as_text(reader.rest()));
  check(vip_prefix(key).size() <= key.size(), "a prefix is one");
  const auto decoded = decode_row(wire, {});
  if (!decoded) return;
  if (const auto* backend = std::get_if<service::BackendRow>(&*decoded)) {
    const auto again = encode_row(*backend);
    check(again && again->key() == wire.key(), "a row has one key");
    check(*decode_row(*again, {}) == *decoded, "a row comes back as it was");
  } else if (const auto* task = std::get_if<service::TaskRow>(&*decoded)) {
    check(service::check_task(*task).has_value(), "a task is within its limits");
    const auto again = encode_row(*task);
    if (!again) return;  // one that is only just short enough may have another form that is not
    check(again->key() == wire.key(), "a task has one key");
    check(*decode_row(*again, {}) == *decoded, "a task comes back as it was");
  } else if (const auto* facts = std::get_if<NodeFacts>(&*decoded)) {
    check(*decode_row(encode_row(*facts), {}) == *decoded, "facts come back as they were");
  } else if (const auto* name = std::get_if<NameRow>(&*decoded)) {
    check(*decode_row(encode_row(*name), {}) == *decoded, "a name comes back as it was");
  }
}

}  // namespace
}  // namespace viaduct::gossip

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct;
  if (size == 0) return 0;
  const base::ByteView input(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      gossip::messages(input);
      break;
    case 1:
      gossip::state(input);
      break;
    default:
      gossip::row(input);
  }
  return 0;
}
