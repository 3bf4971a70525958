#include "tests/support/coro_server.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <set>

namespace viaduct::test {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string common_name(SSL* ssl) {
  X509* certificate = SSL_get1_peer_certificate(ssl);
  if (certificate == nullptr) return "";
  char name[64] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
  X509_free(certificate);
  return name;
}

/// A connection while its handler runs.
struct Live : CoroExchange {
  Live(tcp::socket peer, asio::ssl::context* context)
      : socket(std::move(peer)), timer(socket.get_executor()) {
    if (context != nullptr) tls.emplace(socket, *context);
  }

  asio::awaitable<std::pair<error_code, std::size_t>> read(asio::mutable_buffer into) {
    if (tls) {
      const auto [error, bytes] = co_await tls->async_read_some(into, kNoThrow);
      co_return std::pair(error, bytes);
    }
    const auto [error, bytes] = co_await socket.async_read_some(into, kNoThrow);
    co_return std::pair(error, bytes);
  }

  asio::awaitable<bool> send(std::string raw) override {
    if (tls) {
      const auto [error, bytes] = co_await asio::async_write(*tls, asio::buffer(raw), kNoThrow);
      co_return !error;
    }
    const auto [error, bytes] = co_await asio::async_write(socket, asio::buffer(raw), kNoThrow);
    co_return !error;
  }

  asio::awaitable<void> wait(std::chrono::milliseconds time) override {
    timer.expires_after(time);
    co_await timer.async_wait(kNoThrow);
  }

  asio::awaitable<void> gone() override {
    char octets[256];
    while (!(co_await read(asio::buffer(octets))).first) {
    }
  }

  /// @return whether a whole request came.
  asio::awaitable<bool> receive() {
    if (tls) {
      const auto [error] = co_await tls->async_handshake(asio::ssl::stream_base::server, kNoThrow);
      if (error) co_return false;
      const char* name = SSL_get_servername(tls->native_handle(), TLSEXT_NAMETYPE_host_name);
      server_name = name == nullptr ? "" : name;
      client = common_name(tls->native_handle());
    }
    http::request_parser<http::string_body> parser;
    parser.eager(true);
    std::string text;
    char octets[4096];
    while (!parser.is_done()) {
      const auto got = co_await read(asio::buffer(octets));
      if (got.first) co_return false;
      text.append(octets, got.second);
      error_code error;
      text.erase(0, parser.put(asio::buffer(text), error));
      if (error && error != http::error::need_more) co_return false;
    }
    const auto& request = parser.get();
    method = std::string(request.method_string());
    target = std::string(request.target());
    body = request.body();
    for (const auto& field : request)
      headers[lower(field.name_string())] = std::string(field.value());
    co_return true;
  }

  void close() {
    error_code ignored;
    socket.close(ignored);
    timer.cancel();
  }

  tcp::socket socket;
  std::optional<asio::ssl::stream<tcp::socket&>> tls;
  asio::steady_timer timer;
};

}  // namespace

asio::awaitable<void> CoroExchange::answer(unsigned status, std::string contents,
                                           std::string more_headers) {
  co_await send("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" +
                more_headers + "Content-Length: " + std::to_string(contents.size()) + "\r\n\r\n" +
                contents);
}

asio::awaitable<void> CoroExchange::redirect(std::string location) {
  co_await send(
      "HTTP/1.1 307 Temporary Redirect\r\nDate: Sun, 22 Nov 2026 12:36:08 GMT\r\n"
      "Location: " +
      location + "\r\nContent-Length: 0\r\n\r\n");
}

struct CoroServer::Impl : std::enable_shared_from_this<CoroServer::Impl> {
  Impl(asio::io_context& io, Handler handle, const std::string& address, std::uint16_t port)
      : acceptor(io, tcp::endpoint(asio::ip::make_address(address), port)),
        handler(std::move(handle)) {}

  static asio::awaitable<void> serve(std::shared_ptr<Impl> self) {
    while (true) {
      auto [error, socket] = co_await self->acceptor.async_accept(kNoThrow);
      if (error) co_return;
      self->accepted++;
      auto live = std::make_shared<Live>(std::move(socket), self->tls ? &*self->tls : nullptr);
      self->connections.insert(live);
      asio::co_spawn(self->acceptor.get_executor(), serve_one(self, live), asio::detached);
    }
  }

  static asio::awaitable<void> serve_one(std::shared_ptr<Impl> self, std::shared_ptr<Live> live) {
    const bool whole = co_await live->receive();
    if (whole) co_await self->handler(*live);
    live->close();
    self->connections.erase(live);
  }

  void close_all() {
    for (const auto& live : connections) live->close();
  }

  tcp::acceptor acceptor;
  Handler handler;
  std::optional<asio::ssl::context> tls;
  std::set<std::shared_ptr<Live>> connections;
  std::size_t accepted = 0;
};

CoroServer::CoroServer(asio::io_context& context, Handler handler, std::string address,
                       std::uint16_t port)
    : impl_(std::make_shared<Impl>(context, std::move(handler), address, port)) {
  asio::co_spawn(context, Impl::serve(impl_), asio::detached);
}

CoroServer::CoroServer(asio::io_context& context, Tls tls, Handler handler, std::string address)
    : impl_(std::make_shared<Impl>(context, std::move(handler), address, 0)) {
  auto& ssl = impl_->tls.emplace(asio::ssl::context::tls_server);
  ssl.use_certificate_chain_file(tls.certificate);
  ssl.use_private_key_file(tls.key, asio::ssl::context::pem);
  if (!tls.client_ca.empty()) {
    ssl.load_verify_file(tls.client_ca);
    ssl.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  }
  asio::co_spawn(context, Impl::serve(impl_), asio::detached);
}

CoroServer::~CoroServer() {
  error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->close_all();
}

base::Endpoint CoroServer::endpoint() const {
  const tcp::endpoint own = impl_->acceptor.local_endpoint();
  return {*base::Address::parse(own.address().to_string()), own.port()};
}

std::string CoroServer::url() const {
  return (impl_->tls ? "https://" : "http://") + endpoint().to_string();
}

std::size_t CoroServer::open_connections() const { return impl_->connections.size(); }

std::size_t CoroServer::accepted() const { return impl_->accepted; }

void CoroServer::drop_connections() { impl_->close_all(); }

}  // namespace viaduct::test
