#include "dns/name.h"

#include "base/errors.h"

namespace viaduct::dns {
namespace {

char fold_octet(char octet) {
  return octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet + ('a' - 'A')) : octet;
}

base::Error error(base::Errc code, std::string_view text, const char* what) {
  return {code, "name \"" + std::string(text) + "\": " + what};
}

void append_octet(std::string& text, char octet) {
  const auto value = static_cast<unsigned char>(octet);
  if (value <= ' ' || value >= 0x7f) {
    text += '\\';
    text += static_cast<char>('0' + value / 100);
    text += static_cast<char>('0' + value / 10 % 10);
    text += static_cast<char>('0' + value % 10);
    return;
  }
  if (octet == '.' || octet == '\\' || octet == '"' || octet == ';' || octet == '(' ||
      octet == ')' || octet == '@' || octet == '$')
    text += '\\';
  text += octet;
}

}  // namespace

base::Result<Name> Name::parse(std::string_view text) {
  const std::string_view whole = text;
  if (text == ".") return Name();
  if (text.ends_with('.')) text.remove_suffix(1);
  Name name;
  name.wire_.clear();
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty()) return error(base::Errc::bad_format, whole, "a label is empty");
    if (label.size() > kMaxLabelOctets)
      return error(base::Errc::too_large, whole, "a label is longer than 63 octets");
    name.wire_ += static_cast<char>(label.size());
    name.wire_ += label;
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  name.wire_ += '\0';
  if (name.wire_.size() > kMaxNameOctets)
    return error(base::Errc::too_large, whole, "it is longer than 255 octets");
  return name;
}

Name Name::from_wire(std::span<const std::uint8_t> wire) {
  Name name;
  name.wire_.assign(reinterpret_cast<const char*>(wire.data()), wire.size());
  return name;
}

base::Result<Name> Name::under(const Name& suffix) const {
  Name joined;
  joined.wire_ = wire_.substr(0, wire_.size() - 1) + suffix.wire_;
  if (joined.size() > kMaxNameOctets)
    return error(base::Errc::too_large, joined.to_text(), "it is longer than 255 octets");
  return joined;
}

std::size_t Name::label_count() const {
  std::size_t count = 0;
  for (std::size_t at = 0; wire_[at] != 0; at += static_cast<std::uint8_t>(wire_[at]) + 1u) ++count;
  return count;
}

Name Name::folded() const {
  Name name = *this;
  for (char& octet : name.wire_) octet = fold_octet(octet);
  return name;
}

Name Name::parent() const {
  Name name;
  if (!is_root()) name.wire_ = wire_.substr(static_cast<std::uint8_t>(wire_[0]) + 1u);
  return name;
}

bool Name::is_within(const Name& apex) const {
  const Name wanted = apex.folded();
  for (Name name = folded(); name.size() >= wanted.size(); name = name.parent()) {
    if (name == wanted) return true;
    if (name.is_root()) break;
  }
  return false;
}

std::string Name::to_text() const {
  if (is_root()) return ".";
  std::string text;
  for (std::size_t at = 0; wire_[at] != 0;) {
    const std::size_t length = static_cast<std::uint8_t>(wire_[at]);
    for (std::size_t i = 1; i <= length; ++i) append_octet(text, wire_[at + i]);
    text += '.';
    at += length + 1;
  }
  return text;
}

}  // namespace viaduct::dns
