#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "service/task_row.h"

namespace viaduct::dns::zones {

// How Mesos-DNS makes names of what frameworks write. Source: facts on Mesos-DNS, 3 to 5.

enum class LabelRule : std::uint8_t {
  rfc1123,  ///< up to 63 characters, may begin with a digit
  rfc952,   ///< up to 24 characters, begins with a letter
};

/// One label: letters in lower case, `.` and `_` as `-`, all else that is no letter or digit
/// dropped. A cut that leaves dashes at the end takes as many characters from behind the cut in
/// their place. May return "".
std::string mesos_label(std::string_view text, LabelRule rule = LabelRule::rfc1123);

/// A framework's labels: what stands between dots, each made a label, empty ones dropped.
std::string mesos_framework(std::string_view name, LabelRule rule = LabelRule::rfc1123);

/// Five characters that tell tasks of one name apart: the first 25 bits of SHA-1 in z-base-32.
std::string mesos_hash(std::string_view task_id);

/// What tells agents apart: the id behind its last dash, in lower case.
std::string mesos_agent_tail(std::string_view agent_id);

/// `label-hash-tail`: the name of one task alone. Where Mesos-DNS would make a label of more than
/// 63 octets, which nobody can ask for, the label's end is cut.
std::string mesos_canonical(std::string_view label, const service::TaskRow& task);

/// Where a task's addresses are taken from.
enum class IpSource : std::uint8_t { host, docker, mesos, netinfo };

/// "host", "docker", "mesos", "netinfo": by their values.
inline constexpr std::string_view kIpSourceNames[] = {"host", "docker", "mesos", "netinfo"};

/// The task's addresses by the first source that has any.
std::vector<base::Address> mesos_addresses(const service::TaskRow& task,
                                           std::span<const IpSource> sources);

}  // namespace viaduct::dns::zones
