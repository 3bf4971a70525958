#include "dns/zones/mesos_names.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "dns/name.h"

namespace viaduct::dns::zones {
namespace {

constexpr std::size_t kMaxRfc952 = 24;
constexpr std::size_t kHashCharacters = 5;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Without the characters that no label has.
std::string label_characters(std::string_view text) {
  std::string out;
  for (char c : text) {
    c = lower(c);
    if (c == '-' || c == '.' || c == '_')
      out += '-';
    else if ((c >= 'a' && c <= 'z') || is_digit(c))
      out += c;
  }
  return out;
}

std::string_view without_leading(std::string_view text, bool digits_too) {
  const auto first = std::find_if(text.begin(), text.end(),
                                  [&](char c) { return c != '-' && !(digits_too && is_digit(c)); });
  return text.substr(static_cast<std::size_t>(first - text.begin()));
}

std::string_view without_trailing_dashes(std::string_view text) {
  while (text.ends_with('-')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string mesos_label(std::string_view text, LabelRule rule) {
  const bool strict = rule == LabelRule::rfc952;
  const std::string characters = label_characters(text);
  const std::string_view all = without_leading(characters, strict);
  const std::size_t size = std::min(all.size(), strict ? kMaxRfc952 : kMaxLabelOctets);
  const std::string_view head = without_trailing_dashes(all.substr(0, size));
  const std::string_view rest = without_leading(all.substr(size), false);
  return std::string(head) + std::string(rest.substr(0, size - head.size()));
}

std::string mesos_framework(std::string_view name, LabelRule rule) {
  std::string labels;
  while (true) {
    const std::size_t dot = name.find('.');
    if (const std::string label = mesos_label(name.substr(0, dot), rule); !label.empty())
      labels += (labels.empty() ? "" : ".") + label;
    if (dot == std::string_view::npos) return labels;
    name.remove_prefix(dot + 1);
  }
}

std::string mesos_hash(std::string_view task_id) {
  static constexpr char kAlphabet[] = "ybndrfg8ejkmcpqxot1uwisza345h769";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(task_id.data()), task_id.size(), digest.data());
  const std::uint32_t bits = static_cast<std::uint32_t>(digest[0]) << 24 |
                             static_cast<std::uint32_t>(digest[1]) << 16 |
                             static_cast<std::uint32_t>(digest[2]) << 8 | digest[3];
  std::string text;
  for (std::size_t i = 0; i < kHashCharacters; i++) text += kAlphabet[bits >> (27 - 5 * i) & 31];
  return text;
}

std::string mesos_agent_tail(std::string_view agent_id) {
  const std::size_t dash = agent_id.rfind('-');
  std::string tail(dash == std::string_view::npos ? agent_id : agent_id.substr(dash + 1));
  std::transform(tail.begin(), tail.end(), tail.begin(), lower);
  return tail;
}

std::string mesos_canonical(std::string_view label, const service::TaskRow& task) {
  std::string suffix = "-" + mesos_hash(task.id) + "-" + mesos_agent_tail(task.agent_id);
  suffix.resize(std::min(suffix.size(), kMaxLabelOctets - 1));
  const std::size_t last = label.rfind('.');  // a name that is not mangled may have several labels
  const std::size_t begin = last == std::string_view::npos ? 0 : last + 1;
  const std::size_t room = begin + kMaxLabelOctets - suffix.size();
  if (label.size() > room) label = without_trailing_dashes(label.substr(0, room));
  return std::string(label) + suffix;
}

std::vector<base::Address> mesos_addresses(const service::TaskRow& task,
                                           std::span<const IpSource> sources) {
  for (const IpSource source : sources) {
    if (source == IpSource::host) {
      if (!task.agent.empty()) return task.agent;
      continue;
    }
    const auto wanted = source == IpSource::docker  ? service::AddressSource::docker
                        : source == IpSource::mesos ? service::AddressSource::mesos
                                                    : service::AddressSource::netinfo;
    std::vector<base::Address> found;
    for (const service::TaskAddress& own : task.addresses)
      if (own.source == wanted) found.push_back(own.address);
    if (!found.empty()) return found;
  }
  return {};
}

}  // namespace viaduct::dns::zones
