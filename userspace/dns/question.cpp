#include "dns/question.h"

namespace viaduct::dns {
namespace {

constexpr std::size_t kRecordFixedOctets = 10;  // type, class, TTL, length of the data

/// Walks a message from the first octet behind its header.
class Walker {
 public:
  explicit Walker(std::span<const std::uint8_t> message) : message_(message) {}

  bool at_end() const { return at_ == message_.size(); }

  /// A name without compression, and where its labels start.
  bool read_plain_name(std::span<const std::uint8_t>& name, std::uint8_t* starts,
                       std::uint8_t& count) {
    const std::size_t begin = at_;
    count = 0;
    while (at_ < message_.size()) {
      const std::uint8_t length = message_[at_];
      if (length > kMaxLabelOctets) return false;  // a pointer, or a reserved kind of label
      const std::size_t next = at_ + 1 + length;
      if (next - begin > kMaxNameOctets) return false;
      if (length == 0) {
        at_ = next;
        name = message_.subspan(begin, next - begin);
        return true;
      }
      if (starts != nullptr) starts[count] = static_cast<std::uint8_t>(at_ - begin);
      ++count;
      at_ = next;
    }
    return false;
  }

  /// Steps over a name; a compression pointer ends it (RFC 1035, 4.1.4).
  bool skip_name() {
    const std::size_t begin = at_;
    while (at_ < message_.size()) {
      const std::uint8_t length = message_[at_];
      if ((length & 0xc0) == 0xc0) return advance(2);
      if (length > kMaxLabelOctets || at_ + 1 + length - begin > kMaxNameOctets) return false;
      at_ += 1u + length;
      if (length == 0) return true;
    }
    return false;
  }

  bool read(std::size_t octets, std::span<const std::uint8_t>& into) {
    if (message_.size() < at_ || message_.size() - at_ < octets) return false;
    into = message_.subspan(at_, octets);
    at_ += octets;
    return true;
  }

  std::size_t position() const { return at_; }
  void seek(std::size_t position) { at_ = position; }

 private:
  bool advance(std::size_t octets) {
    std::span<const std::uint8_t> skipped;
    return read(octets, skipped);
  }

  std::span<const std::uint8_t> message_;
  std::size_t at_ = kHeaderOctets;
};

struct State {
  Question& question;
  bool bad_version = false;
};

bool options_are_whole(std::span<const std::uint8_t> data) {
  while (!data.empty()) {
    if (data.size() < 4 || data.size() - 4 < read16(&data[2])) return false;
    data = data.subspan(4u + read16(&data[2]));
  }
  return true;
}

/// @param fixed  the record's ten octets after its owner.
bool take_opt(State& state, std::size_t owner_octets, std::span<const std::uint8_t> fixed,
              std::span<const std::uint8_t> data) {
  if (state.question.has_opt || owner_octets != 1 || !options_are_whole(data)) return false;
  state.question.has_opt = true;
  state.question.udp_size = read16(&fixed[2]);
  state.bad_version = fixed[5] != 0;
  state.question.dnssec_ok = (fixed[6] & 0x80) != 0;
  return true;
}

bool take_tsig(State& state, std::span<const std::uint8_t> message, std::size_t owner_at,
               std::span<const std::uint8_t> fixed, std::span<const std::uint8_t> data) {
  Walker owner(message);
  owner.seek(owner_at);
  const std::size_t data_at = static_cast<std::size_t>(data.data() - message.data());
  Walker walker(message.first(data_at + data.size()));
  walker.seek(data_at);
  std::uint8_t labels = 0;
  std::span<const std::uint8_t> mac_size, mac, tail, other;
  Tsig& tsig = state.question.tsig;
  if (!owner.read_plain_name(tsig.key_name, nullptr, labels) || read16(&fixed[2]) != kClassAny ||
      !walker.read_plain_name(tsig.algorithm, nullptr, labels) ||
      !walker.read(8, tsig.time_and_fudge) || !walker.read(2, mac_size) ||
      !walker.read(read16(mac_size.data()), mac) || !walker.read(6, tail) ||
      !walker.read(read16(&tail[4]), other) || !walker.at_end())
    return false;
  state.question.has_tsig = true;
  return true;
}

/// One record of any section. OPT and TSIG are only legal in the additional section, TSIG only as
/// the last record.
bool take_record(State& state, Walker& walker, std::span<const std::uint8_t> message,
                 bool additional, bool last) {
  const std::size_t owner_at = walker.position();
  if (!walker.skip_name()) return false;
  const std::size_t owner_octets = walker.position() - owner_at;
  std::span<const std::uint8_t> fixed, data;
  if (!walker.read(kRecordFixedOctets, fixed) || !walker.read(read16(&fixed[8]), data))
    return false;
  switch (static_cast<Type>(read16(&fixed[0]))) {
    case Type::opt:
      return additional && take_opt(state, owner_octets, fixed, data);
    case Type::tsig:
      return additional && last && take_tsig(state, message, owner_at, fixed, data);
    default:
      return true;
  }
}

bool take_questions(State& state, Walker& walker, std::uint16_t count) {
  Question& question = state.question;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::span<const std::uint8_t> fixed;
    std::uint8_t* starts = i == 0 ? question.label_starts.data() : nullptr;
    if (!walker.read_plain_name(question.name, starts, question.label_count) ||
        !walker.read(4, fixed))
      return false;
    question.type = read16(&fixed[0]);
    question.klass = read16(&fixed[2]);
  }
  question.has_question = count == 1;
  return true;
}

bool take_body(State& state, std::span<const std::uint8_t> message) {
  Walker walker(message);
  const std::uint16_t questions = read16(&message[4]);
  const std::uint32_t before_additional = std::uint32_t{read16(&message[6])} + read16(&message[8]);
  const std::uint32_t records = before_additional + read16(&message[10]);
  if (!take_questions(state, walker, questions)) return false;
  for (std::uint32_t i = 0; i < records; ++i)
    if (!take_record(state, walker, message, i >= before_additional, i + 1 == records))
      return false;
  return questions == 1 && walker.at_end();
}

}  // namespace

Question parse_question(std::span<const std::uint8_t> message) {
  Question question;
  State state{question};
  if (message.size() < kHeaderOctets || (message[2] & 0x80) != 0) return question;
  question.id = read16(&message[0]);
  question.opcode = (message[2] >> 3) & 0x0f;
  question.recursion_desired = (message[2] & 0x01) != 0;

  const bool well_formed = take_body(state, message);
  if (question.opcode != 0)
    question.verdict = Verdict::not_implemented;
  else if (!well_formed)
    question.verdict = Verdict::format_error;
  else if (state.bad_version)
    question.verdict = Verdict::bad_version;
  else if (question.has_tsig)
    question.verdict = Verdict::bad_key;
  else
    question.verdict = Verdict::query;
  return question;
}

}  // namespace viaduct::dns
