#include "dns/respond.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace viaduct::dns {
namespace {

constexpr std::size_t kOptOctets = 11;
constexpr std::uint16_t kBadKey = 17;  // TSIG error (RFC 8945, 3)
constexpr std::uint16_t kFlagResponse = 0x8000;
constexpr std::uint16_t kFlagAuthoritative = 0x0400;
constexpr std::uint16_t kFlagTruncated = 0x0200;
constexpr std::uint16_t kFlagRecursionDesired = 0x0100;
constexpr std::uint16_t kFlagRecursionAvailable = 0x0080;

}  // namespace

/// Writes one answer: question, records, OPT and TSIG in this order, the header last.
class Message {
 public:
  Message(const Question& question, std::size_t limit, std::span<std::uint8_t> out)
      : question_(question), limit_(limit), out_(out.data()) {
    // The question follows the header in the message too: name, type, class.
    if (!question.has_question) return;
    append(question.name.data(), question.name.size() + 4);
  }

  /// Octets that records may still take.
  std::size_t room() const { return limit_ - octets_ - (question_.has_opt ? kOptOctets : 0); }

  void append(const std::uint8_t* from, std::size_t octets) {
    std::memcpy(out_ + octets_, from, octets);
    octets_ += octets;
  }

  std::uint8_t* at(std::size_t offset) { return out_ + offset; }
  std::size_t size() const { return octets_; }

  void count_answers(std::uint16_t records) { answers_ = records; }
  void count_authority() { authority_ = 1; }
  void count_additional() { ++additional_; }
  void set_flag(std::uint16_t flag) { flags_ |= flag; }

  /// The response's TSIG, unsigned, that says BADKEY; left out when there is no room for it.
  void append_bad_key() {
    append_opt(0);
    const Tsig& tsig = question_.tsig;
    const std::size_t data = tsig.algorithm.size() + tsig.time_and_fudge.size() + 8;
    if (limit_ - octets_ < tsig.key_name.size() + 10 + data) return set_flag(kFlagTruncated);
    append(tsig.key_name.data(), tsig.key_name.size());
    std::uint8_t fixed[10] = {};
    write16(fixed, static_cast<std::uint16_t>(Type::tsig));
    write16(fixed + 2, kClassAny);
    write16(fixed + 8, static_cast<std::uint16_t>(data));
    append(fixed, sizeof fixed);
    append(tsig.algorithm.data(), tsig.algorithm.size());
    append(tsig.time_and_fudge.data(), tsig.time_and_fudge.size());
    std::uint8_t tail[8] = {};  // no MAC, the id, the error, no other data
    write16(tail + 2, question_.id);
    write16(tail + 4, kBadKey);
    append(tail, sizeof tail);
    ++additional_;
  }

  Response finish(Rcode rcode, Outcome outcome) {
    const auto code = static_cast<std::uint16_t>(rcode);
    append_opt(static_cast<std::uint8_t>(code >> 4));
    std::uint16_t flags = flags_ | kFlagResponse | (code & 0x0f);
    flags |= static_cast<std::uint16_t>(question_.opcode << 11);
    if (question_.recursion_desired) flags |= kFlagRecursionDesired;
    write16(out_, question_.id);
    write16(out_ + 2, flags);
    write16(out_ + 4, question_.has_question ? 1 : 0);
    write16(out_ + 6, answers_);
    write16(out_ + 8, authority_);
    write16(out_ + 10, additional_);
    return {octets_, outcome};
  }

 private:
  /// Our OPT, if the query had one; later calls add nothing.
  void append_opt(std::uint8_t extended_rcode) {
    if (!question_.has_opt || opt_written_) return;
    opt_written_ = true;
    std::uint8_t opt[kOptOctets] = {};
    write16(opt + 1, static_cast<std::uint16_t>(Type::opt));
    write16(opt + 3, kMaxUdpOctets);
    opt[5] = extended_rcode;
    opt[7] = question_.dnssec_ok ? 0x80 : 0;
    append(opt, sizeof opt);
    ++additional_;
  }

  const Question& question_;
  std::size_t limit_;
  std::uint8_t* out_;
  std::size_t octets_ = kHeaderOctets;
  std::uint16_t flags_ = 0;
  std::uint16_t answers_ = 0;
  std::uint16_t authority_ = 0;
  std::uint16_t additional_ = 0;
  bool opt_written_ = false;
};

namespace {

Response truncate(Message& answer) {
  answer.set_flag(kFlagTruncated);
  return answer.finish(Rcode::no_error, Outcome::truncated);
}

constexpr std::size_t kMaxTargets = 16;    // of SRV records, that addresses are added of
constexpr std::size_t kSrvHeadOctets = 6;  // priority, weight, port
constexpr std::size_t kPointerRange = 0x4000;

/// One address of a name, the owner a pointer to where the name stands. They take turns.
/// @return false: there is no room.
bool append_address(const Question& question, const Found& found, Type type, std::size_t name_at,
                    Message& answer) {
  const auto set = found.find(static_cast<std::uint16_t>(type));
  if (!set) return true;
  const std::size_t octets = set->body.size() / set->records;
  if (octets > answer.room()) return false;
  const std::size_t at = answer.size();
  answer.append(set->body.data() + question.id % set->records * octets, octets);
  write16(answer.at(at), static_cast<std::uint16_t>(0xc000 | name_at));
  answer.count_additional();
  return true;
}

/// Adds an address of each family of the targets of SRV records, as far as there is room; more can
/// be asked for (RFC 2782; RFC 2181, 9: nothing that is wanted is missing, so no TC).
/// @param at  where the records begin.
void append_targets(const Question& question, const Table& table, std::size_t at,
                    std::uint16_t records, Message& answer) {
  std::array<std::span<const std::uint8_t>, kMaxTargets> targets;
  std::size_t known = 0;
  for (; records > 0 && known < kMaxTargets; --records) {
    const std::size_t name_at = at + kRecordHeadOctets + kSrvHeadOctets;
    const std::size_t octets = read16(answer.at(at + kRecordHeadOctets - 2));
    if (octets <= kSrvHeadOctets) return;
    const std::size_t length = octets - kSrvHeadOctets;
    const std::span<const std::uint8_t> target{answer.at(name_at), length};
    at = name_at + length;
    if (name_at >= kPointerRange) return;
    if (std::any_of(targets.begin(), targets.begin() + static_cast<std::ptrdiff_t>(known),
                    [&](const auto& other) { return std::ranges::equal(other, target); }))
      continue;
    targets[known++] = target;
    Found found;
    if (!table.find(FoldedName(target), found)) continue;
    for (const Type type : {Type::a, Type::aaaa})
      if (!append_address(question, found, type, name_at, answer)) return;
  }
}

Response positive(const Question& question, const Table& table, const Answer& found,
                  Message& answer) {
  if (found.body.size() > answer.room()) return truncate(answer);
  const std::size_t body = answer.size();
  const std::size_t start =
      found.unit_octets != 0 ? question.id % found.records * found.unit_octets : 0;
  answer.append(found.body.data() + start, found.body.size() - start);
  answer.append(found.body.data(), start);
  answer.count_answers(found.records);
  // What is found may be a CNAME, which has no targets with ports.
  if (question.type == static_cast<std::uint16_t>(Type::srv) &&
      read16(answer.at(body + 2)) == static_cast<std::uint16_t>(Type::srv))
    append_targets(question, table, body, found.records, answer);
  return answer.finish(Rcode::no_error, Outcome::answered);
}

Response negative(const Table::Place& place, bool exists, Message& answer) {
  const std::vector<std::uint8_t>& soa = place.zone->negative;
  if (soa.size() > answer.room()) return truncate(answer);
  const std::size_t at = answer.size();
  answer.append(soa.data(), soa.size());
  write16(answer.at(at),
          static_cast<std::uint16_t>(0xc000 | (kHeaderOctets + place.prefix_octets)));
  answer.count_authority();
  return exists ? answer.finish(Rcode::no_error, Outcome::no_data)
                : answer.finish(Rcode::name_error, Outcome::name_error);
}

Response pass_on(Forwarding forwarding, Message& answer) {
  switch (forwarding) {
    case Forwarding::on:
      return {0, Outcome::forwarded};
    case Forwarding::full:
      return answer.finish(Rcode::server_failure, Outcome::server_failure);
    case Forwarding::off:
      break;
  }
  return answer.finish(Rcode::refused, Outcome::refused);
}

}  // namespace

std::size_t limit_of(const Question& question, Transport transport) {
  if (transport == Transport::tcp) return kMaxTcpOctets;
  if (!question.has_opt) return kPlainUdpOctets;
  return std::clamp<std::size_t>(question.udp_size, kPlainUdpOctets, kMaxUdpOctets);
}

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::dropped:
      return "dropped";
    case Outcome::answered:
      return "answered";
    case Outcome::no_data:
      return "no_data";
    case Outcome::name_error:
      return "name_error";
    case Outcome::truncated:
      return "truncated";
    case Outcome::refused:
      return "refused";
    case Outcome::server_failure:
      return "server_failure";
    case Outcome::format_error:
      return "format_error";
    case Outcome::not_implemented:
      return "not_implemented";
    case Outcome::bad_version:
      return "bad_version";
    case Outcome::bad_key:
      return "bad_key";
    case Outcome::forwarded:
      return "forwarded";
  }
  return "unknown";
}

void Query::read(std::span<const std::uint8_t> message, const Table& table) {
  table_ = &table;
  question_ = parse_question(message);
  place_.reset();
  if (question_.verdict != Verdict::query || question_.klass != kClassIn) return;
  name_.emplace(question_.name);
  place_ = table.locate(question_, *name_);
  if (!place_ || !place_->zone->ready) return;
  hash_ = table.slots().hash(*name_);
  table.slots().fetch_index(hash_);
}

void Query::fetch() const {
  if (place_ && place_->zone->ready) table_->slots().fetch_slot(hash_);
}

Response Query::respond(Transport transport, std::span<std::uint8_t> out,
                        Forwarding forwarding) const {
  assert(out.size() >= answer_capacity(transport));
  if (question_.verdict == Verdict::drop) return {};
  Message answer(question_, limit_of(question_, transport), out);
  if (forwarding != Forwarding::off) answer.set_flag(kFlagRecursionAvailable);
  switch (question_.verdict) {
    case Verdict::drop:
      break;
    case Verdict::not_implemented:
      return answer.finish(Rcode::not_implemented, Outcome::not_implemented);
    case Verdict::format_error:
      return answer.finish(Rcode::format_error, Outcome::format_error);
    case Verdict::bad_version:
      return answer.finish(Rcode::bad_version, Outcome::bad_version);
    case Verdict::bad_key:
      answer.append_bad_key();
      return answer.finish(Rcode::not_authoritative, Outcome::bad_key);
    case Verdict::query:
      return look_up(forwarding, answer);
  }
  return {};
}

Response Query::look_up(Forwarding forwarding, Message& answer) const {
  const bool transfer = question_.type == static_cast<std::uint16_t>(Type::axfr) ||
                        question_.type == static_cast<std::uint16_t>(Type::ixfr);
  if (question_.klass != kClassIn || transfer)
    return answer.finish(Rcode::refused, Outcome::refused);
  if (!place_) return pass_on(forwarding, answer);
  if (!place_->zone->ready) return answer.finish(Rcode::server_failure, Outcome::server_failure);
  answer.set_flag(kFlagAuthoritative);
  if (place_->zone->recursion) answer.set_flag(kFlagRecursionAvailable);
  Found found;
  if (!table_->find(*name_, hash_, found)) {
    const auto plain = Table::without_stars(*place_, *name_);
    if (!plain || !table_->find(*plain, found)) return negative(*place_, false, answer);
  }
  std::optional<Answer> set = found.find(question_.type);
  // A name that leads to another one has no other types (RFC 1034, 3.6.2).
  if (!set) set = found.find(static_cast<std::uint16_t>(Type::cname));
  return set ? positive(question_, *table_, *set, answer) : negative(*place_, true, answer);
}

Response respond(std::span<const std::uint8_t> message, const Table& table, Transport transport,
                 std::span<std::uint8_t> out, Forwarding forwarding) {
  Query query;
  query.read(message, table);
  return query.respond(transport, out, forwarding);
}

}  // namespace viaduct::dns
