#pragma once

#include <string>
#include <vector>

#include "base/address.h"

namespace viaduct::test {

/// Whether Debian's serf is installed.
bool has_serf();

/// A Serf agent on a loopback address of its own; ends with its owner, or this process.
class Serf {
 public:
  explicit Serf(const std::string& node, std::vector<std::string> options = {});
  ~Serf();
  Serf(const Serf&) = delete;
  Serf& operator=(const Serf&) = delete;

  base::Endpoint endpoint() const { return {address_, 7946}; }
  /// What a serf command prints.
  std::string run(const std::string& command) const;
  /// All that the agent logged so far.
  std::string log() const;

 private:
  base::Address address_;
  std::string log_path_;
  int pid_ = -1;
};

}  // namespace viaduct::test
