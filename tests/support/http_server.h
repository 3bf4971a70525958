#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace viaduct::test {

/// One request that arrived at an HttpServer, and the connection to answer on.
class Exchange {
 public:
  virtual ~Exchange() = default;

  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  /// Writes bytes as they are. @return false when the client is gone.
  virtual bool send(std::string_view raw) = 0;
  /// Waits; returns early when the server is stopped.
  virtual void wait(std::chrono::milliseconds time) = 0;

  /// A whole answer with Content-Length.
  void answer(unsigned status, std::string_view contents);
};

/// A real HTTP server on 127.0.0.1 or a unix socket, one connection at a time, in a thread of its
/// own. The handler runs in that thread; returning closes the connection.
class HttpServer {
 public:
  using Handler = std::function<void(Exchange&)>;

  explicit HttpServer(Handler handler);
  HttpServer(Handler handler, const std::string& socket_path);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;
  /// "http://127.0.0.1:PORT".
  std::string url() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace viaduct::test
