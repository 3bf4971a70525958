#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <type_traits>

namespace viaduct::gossip {

/// Why something that a peer sent is dropped, or a cluster operation refused.
enum class Errc {
  truncated = 1,    ///< the message ends before it is whole
  malformed,        ///< not what the format asks for
  unknown_type,     ///< no message has this type
  too_large,        ///< over a named limit
  too_deep,         ///< more layers within each other than any sender makes
  bad_crc,          ///< the checksum does not fit
  wrong_label,      ///< for another cluster
  not_encrypted,    ///< plain text where keys are configured
  wrong_key,        ///< encrypted with no key of ours, or tampered with
  bad_versions,     ///< speaks no version that the cluster can
  unexpected,       ///< a message that has no place here
  unknown_owner,    ///< rows of a node that is no member
  refused_by_peer,  ///< the peer answered with an error
};

const boost::system::error_category& gossip_category();
boost::system::error_code make_error_code(Errc errc);

}  // namespace viaduct::gossip

template <>
struct boost::system::is_error_code_enum<viaduct::gossip::Errc> : std::true_type {};
