#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "gossip/row_codec.h"
#include "gossip/vip_message.h"
#include "service/mesos_row.h"

namespace viaduct::gossip {

/// The first octet of the key of a process of Mesos.
inline constexpr std::uint8_t kKindProcess = 5;

/// The key of a process' row: its role and its id.
std::string row_key(const service::MesosRow& row);

/// @errors Errc::malformed: no other node can use the row; the context says why.
base::Result<WireRow> encode_row(const service::MesosRow& row);

/// Fields of unknown tags are skipped.
/// @param row  one whose key begins with kKindProcess.
/// @return UnknownRow for a role that a later version brings.
/// @errors Errc::malformed: the context names the process and says what is wrong with it.
base::Result<DecodedRow> decode_process(const WireRow& row, const RowRules& rules);

}  // namespace viaduct::gossip
