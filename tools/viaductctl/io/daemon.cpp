#include "tools/viaductctl/io/daemon.h"

#include <boost/json.hpp>

#include "base/errors.h"
#include "http/io/client.h"

namespace viaduct::ctl {

namespace {

http::Limits limits() {
  http::Limits limits;
  limits.timeout = std::chrono::seconds(10);
  limits.max_answer_bytes = kMaxReplyBytes;
  return limits;
}

}  // namespace

base::Result<json::value> ask_daemon(const std::string& socket, const std::string& path) {
  http::Request request;
  request.target = path;
  const auto response = http::fetch({"", 0, socket}, request, limits());
  if (!response) return response.error();
  const std::string context = path + " of " + socket;
  json::parse_options tolerant;
  tolerant.allow_invalid_utf8 = true;
  boost::system::error_code error;
  json::value document = json::parse(response->body, error, {}, tolerant);
  if (response->status != 200) {
    const std::string said = error ? "" : text_of(document, "error");
    return base::Error{base::Errc::bad_format, context + " gives status " +
                                                   std::to_string(response->status) +
                                                   (said.empty() ? "" : " (" + said + ")")};
  }
  if (error)
    return base::Error{base::Errc::bad_format, context + " is not JSON (" + error.message() + ")"};
  return document;
}

base::Result<std::string> tell_daemon(const std::string& socket, const std::string& path) {
  http::Request request;
  request.method = "POST";
  request.target = path;
  const auto response = http::fetch({"", 0, socket}, request, limits());
  if (!response) return response.error();
  boost::system::error_code error;
  const json::value document = json::parse(response->body, error);
  if (response->status == 200 && !error) return text_of(document, "done");
  const std::string said = error ? "" : text_of(document, "error");
  return base::Error{base::Errc::bad_format,
                     said.empty() ? "status " + std::to_string(response->status) : said};
}

std::string find_bpffs(const Options& options) {
  if (options.bpffs) return *options.bpffs;
  const auto status = ask_daemon(options.socket, "/v1/status");
  const std::string told = status ? text_of(object_of(*status, "dataplane"), "bpffs") : "";
  return told.empty() ? kDefaultBpffs : told;
}

}  // namespace viaduct::ctl
