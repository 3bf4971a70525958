#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::test {

/// One request that arrived at a CoroServer, and the connection to answer on.
class CoroExchange {
 public:
  virtual ~CoroExchange() = default;

  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  std::string server_name;  ///< what the client asked for in TLS (SNI); "" for none
  std::string client;       ///< the common name of the client's certificate; "" for none

  /// Writes octets as they are, in one write. @return false when the client is gone.
  virtual boost::asio::awaitable<bool> send(std::string raw) = 0;
  virtual boost::asio::awaitable<void> wait(std::chrono::milliseconds time) = 0;
  /// Until the client has gone, or the server ends.
  virtual boost::asio::awaitable<void> gone() = 0;

  /// A whole answer with Content-Length.
  /// @param headers  whole lines.
  boost::asio::awaitable<void> answer(unsigned status, std::string contents,
                                      std::string more_headers = "");
  /// 307 to a Location.
  boost::asio::awaitable<void> redirect(std::string location);
};

/// A real HTTP server on an address of this machine, within a test's own loop: any number of
/// connections at once, a request each.
class CoroServer {
 public:
  /// Runs for each connection; its end closes the connection.
  using Handler = std::function<boost::asio::awaitable<void>(CoroExchange&)>;
  /// Files in PEM; with `client_ca` clients have to show a certificate of it.
  struct Tls {
    std::string certificate;
    std::string key;
    std::string client_ca{};
  };

  CoroServer(boost::asio::io_context& context, Handler handler, std::string address = "127.0.0.1",
             std::uint16_t port = 0);
  CoroServer(boost::asio::io_context& context, Tls tls, Handler handler,
             std::string address = "127.0.0.1");
  /// Closes all connections.
  ~CoroServer();
  CoroServer(const CoroServer&) = delete;
  CoroServer& operator=(const CoroServer&) = delete;

  base::Endpoint endpoint() const;
  /// "http://127.0.0.1:PORT", or https.
  std::string url() const;
  /// Connections that are open.
  std::size_t open_connections() const;
  /// Connections that were ever accepted.
  std::size_t accepted() const;
  /// Closes those that are open.
  void drop_connections();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace viaduct::test
