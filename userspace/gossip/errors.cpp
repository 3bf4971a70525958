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
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& gossip_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc errc) {
  return {static_cast<int>(errc), gossip_category()};
}

}  // namespace viaduct::gossip
