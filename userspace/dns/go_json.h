#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace viaduct::dns {

/// A document as Go's json.MarshalIndent(value, " ", " ") writes it, which Mesos-DNS answers with:
/// members in the order of the object, one blank more than the depth before each line but the
/// first, none at the end. Octets that are no UTF-8 become U+FFFD, and `<`, `>`, `&` are escaped.
std::string go_json(const boost::json::value& value);

}  // namespace viaduct::dns
