#include "base/errors.h"

#include <string>

namespace viaduct::base {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "viaduct.base"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::bad_format:
        return "bad format";
      case Errc::out_of_range:
        return "out of range";
      case Errc::too_large:
        return "too large";
      case Errc::not_found:
        return "not found";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& base_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc errc) {
  return {static_cast<int>(errc), base_category()};
}

}  // namespace viaduct::base
