#include "dns/table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace viaduct::dns {

Table::Table(std::shared_ptr<const AnswerSlots> slots, std::vector<ZoneInfo> zones,
             std::size_t records)
    : slots_(std::move(slots)), zones_(std::move(zones)), records_(records) {
  for (std::size_t zone = 0; zone < zones_.size(); ++zone)
    for (const auto& suffix : zones_[zone].suffixes)
      suffixes_.push_back({suffix, Name::from_wire(suffix).label_count(), zone});
  std::stable_sort(suffixes_.begin(), suffixes_.end(),
                   [](const Suffix& a, const Suffix& b) { return a.labels > b.labels; });
}

std::optional<Table::Place> Table::locate(const Question& question, FoldedName& name) const {
  const std::span<const std::uint8_t> wire = name.wire();
  for (const Suffix& suffix : suffixes_) {
    if (suffix.labels > question.label_count || suffix.wire.size() > wire.size()) continue;
    const std::size_t prefix = wire.size() - suffix.wire.size();
    const std::size_t start = suffix.labels == 0
                                  ? wire.size() - 1
                                  : question.label_starts[question.label_count - suffix.labels];
    if (start != prefix || std::memcmp(&wire[prefix], suffix.wire.data(), suffix.wire.size()) != 0)
      continue;
    const ZoneInfo& zone = zones_[suffix.zone];
    if (zone.apex != suffix.wire) name.replace_suffix(prefix, zone.apex);
    return Place{&zone, prefix};
  }
  return std::nullopt;
}

std::optional<FoldedName> Table::without_stars(const Place& place, const FoldedName& name) {
  if (!place.zone->drops_stars) return std::nullopt;
  const std::span<const std::uint8_t> wire = name.wire();
  std::array<std::uint8_t, kMaxNameOctets + FoldedName::kMaxGrowth> left;
  std::size_t size = 0, last = 0;  // `last`: the length octet of the label before
  bool dropped = false;
  for (std::size_t at = 0; at < place.prefix_octets; at += 1u + wire[at]) {
    std::size_t length = wire[at];
    const std::uint8_t* label = &wire[at + 1];
    if (at != 0 && *label == '*') {  // the dot goes with it: what is left joins the label before
      --length, ++label;
      if (left[last] + length > kMaxLabelOctets) return std::nullopt;
      left[last] = static_cast<std::uint8_t>(left[last] + length);
      dropped = true;
    } else {
      last = size;
      left[size++] = static_cast<std::uint8_t>(length);
    }
    std::memcpy(&left[size], label, length);
    size += length;
  }
  if (!dropped) return std::nullopt;
  const auto apex = wire.subspan(place.prefix_octets);
  std::memcpy(&left[size], apex.data(), apex.size());
  return FoldedName({left.data(), size + apex.size()});
}

std::vector<Record> Table::records() const {
  std::vector<Record> records;
  records.reserve(records_);
  slots_->each([&](const Name& name, std::uint8_t, std::uint32_t, const std::uint8_t* octets,
                   std::uint8_t count) { append_records(name, octets, count, records); });
  std::sort(records.begin(), records.end());
  return records;
}

}  // namespace viaduct::dns
