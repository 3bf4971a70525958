#include "http/io/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "http/errors.h"

namespace viaduct::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

constexpr int kKeepaliveIdleSeconds = 30;
constexpr int kKeepaliveIntervalSeconds = 10;
constexpr int kKeepaliveProbes = 3;

asio::ip::tcp::endpoint to_asio(const base::Endpoint& endpoint) {
  if (endpoint.address.is_v4())
    return {asio::ip::address_v4(endpoint.address.v4_value()), endpoint.port};
  return {asio::ip::address_v6(endpoint.address.mapped()), endpoint.port};
}

/// The probes are a help; a socket without them works, so what setsockopt() says does not matter.
void set_keepalive(int fd) {
  const auto set = [fd](int level, int name, int value) {
    (void)::setsockopt(fd, level, name, &value, sizeof(value));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveIntervalSeconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
}

/// What OpenSSL said last on this thread.
std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "" : std::string(": ") + reason;
}

base::Result<void> load(SSL_CTX* context, const TlsFiles& files) {
  ERR_clear_error();
  const auto bad = [](const std::string& path) {
    return base::Error{Errc::bad_tls_files, path + openssl_reason()};
  };
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) return bad("TLS 1.2");
  if (files.ca.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) return bad("the system's certificates");
  } else if (SSL_CTX_load_verify_locations(context, files.ca.c_str(), nullptr) != 1) {
    return bad(files.ca);
  }
  if (files.certificate.empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return bad(files.certificate);
  // Also says whether the key is the certificate's.
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return bad(files.key);
  return {};
}

/// Whom the peer has to be.
base::Result<void> expect(SSL* ssl, const std::string& host) {
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  const auto address = base::Address::parse(host);
  bool fine = false;
  if (address) {
    const auto octets = address->octets();
    fine = X509_VERIFY_PARAM_set1_ip(param, octets.data(), octets.size()) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    fine = X509_VERIFY_PARAM_set1_host(param, host.data(), host.size()) == 1 &&
           SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  }
  if (fine) return {};
  return base::Error{Errc::tls_failed, "host " + host + openssl_reason()};
}

}  // namespace

asio::awaitable<error_code> Socket::connect(base::Endpoint to) {
  const asio::ip::tcp::endpoint endpoint = to_asio(to);
  error_code error;
  close();
  socket_.open(endpoint.protocol(), error);
  if (error) co_return error;
  set_keepalive(socket_.native_handle());
  const auto [failure] = co_await socket_.async_connect(endpoint, kNoThrow);
  co_return failure;
}

asio::awaitable<error_code> Socket::connect_unix(std::string path) {
  const auto [failure] =
      co_await socket_.async_connect(asio::local::stream_protocol::endpoint(path), kNoThrow);
  co_return failure;
}

asio::awaitable<base::Result<void>> Socket::start_tls(const TlsFiles& files, std::string host) {
  context_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  if (auto loaded = load(context_->native_handle(), files); !loaded) co_return loaded;
  tls_ = std::make_unique<asio::ssl::stream<Plain&>>(socket_, *context_);
  SSL* ssl = tls_->native_handle();
  if (auto expected = expect(ssl, host); !expected) co_return expected;
  ERR_clear_error();
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::client, kNoThrow);
  if (!error) co_return base::Result<void>();
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK)
    co_return base::Error{Errc::bad_certificate, X509_verify_cert_error_string(verdict)};
  if (error.category() == asio::error::get_ssl_category() ||
      error.category() == asio::ssl::error::get_stream_category())
    co_return base::Error{Errc::tls_failed, error.message()};
  co_return base::Error{error, ""};
}

asio::awaitable<error_code> Socket::write(std::string_view octets) {
  const auto buffer = asio::buffer(octets.data(), octets.size());
  if (tls_) {
    const auto [error, bytes] = co_await asio::async_write(*tls_, buffer, kNoThrow);
    co_return error;
  }
  const auto [error, bytes] = co_await asio::async_write(socket_, buffer, kNoThrow);
  co_return error;
}

asio::awaitable<std::pair<error_code, std::size_t>> Socket::read_some(asio::mutable_buffer into) {
  if (tls_) {
    const auto [error, bytes] = co_await tls_->async_read_some(into, kNoThrow);
    co_return std::pair(error, bytes);
  }
  const auto [error, bytes] = co_await socket_.async_read_some(into, kNoThrow);
  co_return std::pair(error, bytes);
}

void Socket::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace viaduct::http
