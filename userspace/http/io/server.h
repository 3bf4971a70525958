#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/result.h"
#include "http/reply.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::http {

/// What clients may ask of a server. Over a limit the request is refused and the connection closed.
struct ServerLimits {
  std::uint32_t header_bytes = 8 * 1024;
  std::uint64_t body_bytes = 64 * 1024;  ///< bodies are read and dropped
  std::size_t connections = 64;          ///< of each listener; one more is told 503
  std::size_t pending_bytes =
      128 * 1024 * 1024;  ///< of replies that clients have not taken yet, together
  std::chrono::milliseconds request_timeout{30'000};  ///< for one request, the wait for it included
  std::chrono::milliseconds reply_timeout{30'000};    ///< for taking one reply
};

/// An HTTP/1.1 server with keep-alive on any number of unix and TCP sockets. Runs on the thread of
/// its io_context.
class Server {
 public:
  /// @param context  outlives the server.
  Server(boost::asio::io_context& context, Handler handler, ServerLimits limits = {});
  Server(boost::asio::io_context& context, HeadHandler handler, ServerLimits limits = {});
  /// Stops.
  ~Server();
  Server(Server&&) noexcept;
  Server& operator=(Server&&) = delete;

  /// Listens on a unix socket with mode 0660. Makes the folder above it, and replaces a socket that
  /// nobody listens on.
  /// @param group  owner of the socket, if the system has such a group; the others keep out.
  /// @errors EADDRINUSE: a process listens there; EEXIST: the path is no socket; the system's code
  /// otherwise.
  base::Result<void> listen_unix(const std::string& path, const std::string& group = "viaduct");

  /// @param endpoint  port 0: the system chooses.
  /// @return where it listens.
  /// @errors the system's code.
  base::Result<base::Endpoint> listen_tcp(const base::Endpoint& endpoint);

  /// Closes every socket and connection and removes the unix sockets, for good. The handler is not
  /// called any more.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace viaduct::http
