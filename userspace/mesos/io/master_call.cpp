#include "mesos/io/master_call.h"

#include <algorithm>
#include <boost/asio/error.hpp>

#include "base/errors.h"
#include "base/io/file.h"
#include "base/quote.h"
#include "http/errors.h"
#include "mesos/errors.h"

namespace viaduct::mesos {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kConnectTimeout = 3s;
constexpr auto kRefusalTimeout = 1s;  ///< for the sentence that explains a status

/// The secret in a file, without the line break at its end.
base::Result<std::string> read_secret(const std::string& path) {
  auto text = base::read_file(path, kMaxSecretBytes);
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return text;
}

/// What may stand in a header.
bool is_token(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

http::Origin origin_of(const base::Endpoint& master, bool tls) {
  return {.host = master.address.to_string(), .port = master.port, .socket_path = "", .tls = tls};
}

MasterCall::MasterCall(asio::any_io_executor executor, const MasterConfig& config,
                       std::vector<base::Endpoint> trusted)
    : executor_(std::move(executor)), config_(config), trusted_(std::move(trusted)) {}

base::Result<void> MasterCall::authorize(http::Request& request) const {
  request.tls = {config_.ca_file, config_.certificate_file, config_.key_file};
  if (!config_.user.empty()) {
    auto password = read_secret(config_.password_file);
    if (!password) return password.error();
    request.auth = http::BasicAuth{config_.user, std::move(*password)};
  } else if (!config_.token_file.empty()) {
    const auto token = read_secret(config_.token_file);
    if (!token) return token.error();
    if (!is_token(*token))
      return base::Error{base::Errc::bad_format, config_.token_file + " holds no token"};
    const bool is_dcos = config_.token_scheme == kDcosTokenScheme;
    std::erase_if(request.headers,
                  [](const auto& header) { return header.first == "Authorization"; });
    request.headers.emplace_back("Authorization",
                                 config_.token_scheme + (is_dcos ? "" : " ") + *token);
  } else {
    return {};
  }
  // With none the request could go anywhere.
  if (trusted_.empty()) return base::Error{http::Errc::not_allowed, "no master is known"};
  request.only_to = trusted_;
  return {};
}

asio::awaitable<base::Result<http::Response>> MasterCall::open(
    http::Place place, http::Request request, std::chrono::milliseconds head_timeout,
    std::optional<std::uint64_t> max_body_bytes) {
  method_ = request.method;
  trail_.emplace(std::move(place));
  while (true) {
    if (stopped_) co_return base::Error{asio::error::operation_aborted, trail_->last().to_string()};
    if (auto done = authorize(request); !done) co_return done.error();
    request.target = trail_->last().target;
    stream_ = std::make_unique<http::Stream>(executor_);
    const base::Time now = base::Clock::now();
    auto head = co_await stream_->open(
        trail_->last().origin, request,
        {now + std::min(kConnectTimeout, head_timeout), now + head_timeout}, max_body_bytes);
    if (!head) {
      base::Error error = head.error();
      if (error.code == http::Errc::not_allowed)
        error.context += ", which is none of the masters: no credentials are sent there";
      co_return error;
    }
    if (!http::is_redirect(head->status)) co_return head;
    const auto location = head->header("Location");
    const auto next = trail_->follow(location.value_or(""));
    if (!next) co_return next.error();
  }
}

asio::awaitable<base::Result<std::string>> MasterCall::body() {
  std::string body;
  while (true) {
    const auto piece = co_await stream_->read(base::Clock::now() + config_.timeout);
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return body;
    body.append(*piece);
  }
}

asio::awaitable<base::Error> MasterCall::refusal(const http::Response& head) {
  const auto said = co_await stream_->read(base::Clock::now() + kRefusalTimeout);
  const std::string what =
      method_ + " " + trail_->last().to_string() + " gave " + std::to_string(head.status);
  co_return base::Error{Errc::refused,
                        what + (said && !said->empty() ? " " + base::in_quotes(*said) : "")};
}

void MasterCall::stop() {
  stopped_ = true;
  if (stream_) stream_->stop();
}

}  // namespace viaduct::mesos
