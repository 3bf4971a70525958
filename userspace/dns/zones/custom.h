#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/zones/zone.h"

namespace viaduct::dns::zones {

/// Reads "registry.component.thisdcos.directory=master.dcos.thisdcos.directory".
/// The name lies two labels or more below `thisdcos.directory`, and not in a zone that is served
/// anyway.
/// @errors base::Errc::bad_format, too_large: the rest of a sentence about the text.
base::Result<Cname> parse_cname(std::string_view text);

/// A zone `<label>.thisdcos.directory`, also found under `<label>.thisdcos.global`, for each second
/// label of the configured names. Each name has its CNAME and, where it leads into a zone of ours,
/// the addresses there, so that clients need no second question. A zone whose names lead into one
/// that is not ready is not either.
/// @param table  the zones that names may lead into.
std::vector<Zone> custom(const service::Snapshot& snapshot, const ZoneOptions& options,
                         const Table& table);

}  // namespace viaduct::dns::zones
