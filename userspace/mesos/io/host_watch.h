#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::mesos {

/// Looks host names up, one at a time and each again and again (host_lookups.h), with the system's
/// resolver in a thread of Asio's.
class HostWatch {
 public:
  /// What MasterState::on_resolved() has to hear.
  using OnAddresses = std::function<void(const std::string&, std::vector<base::Address>)>;

  struct Counters {
    std::uint64_t lookups = 0;
    std::uint64_t failures = 0;
  };

  HostWatch(boost::asio::io_context& context, OnAddresses on_addresses);
  /// Stops.
  ~HostWatch();
  HostWatch(const HostWatch&) = delete;
  HostWatch& operator=(const HostWatch&) = delete;

  /// The names that are needed from now on.
  void want(const std::vector<std::string>& hosts);
  /// After it no callback is called.
  void stop();

  const Counters& counters() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // the running coroutine holds it too
};

}  // namespace viaduct::mesos
