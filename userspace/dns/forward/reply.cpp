#include "dns/forward/reply.h"

#include <algorithm>
#include <optional>

#include "dns/forward/query.h"
#include "dns/name.h"

namespace viaduct::dns::forward {
namespace {

constexpr std::size_t kRecordFixedOctets = 10;  // type, class, TTL, length of the data

using TtlOffsets = std::vector<std::uint16_t>;  // ascending

/// Whether octets overlap a TTL: those change while an answer is kept, so no name may lie there.
bool touches_ttl(const TtlOffsets& ttls, std::size_t begin, std::size_t end) {
  const auto next = std::upper_bound(ttls.begin(), ttls.end(), begin, [](std::size_t at, auto ttl) {
    return at < ttl + 4u;  // the first that ends behind `begin`
  });
  return next != ttls.end() && *next < end;
}

/// The end of a name that starts at `at`, if it is valid, following its pointers.
/// Every pointer leads before the labels read so far, and what it leads to ends before them, so the
/// walk ends.
/// @param ttls  of the records so far.
std::optional<std::size_t> name_end(base::ByteView message, std::size_t at,
                                    const TtlOffsets& ttls) {
  std::optional<std::size_t> end;
  std::size_t octets = 0, lowest = at, bound = message.size();
  for (int pointers = 0; at < message.size();) {
    const std::uint8_t length = message[at];
    const bool pointer = (length & 0xc0) == 0xc0;
    if (!pointer && length > kMaxLabelOctets) return std::nullopt;
    const std::size_t next = at + (pointer ? 2u : 1u + length);
    if (next > bound || (end && touches_ttl(ttls, at, next))) return std::nullopt;
    if (length == 0) return end ? end : next;
    if (pointer) {
      if (++pointers > kMaxPointers) return std::nullopt;
      if (!end) end = next;
      const std::size_t target = read16(&message[at]) & 0x3fff;
      if (target < kHeaderOctets || target >= lowest) return std::nullopt;
      bound = lowest;
      at = lowest = target;
      continue;
    }
    octets += 1u + length;
    if (octets >= kMaxNameOctets) return std::nullopt;
    at = next;
  }
  return std::nullopt;
}

/// What the data of a type is made of, as far as clients must be able to rely on it.
struct Shape {
  std::uint16_t type;
  std::size_t before;  ///< octets before the names
  int names;
  std::size_t after;
};
// Types whose names may be compressed (RFC 3597, 4) and those that come with a fixed length.
constexpr Shape kShapes[] = {
    {1, 4, 0, 0},   {2, 0, 1, 0},  {5, 0, 1, 0},  {6, 0, 2, 20}, {12, 0, 1, 0},
    {14, 0, 2, 0},  {15, 2, 1, 0}, {17, 0, 2, 0}, {18, 2, 1, 0}, {21, 2, 1, 0},
    {28, 16, 0, 0}, {33, 6, 1, 0}, {36, 2, 1, 0}, {39, 0, 1, 0},
};

struct Record {
  std::uint16_t type = 0, klass = 0;
  std::uint32_t ttl = 0;
  std::size_t begin = 0, fixed = 0, data = 0, end = 0;
};

/// Types whose class says something else; all others have the class that was asked for.
bool is_meta(std::uint16_t type) {
  constexpr std::uint16_t kSig = 24, kTkey = 249;
  return type == static_cast<std::uint16_t>(Type::opt) ||
         type == static_cast<std::uint16_t>(Type::tsig) || type == kTkey || type == kSig;
}

bool data_is_sound(base::ByteView message, const Record& record, const TtlOffsets& ttls) {
  if (record.klass != kClassIn) return is_meta(record.type);
  for (const Shape& shape : kShapes) {
    if (shape.type != record.type) continue;
    std::size_t at = record.data + shape.before;
    for (int i = 0; i < shape.names; ++i) {
      if (at >= record.end) return false;
      const auto end = name_end(message.first(record.end), at, ttls);
      if (!end) return false;
      at = *end;
    }
    return at + shape.after == record.end;
  }
  return true;
}

/// @param ttls  gets the record's.
std::optional<Record> read_record(base::ByteView message, std::size_t at, TtlOffsets& ttls) {
  const auto owner_end = name_end(message, at, ttls);
  if (!owner_end || message.size() - *owner_end < kRecordFixedOctets) return std::nullopt;
  Record record;
  record.begin = at;
  record.fixed = *owner_end;
  record.type = read16(&message[record.fixed]);
  record.klass = read16(&message[record.fixed + 2]);
  record.ttl = read32(&message[record.fixed + 4]);
  record.data = record.fixed + kRecordFixedOctets;
  record.end = record.data + read16(&message[record.fixed + 8]);
  ttls.push_back(static_cast<std::uint16_t>(record.fixed + 4));
  if (record.end > message.size() || !data_is_sound(message, record, ttls)) return std::nullopt;
  return record;
}

/// Collects what a reply's records say about it.
class Records {
 public:
  Records(base::ByteView message, Reply& reply, std::uint16_t asked_type)
      : message_(message), reply_(reply), asked_type_(asked_type) {}

  /// @return false: breaks the format.
  bool read(std::size_t at) {
    reply_.octets = at;
    const std::uint32_t answers = read16(&message_[6]);
    const std::uint32_t additional = answers + read16(&message_[8]);
    const std::uint32_t all = additional + read16(&message_[10]);
    for (std::uint32_t i = 0; i < all; ++i) {
      const auto record = read_record(message_, at, ttls_);
      if (!record) return false;
      at = record->end;
      if (record->type == static_cast<std::uint16_t>(Type::opt)) {
        if (i < additional || reply_.has_opt || record->fixed - record->begin != 1) return false;
        reply_.has_opt = true;
        reply_.rcode |= static_cast<std::uint16_t>((record->ttl >> 24) << 4);
      } else if (!reply_.has_opt) {
        keep(*record, i < answers      ? reply_.answers
                      : i < additional ? reply_.authority
                                       : reply_.additional);
      }
    }
    finish();
    return true;
  }

 private:
  void keep(const Record& record, std::uint16_t& count) {
    const std::uint32_t ttl = record.ttl > 0x7fffffff ? 0 : record.ttl;
    least_ = std::min(least_, ttl);
    if (&count == &reply_.answers && answers_question(record.type)) answered_ = true;
    if (&count == &reply_.authority && record.type == static_cast<std::uint16_t>(Type::soa)) {
      soa_ = true;
      negative_ = std::min({negative_, ttl, read32(&message_[record.end - 4])});
    }
    ++count;
    reply_.ttl_offsets.push_back(static_cast<std::uint16_t>(record.fixed + 4));
    reply_.octets = record.end;
  }

  bool answers_question(std::uint16_t type) const {
    return type == asked_type_ || asked_type_ == static_cast<std::uint16_t>(Type::any);
  }

  void finish() {
    if (reply_.rcode != static_cast<std::uint16_t>(Rcode::no_error) &&
        reply_.rcode != static_cast<std::uint16_t>(Rcode::name_error))
      return;
    if (answered_ && reply_.rcode == 0)
      reply_.ttl_s = std::min(least_, kMaxTtl);
    else if (soa_)
      reply_.ttl_s = std::min({least_, negative_, kMaxNegativeTtl});
  }

  base::ByteView message_;
  Reply& reply_;
  TtlOffsets ttls_;
  std::uint16_t asked_type_;
  std::uint32_t least_ = kMaxTtl, negative_ = kMaxNegativeTtl;
  bool answered_ = false, soa_ = false;
};

/// The octets of the question in a query of ours.
base::ByteView question_of(base::ByteView sent) {
  std::size_t at = kHeaderOctets;
  while (sent[at] != 0) at += 1u + sent[at];
  return sent.subspan(kHeaderOctets, at + 5 - kHeaderOctets);
}

bool is_error(std::uint16_t rcode) {
  return rcode != static_cast<std::uint16_t>(Rcode::no_error) &&
         rcode != static_cast<std::uint16_t>(Rcode::name_error);
}

ReplyVerdict compare_question(base::ByteView message, base::ByteView asked) {
  if (message.size() < kHeaderOctets + asked.size()) return ReplyVerdict::wrong_question;
  const base::ByteView got = message.subspan(kHeaderOctets, asked.size());
  if (std::equal(got.begin(), got.end(), asked.begin())) return ReplyVerdict::accepted;
  const std::size_t name = asked.size() - 4;
  const auto same = [](std::uint8_t a, std::uint8_t b) {
    const bool letter = (b | 0x20) >= 'a' && (b | 0x20) <= 'z';
    return a == b || (letter && (a ^ b) == 0x20);
  };
  if (std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(name), asked.begin(),
                 same) &&
      std::equal(got.end() - 4, got.end(), asked.end() - 4))
    return ReplyVerdict::case_changed;
  return ReplyVerdict::wrong_question;
}

}  // namespace

Reply inspect(base::ByteView message, base::ByteView sent) {
  Reply reply;
  if (message.size() < kHeaderOctets || message.size() > kMaxTcpOctets) return reply;
  const std::uint16_t flags = read16(&message[2]);
  if ((flags & kFlagResponse) == 0 || (flags & 0x7800) != 0) return reply;
  const auto verdict = [&](ReplyVerdict found) {
    reply.verdict = found;
    return reply;
  };
  if (read16(&message[0]) != read16(&sent[0])) return verdict(ReplyVerdict::wrong_id);
  reply.rcode = flags & 0x0f;
  const std::uint16_t questions = read16(&message[4]);
  const base::ByteView asked = question_of(sent);
  std::size_t at = kHeaderOctets;
  if (questions == 1) {
    const ReplyVerdict compared = compare_question(message, asked);
    if (compared != ReplyVerdict::accepted) return verdict(compared);
    reply.has_question = true;
    at += asked.size();
  } else if (questions != 0 || !is_error(reply.rcode)) {
    return verdict(ReplyVerdict::wrong_question);
  }
  if ((flags & kFlagTruncated) != 0) return verdict(ReplyVerdict::truncated);
  Records records(message, reply, read16(&asked[asked.size() - 4]));
  return verdict(records.read(at) ? ReplyVerdict::accepted : ReplyVerdict::malformed);
}

}  // namespace viaduct::dns::forward
