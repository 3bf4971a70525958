#include "tools/viaductctl/mesos_dns_values.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/quote.h"

namespace viaduct::ctl {

namespace json = boost::json;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::optional<base::Endpoint> parse_resolver(std::string_view text) {
  constexpr std::uint16_t kDnsPort = 53;
  if (const auto address = base::Address::parse(text)) return base::Endpoint{*address, kDnsPort};
  return base::Endpoint::parse(text);
}

std::string toml_text(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (octet < 0x20 || octet == 0x7f)
      out.append({'\\', 'u', '0', '0', kDigits[octet >> 4], kDigits[octet & 0xf]});
    else
      out += c;
  }
  return out + "\"";
}

std::string toml_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? ", " : "") + toml_text(text);
  return out + "]";
}

MesosDnsValues::MesosDnsValues(const json::object& config, std::vector<std::string>& mistakes)
    : mistakes_(mistakes) {
  for (const auto& member : config)
    entries_[lower({member.key().data(), member.key().size()})] = {std::string(member.key()),
                                                                   &member.value()};
}

const json::value* MesosDnsValues::take(std::string_view key) {
  const auto found = entries_.find(lower(key));
  if (found == entries_.end()) return nullptr;
  found->second.taken = true;
  return found->second.value->is_null() ? nullptr : found->second.value;
}

bool MesosDnsValues::has(std::string_view key) const { return entries_.contains(lower(key)); }

std::vector<std::string> MesosDnsValues::untaken() const {
  std::vector<std::string> out;
  for (const auto& entry : entries_)
    if (!entry.second.taken) out.push_back(entry.second.written);
  return out;
}

void MesosDnsValues::mistake(std::string_view key, std::string what) {
  mistakes_.push_back(std::string(key) + " " + std::move(what));
}

std::string MesosDnsValues::text(std::string_view key, std::string fallback) {
  const json::value* value = take(key);
  if (value == nullptr) return fallback;
  if (value->is_string()) return std::string(value->get_string());
  mistake(key, "is no string");
  return fallback;
}

bool MesosDnsValues::flag(std::string_view key, bool fallback) {
  const json::value* value = take(key);
  if (value == nullptr) return fallback;
  if (value->is_bool()) return value->get_bool();
  mistake(key, "is neither true nor false");
  return fallback;
}

std::int64_t MesosDnsValues::number(std::string_view key, std::int64_t fallback, std::int64_t first,
                                    std::int64_t last) {
  const json::value* value = take(key);
  if (value == nullptr) return fallback;
  if (!value->is_int64()) {
    mistake(key, "is no whole number");
    return fallback;
  }
  const std::int64_t number = value->get_int64();
  if (number >= first && number <= last) return number;
  mistake(key, "is " + std::to_string(number) + "; it must lie between " + std::to_string(first) +
                   " and " + std::to_string(last));
  return fallback;
}

std::vector<std::string> MesosDnsValues::texts(std::string_view key,
                                               std::vector<std::string> fallback) {
  const json::value* value = take(key);
  if (value == nullptr) return fallback;
  const json::array* list = value->if_array();
  std::vector<std::string> out;
  bool all = list != nullptr;
  if (all)
    for (const json::value& element : *list) {
      if (element.is_string())
        out.emplace_back(element.get_string());
      else
        all = false;
    }
  if (all) return out;
  mistake(key, "is no list of strings");
  return fallback;
}

}  // namespace viaduct::ctl
