#include "tests/sim/figures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "gossip/keyring.h"
#include "gossip/packet.h"
#include "gossip/row_codec.h"

namespace viaduct::sim {

void Arrivals::expect(Knows knows) {
  awaited_.push_back({std::move(knows), simulator_.now(), simulator_.running()});
}

void Arrivals::look() {
  for (auto awaited = awaited_.begin(); awaited != awaited_.end();) {
    std::erase_if(awaited->ignorant, [&](Simulator::NodeId node) {
      return !simulator_.up(node) || awaited->knows(node);
    });
    if (!awaited->ignorant.empty()) {
      ++awaited;
      continue;
    }
    took_.push_back(simulator_.now() - awaited->since);
    awaited = awaited_.erase(awaited);
  }
}

void Arrivals::run_for(base::Duration duration) {
  constexpr base::Duration kStep = std::chrono::milliseconds(10);
  for (const base::Time end = simulator_.now() + duration; simulator_.now() < end; look())
    simulator_.run_for(std::min(kStep, end - simulator_.now()));
}

bool Arrivals::finish(base::Duration limit) {
  constexpr base::Duration kStep = std::chrono::milliseconds(10);
  for (const base::Time end = simulator_.now() + limit; !awaited_.empty(); run_for(kStep))
    if (simulator_.now() >= end) return false;
  return true;
}

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

base::Duration Figure::share(double share) const {
  if (times_.empty()) return base::Duration::max();
  std::vector<base::Duration> sorted = times_;
  std::sort(sorted.begin(), sorted.end());
  const auto place =
      static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(place, 1) - 1];
}

void Figure::print(const char* bound) const {
  std::printf("  %s: median %.2f s, 99 %% within %.2f s, worst %.2f s of %zu; bound: %s\n",
              what_.c_str(), seconds(share(0.5)), seconds(share(0.99)), seconds(worst()),
              times_.size(), bound);
  std::fflush(stdout);
}

gossip::TableVersion publish_row(Simulator& simulator, Simulator::NodeId node) {
  constexpr std::uint16_t kPort = 80;
  constexpr std::uint16_t kTasks = 10;
  service::BackendRow row;
  row.vip = base::Address::v4(0x0b000000 + static_cast<std::uint32_t>(simulator.rng().below(1000)));
  row.vip_port = kPort;
  row.backend = {simulator.info(node)->endpoint.address,
                 static_cast<std::uint16_t>(31'000 + simulator.rng().below(kTasks))};
  row.task = "web." + std::to_string(simulator.rng().next() >> 40);
  const gossip::WireRow wire = gossip::encode_row(row).value();
  std::vector<gossip::RowChange> changes;
  changes.emplace_back(std::string(wire.key()), std::string(wire.value()));
  const auto version = simulator.engine(node).publish(std::move(changes), simulator.now()).value();
  gossip::Actions none;
  simulator.perform(node, none);
  return version;
}

bool knows(const Simulator& simulator, Simulator::NodeId node, Simulator::NodeId owner,
           const gossip::TableVersion& version) {
  const auto* record = simulator.engine(node).table().store().find(simulator.name(owner));
  return record != nullptr && record->version >= version;
}

bool masks(const Simulator& simulator, Simulator::NodeId node, Simulator::NodeId dead) {
  return simulator.view(node, dead) != gossip::NodeState::alive;
}

std::uint64_t wire_bytes(const Traffic& traffic) {
  constexpr std::uint64_t kIpAndUdp = 28;
  return traffic.packet_bytes +
         traffic.packets * (kIpAndUdp + gossip::kSealOctets + gossip::kCompoundOctets);
}

}  // namespace viaduct::sim
