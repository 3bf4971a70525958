#include "service/policy.h"

#include <array>
#include <charconv>
#include <utility>

#include "base/errors.h"
#include "base/quote.h"

namespace viaduct::service {
namespace {

template <class Value>
using Word = std::pair<Value, std::string_view>;

constexpr std::array<Word<PickRule>, 7> kPickRules = {{
    {PickRule::automatic, "automatic"},
    {PickRule::least_loaded, "least-loaded"},
    {PickRule::peak_ewma, "peak-ewma"},
    {PickRule::random, "random"},
    {PickRule::round_robin, "round-robin"},
    {PickRule::maglev, "maglev"},
    {PickRule::source_hash, "source-hash"},
}};

constexpr std::array<Word<AffinityBy>, 3> kAffinities = {{
    {AffinityBy::none, "none"},
    {AffinityBy::client, "client"},
    {AffinityBy::netns, "namespace"},
}};

constexpr std::string_view kNoDrain = "none";

template <class Words, class Value>
std::string_view word_of(const Words& words, Value wanted) {
  for (const auto& [value, word] : words)
    if (value == wanted) return word;
  return words.front().second;
}

template <class Words>
auto value_of(const Words& words, std::string_view wanted)
    -> std::optional<typename Words::value_type::first_type> {
  for (const auto& [value, word] : words)
    if (word == wanted) return value;
  return std::nullopt;
}

base::Error refused(std::string_view text, const std::string& expected) {
  return {base::Errc::bad_format, base::in_quotes(text) + " is not " + expected};
}

base::Result<void> set_pick(Policy& policy, std::string_view text) {
  if (const auto rule = parse_pick_rule(text)) {
    policy.pick = *rule;
    return {};
  }
  std::string words;
  for (const auto& [value, word] : kPickRules)
    words += (words.empty() ? "" : ", ") + std::string(word);
  return refused(text, "one of " + words);
}

base::Result<void> set_affinity(Policy& policy, std::string_view text) {
  if (const auto affinity = parse_affinity(text)) {
    policy.affinity = *affinity;
    return {};
  }
  return refused(text, "none, client or namespace, with a limit of 1 to " +
                           std::to_string(kMaxAffinity.count()) + " seconds behind a colon if any");
}

std::string drain_text(const Policy& policy) {
  return policy.drain ? std::to_string(policy.drain->count()) : std::string(kNoDrain);
}

base::Result<void> set_drain(Policy& policy, std::string_view text) {
  if (const auto drain = parse_drain(text)) {
    policy.drain = *drain;
    return {};
  }
  return refused(text,
                 "none or a number of seconds from 0 to " + std::to_string(kMaxDrain.count()));
}

constexpr std::array<PolicyField, 3> kFields = {{
    {"VIADUCT_LB", "lb", set_pick,
     [](const Policy& policy) { return std::string(to_string(policy.pick)); }},
    {"VIADUCT_AFFINITY", "affinity", set_affinity,
     [](const Policy& policy) { return policy.affinity.to_string(); }},
    {"VIADUCT_DRAIN", "drain", set_drain, drain_text},
}};

}  // namespace

std::string_view to_string(PickRule rule) { return word_of(kPickRules, rule); }

std::optional<PickRule> parse_pick_rule(std::string_view text) {
  return value_of(kPickRules, text);
}

std::string Affinity::to_string() const {
  const std::string word(word_of(kAffinities, by));
  return by == AffinityBy::none ? word : word + ":" + std::to_string(limit.count());
}

std::optional<Affinity> parse_affinity(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto by = value_of(kAffinities, text.substr(0, colon));
  if (!by) return std::nullopt;
  if (colon == std::string_view::npos)
    return Affinity{*by, *by == AffinityBy::none ? std::chrono::seconds(0) : kDefaultAffinity};
  const std::string_view digits = text.substr(colon + 1);
  std::uint32_t seconds = 0;
  const auto [end, failed] = std::from_chars(digits.begin(), digits.end(), seconds);
  if (failed != std::errc() || end != digits.end() || *by == AffinityBy::none || seconds == 0 ||
      seconds > kMaxAffinity.count())
    return std::nullopt;
  return Affinity{*by, std::chrono::seconds(seconds)};
}

std::optional<std::optional<std::chrono::seconds>> parse_drain(std::string_view text) {
  using Drain = std::optional<std::chrono::seconds>;
  if (text == kNoDrain) return std::optional<Drain>(Drain());
  std::uint32_t seconds = 0;
  const auto [end, failed] = std::from_chars(text.begin(), text.end(), seconds);
  if (failed != std::errc() || end != text.end() || seconds > kMaxDrain.count())
    return std::nullopt;
  return Drain(std::chrono::seconds(seconds));
}

std::span<const PolicyField> policy_fields() { return kFields; }

std::vector<std::string> settle(Policy& first, const Policy& other) {
  std::vector<std::string> conflicts;
  const Policy open;
  for (const PolicyField& field : kFields) {
    const std::string wanted = field.text(other);
    const std::string settled = field.text(first);
    if (wanted == settled || wanted == field.text(open)) continue;
    if (settled == field.text(open))
      (void)field.set(first, wanted);
    else
      conflicts.push_back(std::string(field.key) + " " + wanted + " conflicts with " + settled +
                          ", which stays");
  }
  return conflicts;
}

}  // namespace viaduct::service
