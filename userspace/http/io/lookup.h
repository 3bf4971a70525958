#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace viaduct::http {

/// Looks host names up with the system's resolver, which runs in a thread of Asio's: one name at a
/// time for a whole io_context.
class Lookup {
 public:
  explicit Lookup(boost::asio::any_io_executor executor);
  /// Stops.
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  /// All addresses of a name, or the address that the text is; in the resolver's order, each once.
  /// @errors the resolver's code; operation_aborted after stop(). The context is the name.
  boost::asio::awaitable<base::Result<std::vector<base::Address>>> resolve(std::string host);
  /// Ends resolve() at once. The thread finishes what it began and nobody hears of it; only the
  /// io_context's own end waits for that.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace viaduct::http
