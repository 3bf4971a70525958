#include "dns/go_json.h"

#include <boost/json/serialize.hpp>
#include <cstddef>
#include <string_view>

namespace viaduct::dns {
namespace {

namespace json = boost::json;

/// Octets of the UTF-8 character that a text begins with; 0: it begins with none.
std::size_t character(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = octet(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; i++)
    if ((octet(i) & 0xc0U) != 0x80) return 0;
  // Longer than needed, a surrogate, or behind the last character.
  const unsigned char second = octet(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
    return 0;
  return size;
}

void escape(unsigned value, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[value >> shift & 0xfU];
}

void write_text(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const std::size_t size = character(text);
    const std::string_view one = text.substr(0, size);
    const auto first = static_cast<unsigned char>(text.front());
    if (size == 0)
      out += "\\ufffd";
    else if (first == '"' || first == '\\')
      out.append({'\\', text.front()});
    else if (first == '\n')
      out += "\\n";
    else if (first == '\r')
      out += "\\r";
    else if (first == '\t')
      out += "\\t";
    else if (first < 0x20 || first == '<' || first == '>' || first == '&')
      escape(first, out);
    else if (one == "\xe2\x80\xa8" || one == "\xe2\x80\xa9")
      escape(one.back() == '\xa8' ? 0x2028 : 0x2029, out);
    else
      out += one;
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out += '"';
}

void new_line(std::size_t depth, std::string& out) {
  out += '\n';
  out.append(depth + 1, ' ');
}

void write(const json::value& value, std::size_t depth, std::string& out) {
  if (const auto* text = value.if_string()) return write_text({text->data(), text->size()}, out);
  if (const auto* list = value.if_array()) {
    out += '[';
    for (const json::value& element : *list) {
      if (&element != list->begin()) out += ',';
      new_line(depth + 1, out);
      write(element, depth + 1, out);
    }
    if (!list->empty()) new_line(depth, out);
    out += ']';
    return;
  }
  if (const auto* object = value.if_object()) {
    out += '{';
    for (const auto& member : *object) {
      if (&member != object->begin()) out += ',';
      new_line(depth + 1, out);
      write_text({member.key().data(), member.key().size()}, out);
      out += ": ";
      write(member.value(), depth + 1, out);
    }
    if (!object->empty()) new_line(depth, out);
    out += '}';
    return;
  }
  out += json::serialize(value);
}

}  // namespace

std::string go_json(const json::value& value) {
  std::string out;
  write(value, 0, out);
  return out;
}

}  // namespace viaduct::dns
