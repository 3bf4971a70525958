#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace viaduct::api {

/// What may be asked for where writing is allowed: on the unix socket. Each gives a sentence on
/// what was done, or an error whose context says why not. Null functions: there is no cluster.
struct Commands {
  using Result = base::Result<std::string>;

  std::function<Result()> leave;
  std::function<Result(const std::string& node)> remove_node;
  std::function<Result(const std::string& key)> install_key;
  std::function<Result(const std::string& id)> use_key;
  std::function<Result(const std::string& id)> remove_key;
};

}  // namespace viaduct::api
