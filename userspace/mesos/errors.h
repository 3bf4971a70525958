#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <type_traits>

namespace viaduct::mesos {

enum class Errc {
  bad_json = 1,      ///< the answer is no JSON, or nested too deeply, or too big once read
  unexpected_shape,  ///< JSON, but not the answer to the call
  bad_protobuf,      ///< the message is cut, or of no kind that it may be
  refused,           ///< another status than 200
};

const boost::system::error_category& mesos_category();
boost::system::error_code make_error_code(Errc errc);

}  // namespace viaduct::mesos

template <>
struct boost::system::is_error_code_enum<viaduct::mesos::Errc> : std::true_type {};
