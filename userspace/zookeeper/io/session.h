#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "zookeeper/node.h"
#include "zookeeper/url.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::zookeeper {

/// Reads the children of a path with what they hold, and again whenever that changes. It outlives
/// lost connections, servers that restart, and the end of its session: then it makes a new one.
/// Runs on the thread of the io_context, which must outlive it; never blocks it.
class Session {
 public:
  struct Options {
    Url url;  ///< the servers, the credentials, and the path whose children are read
    std::chrono::milliseconds timeout{10'000};          ///< that is asked for; the servers choose
    std::function<bool(std::string_view name)> wanted;  ///< which children are read; empty: all
  };

  /// After the first reading, after each that differs from the one before, and after the first that
  /// follows a failure. A path that does not exist has contents too: `exists` is false.
  using OnContents = std::function<void(Contents)>;
  /// What was told before still stands. Told once until there is another failure, or a reading.
  using OnFailure = std::function<void(std::string)>;

  struct Counters {
    std::uint64_t sessions = 0;     ///< begun
    std::uint64_t connections = 0;  ///< made
    std::uint64_t expirations = 0;  ///< sessions that the servers ended
    std::uint64_t readings = 0;     ///< of the path and its children, whole
    std::uint64_t failures = 0;
  };

  Session(boost::asio::io_context& context, Options options, OnContents on_contents,
          OnFailure on_failure);
  /// Stops.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Call it once.
  void start();
  /// After it no callback is called.
  void stop();

  const Counters& counters() const;
  /// Whether a server has the session at this moment.
  bool connected() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // the running coroutine holds it too
};

}  // namespace viaduct::zookeeper
