#include "base/result.h"

#include <boost/system/system_error.hpp>

namespace viaduct::base {

std::string Error::message() const {
  return context.empty() ? code.message() : context + ": " + code.message();
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw boost::system::system_error(error.code, error.context);
}

Error from_errno(int rc, std::string context) {
  return Error{{rc < 0 ? -rc : rc, boost::system::system_category()}, std::move(context)};
}

}  // namespace viaduct::base
