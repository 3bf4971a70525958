#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

struct _zhandle;

namespace viaduct::zookeeper {

/// Owns one session of the library without threads. Nothing here waits.
class Handle {
 public:
  /// What the library waits for.
  struct Interest {
    int descriptor = -1;  ///< the library's own, until the next call; -1: only for the time
    bool read = false;
    bool write = false;
    std::chrono::microseconds wait{0};  ///< at most
    bool failed = false;                ///< a connection could not be made, or was given up
  };

  using Watcher = void (*)(_zhandle*, int type, int state, const char* path, void* context);

  Handle() = default;
  /// Leaves the session to the servers, which end it after its timeout: to close it politely, the
  /// library would wait for the server's answer.
  ~Handle();
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;

  /// A session that is to be made; connects to nothing yet.
  /// @param servers  addresses, so that nothing is looked up.
  /// @param credentials  "user:password" for the scheme digest; "": none.
  /// @errors the system's code.
  static base::Result<Handle> open(const std::vector<base::Endpoint>& servers,
                                   std::chrono::milliseconds timeout,
                                   const std::string& credentials, Watcher watcher, void* context);

  /// Begins a connection when there is none, sends what is due.
  Interest interest();
  /// Does what became possible; calls the watcher and the completions.
  /// @return false: the connection failed.
  bool process(bool readable, bool writable);

  bool connected() const;
  bool expired() const;
  /// The server says that it only reads, which it was not asked to. interest() must not be called
  /// then: the library waits for other servers' answers.
  bool read_only() const;
  bool refused() const;  ///< the servers do not take the credentials
  /// That the servers grant; meaningful when connected.
  std::chrono::milliseconds timeout() const;
  /// The server of the present or last attempt, as the library writes it.
  std::string server() const;

  _zhandle* get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  _zhandle* handle_ = nullptr;
  int descriptor_ = -1;  // borrowed from the library
};

}  // namespace viaduct::zookeeper
