#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <string>

namespace viaduct::base {

/// Why an operation failed: a code to branch on and the operation with its input for a person.
struct Error {
  boost::system::error_code code;
  std::string context;

  /// "context: sentence of the code", as it is logged and printed.
  std::string message() const;
};

/// Lets Result<T>::value() throw; value() is for tests only.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

template <class T>
using Result = boost::system::result<T, Error>;

/// Turns a kernel or libbpf result (-errno) or a plain errno into an Error.
/// @param rc  errno, or its negative as libbpf returns it.
Error from_errno(int rc, std::string context);

}  // namespace viaduct::base
