#include "http/io/client.h"

#include <openssl/evp.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <exception>

#include "http/errors.h"

namespace viaduct::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr unsigned kHttp11 = 11;

using TcpStream = beast::basic_stream<asio::ip::tcp>;
using UnixStream = beast::basic_stream<asio::local::stream_protocol>;
using OutgoingRequest = bhttp::request<bhttp::string_body>;

std::string base64(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock ends with a zero
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(
      reinterpret_cast<unsigned char*>(out.data()),
      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()))));
  return out;
}

OutgoingRequest encode(const Origin& origin, const Request& request) {
  OutgoingRequest out;
  out.version(kHttp11);
  out.method_string(request.method);
  out.target(request.target);
  out.set(bhttp::field::host, origin.host_header());
  out.set(bhttp::field::user_agent, "viaduct/" VIADUCT_VERSION);
  out.set(bhttp::field::connection, "close");
  for (const auto& [name, value] : request.headers) out.set(name, value);
  if (request.auth)
    out.set(bhttp::field::authorization,
            "Basic " + base64(request.auth->user + ":" + request.auth->password));
  out.body() = request.body;
  out.prepare_payload();
  return out;
}

/// Our code for what Beast reports, so that callers need not know Beast.
error_code translate(error_code code) {
  if (code == beast::error::timeout) return Errc::timed_out;
  if (code == bhttp::error::body_limit || code == bhttp::error::header_limit)
    return Errc::answer_too_large;
  if (code == bhttp::error::end_of_stream || code == bhttp::error::partial_message ||
      code == asio::error::eof)
    return Errc::cut_off;
  if (code.category() == make_error_code(bhttp::error::bad_version).category())
    return Errc::malformed_answer;
  return code;
}

/// Sends and receives on a connected stream whose deadline is set.
template <class Stream>
asio::awaitable<base::Result<Response>> exchange(Stream& stream, const OutgoingRequest& request,
                                                 const Limits& limits, std::string what) {
  // A peer that answers early and closes makes the write fail; its answer still counts.
  const auto [write_error, written] = co_await bhttp::async_write(stream, request, kNoThrow);
  bhttp::response_parser<bhttp::buffer_body> parser;
  parser.header_limit(kMaxAnswerHeadBytes);
  parser.body_limit(limits.max_answer_bytes);
  if (request.method() == bhttp::verb::head) parser.skip(true);
  beast::flat_buffer buffer(kReadBytes + kMaxAnswerHeadBytes);
  auto [head_error, head_bytes] =
      co_await bhttp::async_read_header(stream, buffer, parser, kNoThrow);
  if (head_error)
    co_return base::Error{translate(write_error ? write_error : head_error), std::move(what)};
  Response response;
  response.status = parser.get().result_int();
  for (const auto& field : parser.get())
    response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  std::string piece(kReadBytes, '\0');
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    body.more = true;
    auto [error, bytes] = co_await bhttp::async_read(stream, buffer, parser, kNoThrow);
    if (error && error != bhttp::error::need_buffer) {
      if (error == bhttp::error::body_limit)
        what += ", more than " + std::to_string(limits.max_answer_bytes) + " bytes";
      co_return base::Error{translate(error), std::move(what)};
    }
    response.body.append(piece, 0, piece.size() - body.size);
  }
  co_return response;
}

asio::awaitable<base::Result<Response>> over_unix(const Origin& origin,
                                                  const OutgoingRequest& request,
                                                  const Limits& limits, std::string what) {
  UnixStream stream(co_await asio::this_coro::executor);
  stream.expires_after(limits.timeout);
  const auto [error] = co_await stream.async_connect(
      asio::local::stream_protocol::endpoint(origin.socket_path), kNoThrow);
  if (error) co_return base::Error{translate(error), std::move(what)};
  co_return co_await exchange(stream, request, limits, std::move(what));
}

asio::awaitable<base::Result<Response>> over_tcp(const Origin& origin,
                                                 const OutgoingRequest& request,
                                                 const Limits& limits, std::string what) {
  const auto executor = co_await asio::this_coro::executor;
  TcpStream stream(executor);
  stream.expires_after(limits.timeout);
  error_code not_literal;
  const auto literal = asio::ip::make_address(origin.host, not_literal);
  if (!not_literal) {
    const auto [error] =
        co_await stream.async_connect(asio::ip::tcp::endpoint(literal, origin.port), kNoThrow);
    if (error) co_return base::Error{translate(error), std::move(what)};
  } else {
    asio::ip::tcp::resolver resolver(executor);
    const auto [unresolved, endpoints] =
        co_await resolver.async_resolve(origin.host, std::to_string(origin.port), kNoThrow);
    if (unresolved) co_return base::Error{unresolved, std::move(what)};
    const auto [error, endpoint] = co_await stream.async_connect(endpoints, kNoThrow);
    if (error) co_return base::Error{translate(error), std::move(what)};
  }
  co_return co_await exchange(stream, request, limits, std::move(what));
}

}  // namespace

std::optional<std::string_view> Response::header(std::string_view name) const {
  for (const auto& [own, value] : headers)
    if (beast::iequals(own, name)) return value;
  return std::nullopt;
}

asio::awaitable<base::Result<Response>> request(Origin origin, Request request, Limits limits) {
  std::string what = request.method + " " + origin.to_string() + request.target;
  const OutgoingRequest outgoing = encode(origin, request);
  if (origin.is_unix()) co_return co_await over_unix(origin, outgoing, limits, std::move(what));
  co_return co_await over_tcp(origin, outgoing, limits, std::move(what));
}

base::Result<Response> fetch(const Origin& origin, const Request& outgoing, const Limits& limits) {
  asio::io_context context(1);
  std::optional<base::Result<Response>> result;
  std::exception_ptr failure;
  asio::co_spawn(context, request(origin, outgoing, limits),
                 [&](std::exception_ptr thrown, base::Result<Response> answer) {
                   failure = thrown;
                   result = std::move(answer);
                 });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

}  // namespace viaduct::http
