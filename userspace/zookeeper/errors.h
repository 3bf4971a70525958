#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <type_traits>

namespace viaduct::zookeeper {

enum class Errc {
  bad_url = 1,  ///< not zk://[user:password@]host[:port],.../path
};

const boost::system::error_category& zookeeper_category();
boost::system::error_code make_error_code(Errc errc);

}  // namespace viaduct::zookeeper

template <>
struct boost::system::is_error_code_enum<viaduct::zookeeper::Errc> : std::true_type {};
