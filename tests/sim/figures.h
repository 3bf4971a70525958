#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "tests/sim/simulator.h"

namespace viaduct::sim {

/// How long things take until the last node knows of them.
class Arrivals {
 public:
  using Knows = std::function<bool(Simulator::NodeId)>;

  explicit Arrivals(Simulator& simulator) : simulator_(simulator) {}

  /// Something has just happened. Nodes that run now and later on shall come to know it.
  void expect(Knows knows);
  /// Runs the simulation and looks every 10 ms.
  void run_for(base::Duration duration);
  /// Runs on until all is known.
  /// @return false: it is not before `limit` went by.
  bool finish(base::Duration limit);

  /// Of what is known everywhere.
  const std::vector<base::Duration>& took() const { return took_; }

 private:
  struct Awaited {
    Knows knows;
    base::Time since;
    std::vector<Simulator::NodeId> ignorant;
  };

  void look();

  Simulator& simulator_;
  std::list<Awaited> awaited_;
  std::vector<base::Duration> took_;
};

double seconds(base::Duration duration);

/// Times of one kind over several runs, printed beside their bound.
class Figure {
 public:
  explicit Figure(std::string what) : what_(std::move(what)) {}
  void add(const std::vector<base::Duration>& times) {
    times_.insert(times_.end(), times.begin(), times.end());
  }
  void add(base::Duration time) { times_.push_back(time); }
  /// The time that this share of all stays within.
  base::Duration share(double share) const;
  base::Duration worst() const { return share(1); }
  void print(const char* bound) const;

 private:
  std::string what_;
  std::vector<base::Duration> times_;
};

/// A new row of the node; the version that says so.
gossip::TableVersion publish_row(Simulator& simulator, Simulator::NodeId node);
/// Whether a node has an owner's rows in at least this version.
bool knows(const Simulator& simulator, Simulator::NodeId node, Simulator::NodeId owner,
           const gossip::TableVersion& version);
/// Whether a node gives a dead one no new connections.
bool masks(const Simulator& simulator, Simulator::NodeId node, Simulator::NodeId dead);

/// Bytes on the wire: with IP and UDP headers, the seal, and a compound's own octets.
std::uint64_t wire_bytes(const Traffic& traffic);

}  // namespace viaduct::sim
