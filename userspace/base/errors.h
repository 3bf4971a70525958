#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <type_traits>

namespace viaduct::base {

/// Failures that any module may meet.
enum class Errc {
  bad_format = 1,  ///< the input is not what its format asks for
  out_of_range,    ///< a number lies outside its range
  too_large,       ///< the input is over a named limit
  not_found,       ///< nothing has this name
};

const boost::system::error_category& base_category();
boost::system::error_code make_error_code(Errc errc);

}  // namespace viaduct::base

template <>
struct boost::system::is_error_code_enum<viaduct::base::Errc> : std::true_type {};
