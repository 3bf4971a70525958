#include "http/io/client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <optional>

#include "http/io/stream.h"

namespace viaduct::http {

namespace asio = boost::asio;

asio::awaitable<base::Result<Response>> request(Origin origin, Request request, Limits limits) {
  const base::Time deadline = base::Clock::now() + limits.timeout;
  Stream stream(co_await asio::this_coro::executor);
  auto response = co_await stream.open(std::move(origin), std::move(request), {deadline, deadline},
                                       limits.max_answer_bytes);
  if (!response) co_return response.error();
  while (true) {
    const auto piece = co_await stream.read(deadline);
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return response;
    response->body.append(*piece);
  }
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
