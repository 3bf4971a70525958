#include "http/io/stream.h"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>
#include <vector>

#include "http/errors.h"
#include "http/io/answer_parser.h"
#include "http/io/client.h"
#include "http/io/lookup.h"
#include "http/io/socket.h"

namespace viaduct::http {
namespace {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 64 * 1024;

std::string base64(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock ends with a zero
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(out.data()),
      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()))));
  return out;
}

/// A header of the caller replaces ours of the same name.
std::string encode(const Origin& origin, const Request& request) {
  std::vector<std::pair<std::string, std::string>> headers = request.headers;
  if (request.auth)
    headers.emplace_back("Authorization",
                         "Basic " + base64(request.auth->user + ":" + request.auth->password));
  const bool has_length = !request.body.empty() || request.method == "POST";
  if (has_length) headers.emplace_back("Content-Length", std::to_string(request.body.size()));
  const Response given{0, headers, ""};
  const std::pair<const char*, std::string> own[] = {{"Host", origin.host_header()},
                                                     {"User-Agent", "viaduct/" VIADUCT_VERSION},
                                                     {"Connection", "close"}};
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
  for (const auto& [name, value] : own)
    if (!given.header(name)) text += std::string(name) + ": " + value + "\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  return text + "\r\n" + request.body;
}

/// Our code for what Asio and Beast report, so that callers need not know them.
error_code translate(error_code code) {
  if (code == bhttp::error::body_limit || code == bhttp::error::header_limit)
    return Errc::answer_too_large;
  if (code == bhttp::error::end_of_stream || code == bhttp::error::partial_message ||
      code == asio::error::eof || code == asio::ssl::error::stream_truncated)
    return Errc::cut_off;
  if (code.category() == make_error_code(bhttp::error::bad_version).category())
    return Errc::malformed_answer;
  return code;
}

}  // namespace

struct Stream::Impl : std::enable_shared_from_this<Stream::Impl> {
  explicit Impl(const asio::any_io_executor& executor)
      : timer(executor), lookup(executor), socket(executor) {
    parser.header_limit(kMaxAnswerHeadBytes);
    parser.body_limit(boost::none);
    parser.eager(false);
  }

  /// From now on everything ends at the deadline.
  void arm(base::Time deadline) {
    timer.expires_at(deadline);  // cancels the wait for the one before
    if (deadline == base::Time::max()) return;
    timer.async_wait([weak = weak_from_this()](error_code error) {
      const auto impl = weak.lock();
      if (error || !impl || impl->timer.expiry() > base::Clock::now()) return;
      impl->timed_out = true;
      impl->abort();
    });
  }

  void abort() {
    lookup.stop();
    socket.close();
  }

  base::Error fail(error_code code, const std::string& more = "") const {
    if (stopped) return {asio::error::operation_aborted, what};
    if (timed_out) return {Errc::timed_out, what};
    std::string context = what;
    if (code == bhttp::error::body_limit && max_body_bytes)
      context += ", more than " + std::to_string(*max_body_bytes) + " bytes";
    if (!more.empty()) context += ", " + more;
    return {translate(code), std::move(context)};
  }

  bool ended() const { return stopped || timed_out; }

  asio::awaitable<base::Result<void>> connect(const Origin& origin, const Request& request) {
    if (origin.is_unix()) {
      const error_code error = co_await socket.connect_unix(origin.socket_path);
      if (error || ended()) co_return fail(error);
      co_return base::Result<void>();
    }
    const auto addresses = co_await lookup.resolve(origin.host);
    if (!addresses || ended()) co_return fail(addresses ? error_code() : addresses.error().code);
    error_code error = Errc::not_allowed;
    for (const base::Address& address : *addresses) {
      const base::Endpoint to{address, origin.port};
      const auto& only = request.only_to;
      if (!only.empty() && std::ranges::find(only, to) == only.end()) continue;
      error = co_await socket.connect(to);
      if (ended()) break;
      if (error) continue;
      peer = to;
      break;
    }
    if (error || ended()) co_return fail(error);
    if (!origin.tls) co_return base::Result<void>();
    const auto agreed = co_await socket.start_tls(request.tls, origin.host);
    if (!agreed || ended())
      co_return agreed ? fail({}) : fail(agreed.error().code, agreed.error().context);
    co_return base::Result<void>();
  }

  /// Lets the parser have what there is, and reads when that is not enough.
  /// @return an error, or none: the parser has got on.
  asio::awaitable<error_code> advance(base::Time deadline) {
    parser.piece = {};
    while (true) {
      if (buffer.size() > 0) {
        error_code error;
        const std::size_t used = parser.put(buffer.data(), error);
        buffer.consume(used);
        if (error && error != bhttp::error::need_more) co_return error;
        if (used > 0 && !error) co_return error_code();
      }
      if (buffer.size() >= kMaxAnswerBufferBytes) co_return bhttp::error::header_limit;
      arm(deadline);
      const std::size_t room = std::min(kReadBytes, kMaxAnswerBufferBytes - buffer.size());
      const auto [error, bytes] = co_await socket.read_some(buffer.prepare(room));
      buffer.commit(bytes);
      received += bytes;
      if (ended()) co_return asio::error::operation_aborted;
      if (error == asio::error::eof && parser.got_some()) {
        error_code at_end;
        parser.put_eof(at_end);
        co_return at_end;
      }
      if (error) co_return error;
    }
  }

  asio::steady_timer timer;
  Lookup lookup;
  Socket socket;
  AnswerParser parser;
  boost::beast::flat_buffer buffer{kMaxAnswerBufferBytes};
  std::string what;
  std::optional<std::uint64_t> max_body_bytes;
  std::optional<base::Endpoint> peer;
  std::uint64_t received = 0;
  bool timed_out = false;
  bool stopped = false;
};

Stream::Stream(asio::any_io_executor executor) : impl_(std::make_shared<Impl>(executor)) {}

Stream::~Stream() { impl_->abort(); }

asio::awaitable<base::Result<Response>> Stream::open(Origin origin, Request request,
                                                     Deadlines deadlines,
                                                     std::optional<std::uint64_t> max_body_bytes) {
  Impl& impl = *impl_;
  impl.what = request.method + " " + origin.to_string() + request.target;
  impl.max_body_bytes = max_body_bytes;
  if (max_body_bytes) impl.parser.body_limit(*max_body_bytes);
  if (request.method == "HEAD") impl.parser.skip(true);
  if (impl.ended()) co_return impl.fail({});
  impl.arm(deadlines.connect);
  const auto connected = co_await impl.connect(origin, request);
  if (!connected) co_return connected.error();
  impl.arm(deadlines.head);
  // A peer that answers early and closes makes the write fail; its answer still counts.
  const error_code write_error = co_await impl.socket.write(encode(origin, request));
  while (!impl.ended() && !impl.parser.is_header_done()) {
    const error_code error = co_await impl.advance(deadlines.head);
    if (error) co_return impl.fail(write_error ? write_error : error);
  }
  if (impl.ended()) co_return impl.fail({});
  impl.arm(base::Time::max());
  co_return std::move(impl.parser.head);
}

asio::awaitable<base::Result<std::string_view>> Stream::read(base::Time deadline) {
  Impl& impl = *impl_;
  while (!impl.ended() && !impl.parser.is_done()) {
    const error_code error = co_await impl.advance(deadline);
    if (error) co_return impl.fail(error);
    if (!impl.parser.piece.empty()) co_return impl.parser.piece;
  }
  if (impl.ended()) co_return impl.fail({});
  co_return std::string_view();
}

void Stream::stop() {
  impl_->stopped = true;
  impl_->abort();
}

std::optional<base::Endpoint> Stream::peer() const { return impl_->peer; }

std::uint64_t Stream::received_bytes() const { return impl_->received; }

}  // namespace viaduct::http
