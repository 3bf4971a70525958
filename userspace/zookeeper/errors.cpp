#include "zookeeper/errors.h"

#include <string>

namespace viaduct::zookeeper {
namespace {

class Category : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "viaduct.zookeeper"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::bad_url:
        return "not a URL of the form zk://[user:password@]host:port,host:port/path";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& zookeeper_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc errc) {
  return {static_cast<int>(errc), zookeeper_category()};
}

}  // namespace viaduct::zookeeper
