#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mesos/limits.h"
#include "service/row.h"

namespace viaduct::mesos {

/// Collects what could not be used; keeps the first `limit` and counts the rest.
class Rejections {
 public:
  Rejections() : Rejections(kMaxRejected) {}
  explicit Rejections(std::size_t limit) : limit_(limit) {}

  void add(std::string where, std::string reason);
  void append(const std::vector<service::RejectedRow>& rows);
  /// All of them; when some were only counted, the last one says how many.
  std::vector<service::RejectedRow> take();

 private:
  std::vector<service::RejectedRow> kept_;
  std::size_t limit_;
  std::size_t more_ = 0;
};

/// The place of a label: "task web.1, port 20001, label VIP_0".
std::string label_place(const std::string& where, std::string_view key);

}  // namespace viaduct::mesos
