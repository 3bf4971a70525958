#pragma once

#include <functional>
#include <memory>

#include "base/result.h"

namespace boost::asio {
class io_context;
}

namespace viaduct::dataplane {

/// Tells when links or addresses of this namespace change (rtnetlink groups). Events that
/// come together are told once.
class LinkWatch {
 public:
  /// @param on_change  called on the context's thread.
  /// @errors the system's code when no netlink socket can be opened.
  static base::Result<LinkWatch> start(boost::asio::io_context& context,
                                       std::function<void()> on_change);

  LinkWatch(LinkWatch&&) noexcept;
  LinkWatch& operator=(LinkWatch&&) noexcept;
  ~LinkWatch();

  struct State;

 private:
  explicit LinkWatch(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace viaduct::dataplane
