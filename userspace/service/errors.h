#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <type_traits>

namespace viaduct::service {

enum class Errc {
  bad_vip_label = 1,  ///< a VIP label or name that cannot be served
};

const boost::system::error_category& service_category();
boost::system::error_code make_error_code(Errc errc);

}  // namespace viaduct::service

template <>
struct boost::system::is_error_code_enum<viaduct::service::Errc> : std::true_type {};
