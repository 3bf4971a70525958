#include "gossip/own_names.h"

#include <algorithm>

#include "gossip/row_codec.h"

namespace viaduct::gossip {

void OwnNames::use(const std::string& name, bool begin) {
  Own& own = names_[name];
  own.vips += begin ? 1U : std::size_t{0} - 1U;
  touched_.insert(name);
}

void OwnNames::on_node(const service::NodeChange& change) {
  for (const service::NamedTick& named : change.names_added) {
    others_.add(named.name, named.tick);
    const auto own = names_.find(named.name);
    if (own == names_.end() || own->second.tick <= named.tick) continue;
    own->second.tick = named.tick;
    touched_.insert(named.name);
  }
  for (const service::NamedTick& named : change.names_removed)
    others_.remove(named.name, named.tick);
}

service::Tick OwnNames::tick_for(const std::string& name) const {
  const service::Tick seen = others_.of(name);
  if (seen != service::kNoTick) return seen;
  return std::min(std::max(others_.largest(), largest_) + 1, kMaxTick);
}

void OwnNames::take(base::Time now, std::vector<RowChange>& changes) {
  for (const std::string& name : std::exchange(touched_, {})) {
    Own& own = names_.at(name);
    if (own.tick == service::kNoTick) own.tick = tick_for(name);
    largest_ = std::max(largest_, own.tick);
    if (own.vips > 0) {
      own.idle.reset();
    } else if (!own.idle) {
      own.idle = now;
      idle_.emplace(now + kRetention, name);
    }
    if (own.published == own.tick) continue;
    const WireRow row = encode_row(NameRow{name, own.tick});
    if (!own.published) {
      if (rows_ >= kMaxNameRows || octets_ + name.size() + 10 > kMaxNameOctetsPerOwner) continue;
      rows_++;
      octets_ += name.size() + 10;
    }
    own.published = own.tick;
    changes.emplace_back(std::string(row.key()), std::string(row.value()));
  }
  forget_idle(now, changes);
}

void OwnNames::forget_idle(base::Time now, std::vector<RowChange>& changes) {
  while (!idle_.empty() && idle_.begin()->first <= now) {
    const std::string name = idle_.begin()->second;
    idle_.erase(idle_.begin());
    const auto known = names_.find(name);
    if (known == names_.end() || !known->second.idle || now - *known->second.idle < kRetention)
      continue;
    if (known->second.published) {
      rows_--;
      octets_ -= name.size() + 10;
      changes.emplace_back(std::string(encode_row(NameRow{name, 0}).key()));
    }
    names_.erase(known);
  }
}

}  // namespace viaduct::gossip
