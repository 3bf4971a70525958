#pragma once

#include <string_view>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"

namespace viaduct::mesos {

/// Where a master listens, as its MasterInfo says it in JSON.
/// `address` counts first, then `ip` and `port`, then `pid`.
/// @errors Errc::bad_json, Errc::unexpected_shape.
base::Result<base::Endpoint> parse_master_info_json(std::string_view text);

/// The same of the encoded message, which masters before 0.28 write.
/// @errors Errc::bad_protobuf, Errc::unexpected_shape.
/// Source: mesos.proto, MasterInfo and Address; protobuf's wire format.
base::Result<base::Endpoint> parse_master_info_protobuf(base::ByteView bytes);

}  // namespace viaduct::mesos
