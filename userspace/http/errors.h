#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <type_traits>

namespace viaduct::http {

enum class Errc {
  bad_origin = 1,    ///< neither http(s)://host:port nor unix:/path
  timed_out,         ///< the exchange did not end in time
  answer_too_large,  ///< the answer is over the caller's limit
  malformed_answer,  ///< the peer does not speak HTTP/1.1
  cut_off,           ///< the peer closed before its answer was whole
  bad_redirect,      ///< a redirect that is not followed
  bad_certificate,   ///< the peer's certificate is not trusted, or is not for its host
  bad_tls_files,     ///< our own CA, certificate or key cannot be used
  tls_failed,        ///< the peer does not speak TLS as we do
  not_allowed,       ///< the host is not among those that the request is meant for
};

const boost::system::error_category& http_category();
boost::system::error_code make_error_code(Errc errc);

}  // namespace viaduct::http

template <>
struct boost::system::is_error_code_enum<viaduct::http::Errc> : std::true_type {};
