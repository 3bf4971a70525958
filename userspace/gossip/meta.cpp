#include "gossip/meta.h"

#include <cassert>

namespace viaduct::gossip {
namespace {

// msgpack's formats of what Serf writes and readers may meet.
constexpr std::uint8_t kTagsMagic = 0xff;
constexpr std::uint8_t kFixMap = 0x80;  // to 0x8f
constexpr std::uint8_t kFixStr = 0xa0;  // to 0xbf
constexpr std::uint8_t kStr8 = 0xd9;
constexpr std::uint8_t kStr16 = 0xda;
constexpr std::uint8_t kMap16 = 0xde;

void put_text(base::Writer& writer, const std::string& text) {
  if (text.size() < 32) {
    writer.u8(static_cast<std::uint8_t>(kFixStr | text.size()));
  } else {
    writer.u8(kStr16);
    writer.u16(static_cast<std::uint16_t>(text.size()));
  }
  writer.put(base::as_bytes(text));
}

std::string take_text(base::Reader& reader) {
  const std::uint8_t format = reader.u8();
  std::size_t length = 0;
  if ((format & 0xe0) == kFixStr)
    length = format & 0x1f;
  else if (format == kStr8)
    length = reader.u8();
  else if (format == kStr16)
    length = reader.u16();
  else
    reader.fail();
  return std::string(base::as_text(reader.take(length)));
}

}  // namespace

base::Bytes encode_tags(const Tags& tags) {
  assert(tags.size() < 16);
  base::Writer writer;
  writer.u8(kTagsMagic);
  writer.u8(static_cast<std::uint8_t>(kFixMap | tags.size()));
  for (const auto& [key, value] : tags) {
    put_text(writer, key);
    put_text(writer, value);
  }
  return std::move(writer).take();
}

std::optional<Tags> decode_tags(base::ByteView meta) {
  base::Reader reader(meta);
  if (reader.u8() != kTagsMagic) return {};
  const std::uint8_t format = reader.u8();
  std::size_t count = 0;
  if ((format & 0xf0) == kFixMap)
    count = format & 0x0f;
  else if (format == kMap16)
    count = reader.u16();
  else
    return {};
  Tags tags;
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    std::string key = take_text(reader);
    tags[std::move(key)] = take_text(reader);
  }
  if (reader.failed()) return {};
  return tags;
}

bool is_viaduct(base::ByteView meta) {
  const auto tags = decode_tags(meta);
  return tags && tags->contains(kViaductTag);
}

}  // namespace viaduct::gossip
