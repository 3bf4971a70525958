#include "http/io/server.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <list>
#include <utility>
#include <vector>

#include "base/io/fd.h"
#include "base/io/log.h"

namespace viaduct::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
using Stream = beast::basic_stream<asio::generic::stream_protocol>;
constexpr auto kUse = asio::as_tuple(asio::use_awaitable);

/// Pause after a failed accept, most often for want of descriptors, so that it does not spin.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

/// A socket file that this process made: only that one is removed at the end.
struct SocketFile {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;
};

base::Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    return base::from_errno(ENAMETOOLONG, "listen on " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

/// Removes a socket that a dead process left behind.
base::Result<void> clear_path(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return base::from_errno(errno, "look at " + path);
  }
  if (!S_ISSOCK(status.st_mode)) return base::from_errno(EEXIST, path + " is not a socket");
  const base::Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return base::from_errno(errno, "open a socket");
  // A full backlog (EAGAIN) also means that somebody listens.
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
      errno == EAGAIN)
    return base::from_errno(EADDRINUSE, "another process listens on " + path);
  if (errno != ECONNREFUSED) return base::from_errno(errno, "connect to " + path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return base::from_errno(errno, "remove " + path);
  return {};
}

/// Binds so that nobody else can connect before owner and mode are right.
base::Result<SocketFile> bind_unix(Acceptor& acceptor, const std::string& path) {
  boost::system::error_code error;
  acceptor.open(asio::generic::stream_protocol(AF_UNIX, 0), error);
  if (error) return base::Error{error, "open a socket for " + path};
  // Linux takes the new file's mode from the unbound socket.
  if (::fchmod(acceptor.native_handle(), 0600) != 0)
    return base::from_errno(errno, "set the mode of " + path);
  acceptor.bind(asio::local::stream_protocol::endpoint(path), error);
  if (error) return base::Error{error, "listen on " + path};
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return base::from_errno(errno, "look at " + path);
  return SocketFile{path, status.st_dev, status.st_ino};
}

base::Result<void> share_with_group(const std::string& path, const std::string& group) {
  const struct group* found = ::getgrnam(group.c_str());
  if (found && ::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0)
    return base::from_errno(errno, "give " + path + " to the group " + group);
  if (::chmod(path.c_str(), 0660) != 0) return base::from_errno(errno, "set the mode of " + path);
  return {};
}

void remove_socket_file(const SocketFile& file) {
  struct stat status {};
  if (::lstat(file.path.c_str(), &status) != 0) return;
  if (status.st_dev == file.device && status.st_ino == file.inode) ::unlink(file.path.c_str());
}

Reply refusal(unsigned status, const std::string& sentence) {
  return {status, "application/json", "{\"error\":\"" + sentence + "\"}\n", ""};
}

/// What a request that could not be read is told; status 0: nothing, the peer is gone or silent.
Reply refusal_for(const boost::system::error_code& error) {
  if (error == bhttp::error::header_limit) return refusal(431, "the header is too large");
  if (error == bhttp::error::body_limit) return refusal(413, "the body is too large");
  if (error.category() == make_error_code(bhttp::error::bad_method).category() &&
      error != bhttp::error::end_of_stream && error != bhttp::error::partial_message)
    return refusal(400, "this is not an HTTP request");
  return {0, "", "", ""};
}

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  struct Listener {
    explicit Listener(asio::io_context& context) : acceptor(context), pause(context) {}
    Acceptor acceptor;
    asio::steady_timer pause;
    std::size_t connections = 0;
    bool closed = false;
  };

  State(asio::io_context& io, HeadHandler answer, ServerLimits bounds)
      : context(io), handler(std::move(answer)), limits(bounds) {}

  void start(std::shared_ptr<Listener> listener) {
    listeners.push_back(listener);
    asio::co_spawn(context, accept_loop(shared_from_this(), std::move(listener)), asio::detached);
  }

  void stop() {
    stopped = true;
    for (const auto& listener : listeners) {
      listener->closed = true;
      boost::system::error_code ignored;
      listener->acceptor.close(ignored);
      listener->pause.cancel();
    }
    listeners.clear();
    for (const SocketFile& file : files) remove_socket_file(file);
    files.clear();
    for (Stream* stream : streams) stream->close();
  }

  Reply answer(const bhttp::request<bhttp::string_body>& request) {
    if (pending > 0 && pending >= limits.pending_bytes)
      return refusal(503, "too many replies are still being sent");
    const auto view = [](auto text) { return std::string_view(text.data(), text.size()); };
    std::string accept;
    const auto fields = request.equal_range(bhttp::field::accept);
    for (auto field = fields.first; field != fields.second; ++field)
      accept += (accept.empty() ? "" : ",") + std::string(view(field->value()));
    RequestHead head{view(request.method_string()), view(request.target()), std::nullopt};
    if (fields.first != fields.second) head.accept = accept;
    return handler(head);
  }

  static asio::awaitable<void> accept_loop(std::shared_ptr<State> self,
                                           std::shared_ptr<Listener> listener);
  static asio::awaitable<void> serve(std::shared_ptr<State> self,
                                     std::shared_ptr<Listener> listener,
                                     asio::generic::stream_protocol::socket socket);
  static asio::awaitable<void> converse(State& self, Stream& stream);
  static asio::awaitable<bool> send(State& self, Stream& stream, Reply reply, unsigned version,
                                    bool keep_alive, bool head);
  static void turn_away(asio::generic::stream_protocol::socket socket);

  asio::io_context& context;
  HeadHandler handler;
  ServerLimits limits;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::vector<SocketFile> files;
  std::list<Stream*> streams;  // those of running serve() coroutines, which own them
  std::size_t pending = 0;     // bytes of bodies in send()
  bool stopped = false;
};

asio::awaitable<void> Server::State::accept_loop(std::shared_ptr<State> self,
                                                 std::shared_ptr<Listener> listener) {
  bool failing = false;
  while (!listener->closed) {
    auto [error, socket] = co_await listener->acceptor.async_accept(kUse);
    if (listener->closed) co_return;
    if (error) {
      if (!std::exchange(failing, true))
        log::warn("http_accept_failed", {{"error", error.message()}});
      listener->pause.expires_after(kAcceptPause);
      co_await listener->pause.async_wait(kUse);
      continue;
    }
    failing = false;
    if (listener->connections >= self->limits.connections) {
      turn_away(std::move(socket));
      continue;
    }
    listener->connections++;
    asio::co_spawn(self->context, serve(self, listener, std::move(socket)), asio::detached);
  }
}

void Server::State::turn_away(asio::generic::stream_protocol::socket socket) {
  static constexpr std::string_view kBusy =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json\r\n"
      "Content-Length: 34\r\n\r\n{\"error\":\"too many connections\"}\r\n";
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(kBusy.data(), kBusy.size()), ignored);
}

asio::awaitable<void> Server::State::serve(std::shared_ptr<State> self,
                                           std::shared_ptr<Listener> listener,
                                           asio::generic::stream_protocol::socket socket) {
  Stream stream(std::move(socket));
  const auto place = self->streams.insert(self->streams.end(), &stream);
  co_await converse(*self, stream);
  self->streams.erase(place);
  listener->connections--;
}

asio::awaitable<void> Server::State::converse(State& self, Stream& stream) {
  beast::flat_buffer buffer(self.limits.header_bytes + self.limits.body_bytes);
  while (!self.stopped) {
    bhttp::request_parser<bhttp::string_body> parser;
    parser.header_limit(self.limits.header_bytes);
    parser.body_limit(self.limits.body_bytes);
    stream.expires_after(self.limits.request_timeout);
    const auto [error, count] = co_await bhttp::async_read(stream, buffer, parser, kUse);
    if (error) {
      Reply reply = refusal_for(error);
      if (reply.status) co_await send(self, stream, std::move(reply), 11, false, false);
      break;
    }
    if (self.stopped) break;
    const auto& request = parser.get();
    const bool stays = request.keep_alive();
    Reply reply = self.answer(request);
    const bool sent = co_await send(self, stream, std::move(reply), request.version(), stays,
                                    request.method() == bhttp::verb::head);
    if (!sent || !stays) break;
  }
  boost::system::error_code ignored;
  stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
}

asio::awaitable<bool> Server::State::send(State& self, Stream& stream, Reply reply,
                                          unsigned version, bool keep_alive, bool head) {
  bhttp::response<bhttp::string_body> response(static_cast<bhttp::status>(reply.status), version);
  response.set(bhttp::field::content_type, reply.content_type);
  response.set(bhttp::field::cache_control, "no-store");
  if (!reply.allow.empty()) response.set(bhttp::field::allow, reply.allow);
  response.keep_alive(keep_alive);
  response.content_length(reply.body.size());
  if (!head) response.body() = std::move(reply.body);
  const std::size_t size = response.body().size();
  self.pending += size;
  stream.expires_after(self.limits.reply_timeout);
  bhttp::response_serializer<bhttp::string_body> serializer(response);
  const auto [error, count] = co_await bhttp::async_write(stream, serializer, kUse);
  self.pending -= size;
  co_return !error;
}

Server::Server(asio::io_context& context, Handler handler, ServerLimits limits)
    : Server(
          context,
          [handler = std::move(handler)](const RequestHead& head) {
            return handler(head.method == "HEAD" ? "GET" : head.method, head.target);
          },
          limits) {}

Server::Server(asio::io_context& context, HeadHandler handler, ServerLimits limits)
    : state_(std::make_shared<State>(context, std::move(handler), limits)) {}

Server::~Server() {
  if (state_) stop();
}

Server::Server(Server&&) noexcept = default;

void Server::stop() { state_->stop(); }

base::Result<void> Server::listen_unix(const std::string& path, const std::string& group) {
  const auto address = unix_address(path);
  if (!address) return address.error();
  std::error_code folder_error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), folder_error);
  if (folder_error) return base::from_errno(folder_error.value(), "make the folder of " + path);
  if (auto cleared = clear_path(path, *address); !cleared) return cleared.error();

  auto listener = std::make_shared<State::Listener>(state_->context);
  const auto file = bind_unix(listener->acceptor, path);
  if (!file) return file.error();
  state_->files.push_back(*file);
  if (auto shared = share_with_group(path, group); !shared) return shared.error();
  boost::system::error_code error;
  listener->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return base::Error{error, "listen on " + path};
  state_->start(std::move(listener));
  return {};
}

base::Result<base::Endpoint> Server::listen_tcp(const base::Endpoint& endpoint) {
  const std::string context = "listen on " + endpoint.to_string();
  boost::system::error_code error;
  const asio::ip::tcp::endpoint wanted(asio::ip::make_address(endpoint.address.to_string(), error),
                                       endpoint.port);
  if (error) return base::Error{error, context};
  auto listener = std::make_shared<State::Listener>(state_->context);
  Acceptor& acceptor = listener->acceptor;
  acceptor.open(asio::generic::stream_protocol(wanted.protocol()), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(wanted, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return base::Error{error, context};

  asio::ip::tcp::endpoint local;
  const auto bound = acceptor.local_endpoint(error);
  if (error) return base::Error{error, context};
  std::memcpy(local.data(), bound.data(), bound.size());
  state_->start(std::move(listener));
  return base::Endpoint{endpoint.address, local.port()};
}

}  // namespace viaduct::http
