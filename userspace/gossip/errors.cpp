#include "gossip/errors.h"

#include <string>

namespace viaduct::gossip {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "viaduct.gossip"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::truncated:
        return "the message ends too early";
      case Errc::malformed:
        return "the message is malformed";
      case Errc::unknown_type:
        return "the message has an unknown type";
      case Errc::too_large:
        return "the message is too large";
      case Errc::too_deep:
        return "the message has too many layers";
      case Errc::bad_crc:
        return "the checksum is wrong";
      case Errc::wrong_label:
        return "the message is for another cluster (label)";
      case Errc::not_encrypted:
        return "the message is not encrypted, but this cluster is";
      case Errc::wrong_key:
        return "no key of the keyring opens the message";
      case Errc::bad_versions:
        return "the node speaks no version that the cluster understands";
      case Errc::unexpected:
        return "the message has no place here";
      case Errc::unknown_owner:
        return "the rows belong to no member";
      case Errc::refused_by_peer:
        return "the peer refused";
      case Errc::bad_key:
        return "not a key of 16, 24 or 32 bytes";
      case Errc::unknown_key:
        return "the keyring does not have this key";
      case Errc::key_in_use:
        return "the primary key cannot be removed";
      case Errc::unsafe:
        return "it would cut off other nodes";
    }
    return "unknown error";
  }
};

}  // namespace

std::string_view to_word(Errc errc) {
  switch (errc) {
    case Errc::truncated:
      return "truncated";
    case Errc::malformed:
      return "malformed";
    case Errc::unknown_type:
      return "unknown_type";
    case Errc::too_large:
      return "too_large";
    case Errc::too_deep:
      return "too_deep";
    case Errc::bad_crc:
      return "bad_crc";
    case Errc::wrong_label:
      return "wrong_label";
    case Errc::not_encrypted:
      return "not_encrypted";
    case Errc::wrong_key:
      return "wrong_key";
    case Errc::bad_versions:
      return "bad_versions";
    case Errc::unexpected:
      return "unexpected";
    case Errc::unknown_owner:
      return "unknown_owner";
    case Errc::refused_by_peer:
      return "refused_by_peer";
    case Errc::bad_key:
      return "bad_key";
    case Errc::unknown_key:
      return "unknown_key";
    case Errc::key_in_use:
      return "key_in_use";
    case Errc::unsafe:
      return "unsafe";
  }
  return "unknown";
}

const boost::system::error_category& gossip_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc errc) {
  return {static_cast<int>(errc), gossip_category()};
}

}  // namespace viaduct::gossip
