// Any texts as a master's words, one a line, the first octet says which: r a record, s a `/state`,
// m a summary, h a host with an address, t seconds that pass. Whatever comes: the changes add up to
// what is served, every row may be published, and what is kept is bounded.

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>

#include "mesos/limits.h"
#include "mesos/master_state.h"
#include "tests/fuzz/check.h"

namespace viaduct {
namespace {

using fuzz::check;

template <class Row>
void apply(std::multiset<Row>& rows, const std::vector<Row>& removed,
           const std::vector<Row>& added) {
  for (const Row& row : removed) {
    const auto served = rows.find(row);
    check(served != rows.end(), "a removed row was served");
    rows.erase(served);
  }
  rows.insert(added.begin(), added.end());
}

class Follower {
 public:
  void line(std::string_view line) {
    if (line.empty()) return;
    const std::string_view text = line.substr(1);
    switch (line.front()) {
      case 'r':
        return take_step(state_.on_record(text, now_));
      case 's':
        return take_step(state_.on_state(text, now_));
      case 'm':
        if (const auto change = state_.on_summary(text)) take(*change);
        return;
      case 'h':
        return resolve(text);
      case 't':
        now_ += std::chrono::seconds(60 * text.size());
        take(state_.on_tick(now_));
        check(!state_.next_tick() || *state_.next_tick() > now_, "what is held has time left");
        return;
      default:
        return;
    }
  }

  void finish() {
    now_ += std::chrono::hours(1);
    take(state_.on_tick(now_));
    check(!state_.next_tick() && state_.counts().held == 0, "nothing is held for ever");
  }

 private:
  void take_step(const base::Result<mesos::MasterStep>& step) {
    if (step) return take(step->change);
    check(!step.error().context.empty(), "an error says what it is about");
    take({});
  }

  void resolve(std::string_view text) {
    const std::size_t space = text.rfind(' ');
    const std::string host(text.substr(0, space));
    const auto address = space == std::string_view::npos
                             ? std::nullopt
                             : base::Address::parse(text.substr(space + 1));
    std::vector<base::Address> addresses;
    if (address) addresses.push_back(*address);
    take(state_.on_resolved(host, std::move(addresses)));
  }

  void take(const service::MasterChange& change) {
    apply(tasks_, change.tasks_removed, change.tasks_added);
    apply(processes_, change.removed, change.added);
    const service::MasterChange all = state_.all();
    check(std::equal(tasks_.begin(), tasks_.end(), all.tasks_added.begin(), all.tasks_added.end()),
          "the changes add up to the tasks");
    check(std::equal(processes_.begin(), processes_.end(), all.added.begin(), all.added.end()),
          "the changes add up to the processes");
    for (const auto& row : all.tasks_added)
      check(service::check_task(row, service::is_unicast).has_value(),
            "a task's row is within the limits");
    for (const auto& row : all.added)
      check(service::check_mesos_row(row, service::is_unicast).has_value(),
            "a process's row is within the limits");
    check(state_.counts().tasks == tasks_.size(), "tasks are counted");
    const auto rejected = state_.rejected();
    check(rejected.size() <= 3 * mesos::kMaxRejected, "rejections are bounded");
    for (const auto& row : rejected)
      check(!row.where.empty() && !row.reason.empty(), "a rejection has both parts");
  }

  mesos::MasterState state_;
  base::Time now_{};
  std::multiset<service::TaskRow> tasks_;
  std::multiset<service::MesosRow> processes_;
};

}  // namespace
}  // namespace viaduct

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  viaduct::Follower follower;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    follower.line(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  follower.finish();
  return 0;
}
