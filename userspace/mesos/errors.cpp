#include "mesos/errors.h"

#include <string>

namespace viaduct::mesos {
namespace {

class Category : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "viaduct.mesos"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::bad_json:
        return "the answer is not usable JSON";
      case Errc::unexpected_shape:
        return "the answer does not have the shape of the call's answer";
      case Errc::bad_protobuf:
        return "not a whole protobuf message";
      case Errc::refused:
        return "the call was refused";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& mesos_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc errc) {
  return {static_cast<int>(errc), mesos_category()};
}

}  // namespace viaduct::mesos
