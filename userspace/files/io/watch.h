#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "files/config.h"
#include "service/row.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::files {

/// Watches the directory of service files and hands on what they say.
/// Files count that are named *.toml and do not begin with a dot. The directory may be absent,
/// appear later, or be replaced as a whole. Runs on the thread of the io_context, which must
/// outlive it.
class Watch {
 public:
  /// At the start, and after each change of a file.
  using OnRows = std::function<void(service::SourceParts)>;
  /// When the directory cannot be watched any more; the rows handed on before still hold. Called
  /// once for each new reason; rows follow when the directory is back.
  using OnFailure = std::function<void(std::string)>;

  /// How often it is looked whether the path still leads to the watched directory.
  static constexpr std::chrono::milliseconds kCheckInterval{1000};

  /// @param config  with `directory` set.
  Watch(boost::asio::io_context& context, Config config, OnRows on_rows, OnFailure on_failure);
  /// Stops.
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Reads the directory at once and watches from then on. Call it once.
  void start();
  /// After it no callback is called.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // the running coroutines hold it too
};

}  // namespace viaduct::files
