#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::ctl {

inline constexpr std::size_t kMaxMesosDnsConfigBytes = 1 << 20;

/// A configuration of Mesos-DNS in viaductd's terms.
struct ImportedConfig {
  std::string toml;                   ///< whole; without secrets but the one that mesos.zk may have
  std::vector<std::string> mistakes;  ///< what Mesos-DNS would refuse or die of; `toml` lacks those
};

/// Reads a config.json of Mesos-DNS 0.7. Its defaults are written out where ours differ. A key that
/// nothing of ours stands for becomes a comment that says why.
/// @param text  at most kMaxMesosDnsConfigBytes.
/// Source: facts on Mesos-DNS, 2.
ImportedConfig import_mesos_dns(std::string_view text);

}  // namespace viaduct::ctl
