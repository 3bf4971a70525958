#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/address.h"

struct _zhandle;
struct ACL_vector;

namespace viaduct::test {

/// A client that makes, changes and removes nodes, and waits for each answer.
/// Whatever fails within a minute fails the test.
class ZookeeperClient {
 public:
  /// Waits until the server serves.
  /// @param credentials  "user:password"; "": none.
  explicit ZookeeperClient(const base::Endpoint& server, const std::string& credentials = "");
  ~ZookeeperClient();
  ZookeeperClient(const ZookeeperClient&) = delete;
  ZookeeperClient& operator=(const ZookeeperClient&) = delete;

  /// Open to everybody.
  void create(const std::string& path, const std::string& data = "");
  /// Only these credentials may read it.
  void create_private(const std::string& path, const std::string& data = "");
  /// `count` empty nodes "<prefix>0", "<prefix>1", ...
  void create_many(const std::string& prefix, int count);
  void set(const std::string& path, const std::string& data);
  void remove(const std::string& path);

 private:
  void make(const std::string& path, const std::string& data, const ACL_vector* who);
  /// Begins an operation and waits for its result.
  void perform(const std::string& what, const std::function<int(_zhandle*, int* result)>& begin);
  bool pump(const std::function<bool()>& done);

  _zhandle* handle_ = nullptr;
};

}  // namespace viaduct::test
