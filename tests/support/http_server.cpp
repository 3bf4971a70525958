#include "tests/support/http_server.h"

#include <sys/socket.h>

#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

namespace viaduct::test {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::generic::stream_protocol;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

}  // namespace

void Exchange::answer(unsigned status, std::string_view contents) {
  send("HTTP/1.1 " + std::to_string(status) +
       " X\r\nContent-Type: application/json\r\nContent-Length: " +
       std::to_string(contents.size()) + "\r\n\r\n" + std::string(contents));
}

struct HttpServer::Impl {
  asio::io_context context;
  asio::basic_socket_acceptor<stream_protocol> acceptor{context};
  Handler handler;
  std::atomic<int> connection{-1};
  std::mutex mutex;  // with the condition: a handler's wait ends when the server stops
  std::condition_variable stop_signal;
  bool stopped = false;
  std::thread thread;

  struct Live : Exchange {
    Live(Impl& server, stream_protocol::socket& peer) : impl(server), socket(peer) {}
    bool send(std::string_view raw) override {
      boost::system::error_code error;
      asio::write(socket, asio::buffer(raw), error);
      return !error;
    }
    void wait(std::chrono::milliseconds time) override {
      std::unique_lock lock(impl.mutex);
      impl.stop_signal.wait_for(lock, time, [&] { return impl.stopped; });
    }
    Impl& impl;
    stream_protocol::socket& socket;
  };

  void listen(const stream_protocol::endpoint& endpoint) {
    acceptor.open(endpoint.protocol());
    acceptor.bind(endpoint);
    acceptor.listen();
    thread = std::thread([this] { serve(); });
  }

  void serve() {
    while (true) {
      stream_protocol::socket socket(context);
      boost::system::error_code error;
      acceptor.accept(socket, error);
      if (error) return;
      {
        const std::lock_guard lock(mutex);
        if (stopped) return;
        connection = socket.native_handle();
      }
      serve_one(socket);
      const std::lock_guard lock(mutex);
      connection = -1;
    }
  }

  void serve_one(stream_protocol::socket& socket) {
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    boost::system::error_code error;
    http::read(socket, buffer, request, error);
    if (error) return;
    Live live(*this, socket);
    live.method = std::string(request.method_string());
    live.target = std::string(request.target());
    live.body = request.body();
    for (const auto& field : request)
      live.headers[lower(field.name_string())] = std::string(field.value());
    handler(live);
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopped = true;
      if (connection >= 0) ::shutdown(connection, SHUT_RDWR);
    }
    stop_signal.notify_all();
    ::shutdown(acceptor.native_handle(), SHUT_RDWR);
    thread.join();
  }
};

HttpServer::HttpServer(Handler handler) : impl_(std::make_unique<Impl>()) {
  impl_->handler = std::move(handler);
  impl_->listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
}

HttpServer::HttpServer(Handler handler, const std::string& socket_path)
    : impl_(std::make_unique<Impl>()) {
  impl_->handler = std::move(handler);
  impl_->listen(asio::local::stream_protocol::endpoint(socket_path));
}

HttpServer::~HttpServer() { impl_->stop(); }

std::uint16_t HttpServer::port() const {
  asio::ip::tcp::endpoint endpoint;
  const auto generic = impl_->acceptor.local_endpoint();
  endpoint.resize(generic.size());
  std::memcpy(endpoint.data(), generic.data(), generic.size());
  return endpoint.port();
}

std::string HttpServer::url() const { return "http://127.0.0.1:" + std::to_string(port()); }

}  // namespace viaduct::test
