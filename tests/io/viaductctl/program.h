#pragma once

#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "api/views.h"
#include "http/io/server.h"

namespace viaduct::ctltest {

/// What a run of viaductctl left behind.
struct Outcome {
  int exit = -1;
  std::string out;
  std::string err;
};

/// Runs the built viaductctl to its end.
Outcome run(std::vector<std::string> arguments);

/// A folder that goes away with its owner.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Serves views on a unix socket from a thread of its own, as viaductd does.
class Daemon {
 public:
  /// @param views  outlives the daemon.
  explicit Daemon(const api::Views& views);
  ~Daemon();
  std::string socket() const { return folder_.path() + "/api.sock"; }

 private:
  Folder folder_;
  boost::asio::io_context context_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

}  // namespace viaduct::ctltest
