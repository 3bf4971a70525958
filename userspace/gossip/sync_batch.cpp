#include "gossip/sync_batch.h"

#include "gossip/delta.h"

namespace viaduct::gossip {

base::Bytes pack_batch(const std::vector<base::Bytes>& messages) {
  base::Writer writer;
  writer.u8(kVipMagic);
  writer.u8(kVipFormat);
  writer.u8(static_cast<std::uint8_t>(VipKind::batch));
  for (const base::Bytes& message : messages) writer.counted(message);
  return std::move(writer).take();
}

Decoded<std::vector<base::ByteView>> unpack_batch(base::ByteView batch) {
  const auto kind = vip_kind(batch);
  if (!kind) return kind.error();
  if (*kind != VipKind::batch) return Errc::unknown_type;
  if (batch.size() > kMaxBatchOctets) return Errc::too_large;
  base::Reader reader(batch.subspan(3));
  std::vector<base::ByteView> messages;
  while (!reader.failed() && reader.remaining() > 0) {
    if (messages.size() == kMaxBatchMessages) return Errc::too_large;
    messages.push_back(reader.counted(kMaxBatchOctets));
  }
  if (reader.failed()) return Errc::truncated;
  return messages;
}

}  // namespace viaduct::gossip
