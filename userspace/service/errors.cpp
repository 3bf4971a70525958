#include "service/errors.h"

#include <string>

namespace viaduct::service {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "viaduct.service"; }
  std::string message(int value) const override {
    return static_cast<Errc>(value) == Errc::bad_vip_label ? "bad VIP" : "unknown error";
  }
};

}  // namespace

const boost::system::error_category& service_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc errc) {
  return {static_cast<int>(errc), service_category()};
}

}  // namespace viaduct::service
