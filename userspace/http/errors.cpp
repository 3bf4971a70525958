#include "http/errors.h"

#include <string>

namespace viaduct::http {
namespace {

class Category : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "viaduct.http"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::bad_origin:
        return "not an HTTP origin";
      case Errc::timed_out:
        return "timed out";
      case Errc::answer_too_large:
        return "the answer is too large";
      case Errc::malformed_answer:
        return "the answer is not HTTP/1.1";
      case Errc::cut_off:
        return "the connection ended before the answer was whole";
      case Errc::bad_redirect:
        return "the redirect is not followed";
      case Errc::bad_certificate:
        return "the certificate is refused";
      case Errc::bad_tls_files:
        return "the file cannot be used for TLS";
      case Errc::tls_failed:
        return "TLS could not be agreed on";
      case Errc::not_allowed:
        return "the request is not meant for this host";
    }
    return "unknown error";
  }
};

}  // namespace

const boost::system::error_category& http_category() {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(Errc errc) {
  return {static_cast<int>(errc), http_category()};
}

}  // namespace viaduct::http
