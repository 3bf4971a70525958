#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/address.h"
#include "daemon/config.h"
#include "service/local_table.h"

namespace viaduct::daemon {

/// The configured sources: each replaces its own rows of the table.
class Sources {
 public:
  using OnChange = std::function<void(const std::string& source, service::SourceChange change)>;

  /// Announces every configured source to the table.
  /// @param on_change  called when the table's rows differ from before.
  Sources(boost::asio::io_context& context, const Config& config, const base::Address& node_address,
          service::LocalTable& table, OnChange on_change);
  ~Sources();

  void start();
  void stop();

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace viaduct::daemon
