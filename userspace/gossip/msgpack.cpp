#include "gossip/msgpack.h"

#include <algorithm>
#include <array>

namespace viaduct::gossip {
namespace {

using Kind = MsgpackHead::Kind;

/// How the types 0xc0 to 0xdf go on. Source: msgpack's spec.md, "Formats".
struct Form {
  Kind kind;
  std::uint8_t number;  ///< octets of the number behind the type
  std::uint8_t length;  ///< octets that always belong to it
};
constexpr std::array<Form, 32> kForms{{
    {Kind::nil, 0, 0},        {Kind::nil, 0, 0},       {Kind::boolean, 0, 0},
    {Kind::boolean, 0, 0},    {Kind::raw, 1, 0},       {Kind::raw, 2, 0},
    {Kind::raw, 4, 0},        {Kind::extension, 1, 1}, {Kind::extension, 2, 1},
    {Kind::extension, 4, 1},  {Kind::real, 0, 4},      {Kind::real, 0, 8},
    {Kind::natural, 1, 0},    {Kind::natural, 2, 0},   {Kind::natural, 4, 0},
    {Kind::natural, 8, 0},    {Kind::natural, 1, 0},   {Kind::natural, 2, 0},
    {Kind::natural, 4, 0},    {Kind::natural, 8, 0},   {Kind::extension, 0, 2},
    {Kind::extension, 0, 3},  {Kind::extension, 0, 5}, {Kind::extension, 0, 9},
    {Kind::extension, 0, 17}, {Kind::raw, 1, 0},       {Kind::raw, 2, 0},
    {Kind::raw, 4, 0},        {Kind::array, 2, 0},     {Kind::array, 4, 0},
    {Kind::map, 2, 0},        {Kind::map, 4, 0},
}};
constexpr std::uint8_t kNeverUsed = 0xc1;
constexpr std::uint8_t kFirstSigned = 0xd0, kLastSigned = 0xd3;

/// Types that hold their number in themselves.
std::optional<MsgpackHead> short_head(std::uint8_t type) {
  if (type < 0x80) return MsgpackHead{Kind::natural, 1, type, 0};
  if (type < 0x90) return MsgpackHead{Kind::map, 1, 2U * (type & 0x0fU), 0};
  if (type < 0xa0) return MsgpackHead{Kind::array, 1, type & 0x0fU, 0};
  if (type < 0xc0) return MsgpackHead{Kind::raw, 1, 0, type & 0x1fU};
  if (type >= 0xe0) return MsgpackHead{Kind::negative, 1, 0, 0};
  return std::nullopt;
}

}  // namespace

Decoded<MsgpackHead> msgpack_head(base::ByteView bytes) {
  base::Reader in(bytes);
  const std::uint8_t type = in.u8();
  if (in.failed()) return Errc::truncated;
  if (const auto head = short_head(type)) return *head;
  if (type == kNeverUsed) return Errc::malformed;

  const Form& form = kForms[type - 0xc0U];
  std::uint64_t number = 0;
  for (int i = 0; i < form.number; ++i) number = number << 8 | in.u8();
  if (in.failed()) return Errc::truncated;

  MsgpackHead head{form.kind, static_cast<std::uint8_t>(1 + form.number), 0, form.length};
  switch (form.kind) {
    case Kind::boolean:
      head.value = type & 1U;
      break;
    case Kind::natural:
      head.value = number;
      if (type >= kFirstSigned && type <= kLastSigned && number >> (8 * form.number - 1) != 0)
        head.kind = Kind::negative;
      break;
    case Kind::raw:
    case Kind::extension:
      head.length += number;
      break;
    case Kind::array:
      head.value = number;
      break;
    case Kind::map:
      head.value = 2 * number;
      break;
    case Kind::nil:
    case Kind::negative:
    case Kind::real:
      break;
  }
  return head;
}

MsgpackHead MsgpackReader::head() {
  if (failed()) return {};
  const Decoded<MsgpackHead> head = msgpack_head(rest_);
  if (head.has_error()) {
    fail(head.error());
    return {};
  }
  rest_ = rest_.subspan(head->octets);
  return *head;
}

base::ByteView MsgpackReader::take(std::size_t length) {
  if (length > rest_.size()) fail(Errc::truncated);
  if (failed()) return {};
  const base::ByteView taken = rest_.first(length);
  rest_ = rest_.subspan(length);
  return taken;
}

std::uint64_t MsgpackReader::natural(std::uint64_t max) {
  const MsgpackHead value = head();
  if (value.kind == Kind::nil) return 0;
  if (value.kind != Kind::natural || value.value > max) {
    fail(Errc::malformed);
    return 0;
  }
  return value.value;
}

bool MsgpackReader::boolean() {
  const MsgpackHead value = head();
  if (value.kind != Kind::nil && value.kind != Kind::boolean) fail(Errc::malformed);
  return !failed() && value.value != 0;
}

base::ByteView MsgpackReader::raw(std::size_t max) {
  const MsgpackHead value = head();
  if (value.kind == Kind::nil) return {};
  if (value.kind != Kind::raw) fail(Errc::malformed);
  if (value.length > rest_.size()) fail(Errc::truncated);
  if (value.length > max) fail(Errc::too_large);
  return take(failed() ? 0 : static_cast<std::size_t>(value.length));
}

void MsgpackReader::skip() {
  MsgpackScanner scanner;
  const Decoded<std::size_t> passed = scanner.advance(rest_);
  if (passed.has_error()) return fail(passed.error());
  if (!scanner.whole()) return fail(Errc::truncated);
  take(*passed);
}

Decoded<std::size_t> MsgpackScanner::advance(base::ByteView bytes) {
  std::size_t at = 0;
  while (!whole()) {
    const std::size_t passed =
        static_cast<std::size_t>(std::min<std::uint64_t>(octets_, bytes.size() - at));
    at += passed;
    octets_ -= passed;
    if (octets_ > 0 || values_ == 0) break;
    const Decoded<MsgpackHead> head = msgpack_head(bytes.subspan(at));
    if (head.has_error()) {
      if (head.error() == Errc::truncated) break;
      return head.error();
    }
    at += head->octets;
    octets_ = head->length;
    --values_;
    const bool holds_values = head->kind == Kind::array || head->kind == Kind::map;
    if (holds_values) values_ += head->value;
  }
  return at;
}

}  // namespace viaduct::gossip
