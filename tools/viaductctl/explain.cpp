#include "tools/viaductctl/explain.h"

#include <arpa/inet.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/reason.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <iterator>

#include "base/errors.h"
#include "tools/viaductctl/reason.h"
#include "tools/viaductctl/table.h"

namespace viaduct::ctl {
namespace {

constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;

std::string endpoint(const vd_addr& address, __be16 port) {
  std::array<std::uint8_t, 16> octets{};
  std::copy(std::begin(address.bytes), std::end(address.bytes), octets.begin());
  return base::Endpoint{base::Address::v6(octets), ntohs(port)}.to_string();
}

/// Bytes in network order.
class Frame {
 public:
  Frame& u8(unsigned value) {
    bytes_.push_back(static_cast<std::uint8_t>(value));
    return *this;
  }
  Frame& u16(unsigned value) { return u8(value >> 8).u8(value & 0xff); }
  Frame& zeros(std::size_t count) {
    bytes_.insert(bytes_.end(), count, 0);
    return *this;
  }
  Frame& address(const base::Address& address) {
    bytes_.insert(bytes_.end(), address.octets().begin(), address.octets().end());
    return *this;
  }
  Frame& append(const Frame& more) {
    bytes_.insert(bytes_.end(), more.bytes_.begin(), more.bytes_.end());
    return *this;
  }
  std::size_t size() const { return bytes_.size(); }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

Frame transport(const Question& question, bool is_ack) {
  Frame frame;
  frame.u16(question.client.port).u16(question.vip.port);
  if (question.protocol == base::Protocol::udp) return frame.u16(8).u16(0);  // length, checksum
  frame.zeros(8);  // sequence and acknowledgement
  return frame.u8(5 << 4).u8(is_ack ? kAck : kSyn).u16(0xffff).zeros(4);
}

std::string_view pick_word(std::uint32_t pick) {
  static constexpr std::string_view kWords[] = {
      "hash of the flow",   "random",      "least-loaded of 2 random slots",
      "hash of the client", "round robin", "peak-ewma of 2 random slots"};
  return pick < std::size(kWords) ? kWords[pick] : "a rule unknown here";
}

std::string_view found_word(std::uint32_t found) {
  switch (found) {
    case VD_FOUND_PICK:
      return "pick";
    case VD_FOUND_FLOW:
      return "flow";
    case VD_FOUND_AFFINITY:
      return "affinity";
    case VD_FOUND_FORMER:
      return "former";
    default:
      return "";
  }
}

std::string_view verdict_word(std::uint32_t reason) {
  switch (verdict_of(reason)) {
    case Verdict::refuse:
      return "refuse";
    case Verdict::drop:
      return "drop";
    case Verdict::pass:
      break;
  }
  return "pass";
}

/// The other one of the two backends that were compared; 0: there was none.
std::uint32_t other_of(const vd_explanation& said) {
  const auto& [first, second] = said.compared;
  return first == said.backend_id ? second : first;
}

std::string how_found(const HookAnswer& answer) {
  const vd_explanation& said = answer.said;
  if (said.found == VD_FOUND_FLOW) return "a known flow";
  if (said.found == VD_FOUND_AFFINITY) return "where this client went before: affinity";
  if (said.found == VD_FOUND_FORMER) return "by the slots before the last change";
  std::string text(pick_word(said.pick));
  if (said.pick != VD_PICK_LEAST_LOADED && said.pick != VD_PICK_PEAK_EWMA) return text;
  text += ": " + std::to_string(answer.open) + " open";
  const std::uint32_t other = other_of(said);
  if (other == said.backend_id) return text + ", both slots name it";
  if (other == 0) return text + ", the other slot names none that takes connections";
  return text + " against " + std::to_string(answer.open_compared) + " of backend " +
         std::to_string(other);
}

bool is_tunnelled(const vd_explanation& said) { return said.reason == VD_ENCAPSULATED; }

std::string line_of(const HookAnswer& answer) {
  if (!answer.error.empty()) return "cannot be asked: " + answer.error;
  const vd_explanation& said = answer.said;
  std::string word = reason_word(said.reason);
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (said.backend_id == 0) return word + " (" + std::string(reason_help(said.reason)) + ")";
  std::string text = word + " to " + endpoint(said.dst, said.dport) + " (backend " +
                     std::to_string(said.backend_id) + ", " + how_found(answer) + ")";
  if (said.sport != 0) text += ", source " + endpoint(said.src, said.sport);
  if (!answer.node.empty())
    text += (is_tunnelled(said) ? ", in a tunnel to " : ", on the machine ") + answer.node;
  if (said.reason == VD_LOCAL || verdict_of(said.reason) != Verdict::pass)
    text += ": " + std::string(reason_help(said.reason));
  return text;
}

}  // namespace

base::Result<Question> parse_question(const std::string& client, const std::string& vip,
                                      base::Protocol protocol) {
  const auto wrong = [](const std::string& text, const std::string& what) {
    return base::Error{base::Errc::bad_format, "\"" + printable(text) + "\" " + what};
  };
  Question question;
  question.protocol = protocol;
  if (const auto full = base::Endpoint::parse(client)) {
    question.client = *full;
    question.port_given = true;
  } else if (const auto address = base::Address::parse(client)) {
    question.client = {*address, kMadeUpPort};
  } else {
    return wrong(client, "is no client: write ADDRESS, ADDRESS:PORT or [IPV6]:PORT");
  }
  const auto target = base::Endpoint::parse(vip);
  if (!target) return wrong(vip, "is no VIP with its port: write ADDRESS:PORT or [IPV6]:PORT");
  question.vip = *target;
  if (question.vip.address.is_v4() != question.client.address.is_v4())
    return wrong(client, "is of another family than " + vip + ": nobody can send that");
  return question;
}

std::vector<std::uint8_t> packet_of(const Question& question, bool is_ack) {
  constexpr std::size_t kIpv4Header = 20;
  constexpr unsigned kTtl = 64;
  const Frame inner = transport(question, is_ack);
  const bool v4 = question.vip.address.is_v4();
  const auto protocol = static_cast<unsigned>(question.protocol);
  Frame frame;
  frame.zeros(12).u16(v4 ? 0x0800 : 0x86dd);
  if (v4)
    frame.u8(0x45).u8(0).u16(static_cast<unsigned>(kIpv4Header + inner.size())).zeros(4).u8(kTtl);
  else
    frame.u8(0x60).zeros(3).u16(static_cast<unsigned>(inner.size()));
  if (v4)
    frame.u8(protocol).u16(0);
  else
    frame.u8(protocol).u8(kTtl);
  return frame.address(question.client.address).address(question.vip.address).append(inner).take();
}

json::object answer_json(const HookAnswer& answer) {
  json::object object{{"hook", answer.hook},
                      {"who", answer.who},
                      {"attached", answer.not_attached.empty()},
                      {"not_attached", answer.not_attached},
                      {"error", answer.error}};
  if (!answer.error.empty()) return object;
  const vd_explanation& said = answer.said;
  const bool has_backend = said.backend_id != 0;
  object["reason"] = reason_word(said.reason);
  object["verdict"] = verdict_word(said.reason);
  object["help"] = reason_help(said.reason);
  object["backend"] = has_backend ? endpoint(said.dst, said.dport) : "";
  object["backend_id"] = said.backend_id;
  object["found"] = found_word(said.found);
  object["pick"] = said.found == VD_FOUND_PICK ? pick_word(said.pick) : "";
  object["open"] = answer.open;
  object["compared"] = nullptr;
  if (const std::uint32_t other = other_of(said); other != 0 && other != said.backend_id)
    object["compared"] = {{"backend_id", other}, {"open", answer.open_compared}};
  object["source"] = said.sport != 0 ? endpoint(said.src, said.sport) : "";
  object["node"] = answer.node;
  object["tunnel"] = is_tunnelled(said);
  json::array flags;
  if (said.flags & VD_FLOW_HOST) flags.emplace_back("host");
  if (said.flags & VD_FLOW_HAIRPIN) flags.emplace_back("hairpin");
  if (said.flags & VD_FLOW_UPLINK) flags.emplace_back("uplink");
  object["flags"] = std::move(flags);
  return object;
}

std::string answers_text(const Question& question, const std::vector<HookAnswer>& answers) {
  std::string out = std::string(base::to_string(question.protocol)) + " " +
                    question.client.to_string() + " > " + question.vip.to_string() +
                    (question.port_given ? "" : " (the client's port is made up)") + "\n";
  for (const HookAnswer& answer : answers) {
    out += answer.hook + ": " + printable(line_of(answer)) + "\n";
    const std::string seen = "    " + answer.who;
    out += answer.not_attached.empty()
               ? seen + "\n"
               : seen + "; NOT ATTACHED: " + printable(answer.not_attached) + "\n";
  }
  return out;
}

}  // namespace viaduct::ctl
