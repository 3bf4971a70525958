#include "dns/forward/routes.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/errors.h"

namespace viaduct::dns::forward {

std::optional<base::Endpoint> parse_upstream(std::string_view text) {
  if (const auto address = base::Address::parse(text)) return base::Endpoint{*address, kDnsPort};
  return base::Endpoint::parse(text);
}

base::Result<ForwardZone> parse_forward_zone(std::string_view text) {
  const std::string whole(text);
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return base::Error{base::Errc::bad_format, whole};
  const auto apex = Name::parse(text.substr(0, equals));
  if (!apex) return apex.error();
  ForwardZone zone{apex->folded(), {}};
  text.remove_prefix(equals + 1);
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto upstream = parse_upstream(text.substr(0, comma));
    if (!upstream) return base::Error{base::Errc::bad_format, whole};
    zone.upstreams.push_back(*upstream);
    if (zone.upstreams.size() > kMaxUpstreamsPerRoute)
      return base::Error{base::Errc::too_large, whole};
    if (comma == text.size()) return zone;
    text.remove_prefix(comma + 1);
  }
}

Routes::Routes(const std::vector<base::Endpoint>& defaults, const std::vector<ForwardZone>& zones) {
  for (const ForwardZone& zone : zones) add(zone.apex, zone.upstreams);
  if (!defaults.empty()) add(Name(), defaults);
}

std::size_t Routes::index_of(const base::Endpoint& upstream) {
  const auto known = std::find(upstreams_.begin(), upstreams_.end(), upstream);
  if (known == upstreams_.end()) upstreams_.push_back(upstream);
  return static_cast<std::size_t>(std::find(upstreams_.begin(), upstreams_.end(), upstream) -
                                  upstreams_.begin());
}

void Routes::add(const Name& apex, const std::vector<base::Endpoint>& upstreams) {
  const Name folded = apex.folded();
  const auto [at, fresh] =
      by_suffix_.try_emplace(std::string(base::as_text(folded.wire())), routes_.size());
  if (fresh) routes_.push_back({folded.to_text(), {}});
  std::vector<std::size_t>& indexes = routes_[at->second].upstreams;
  for (const base::Endpoint& upstream : upstreams) {
    const std::size_t index = index_of(upstream);
    if (std::find(indexes.begin(), indexes.end(), index) == indexes.end()) indexes.push_back(index);
  }
  most_labels_ = std::max(most_labels_, folded.label_count());
}

std::optional<std::size_t> Routes::find(const Question& question) const {
  const FoldedName name(question.name);
  const std::size_t labels = question.label_count;
  for (std::size_t skip = labels - std::min(labels, most_labels_); skip <= labels; ++skip) {
    const std::size_t at = skip == labels ? name.wire().size() - 1 : question.label_starts[skip];
    const auto found = by_suffix_.find(std::string(base::as_text(name.wire().subspan(at))));
    if (found != by_suffix_.end()) return found->second;
  }
  return std::nullopt;
}

}  // namespace viaduct::dns::forward
