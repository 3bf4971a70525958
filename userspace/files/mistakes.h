#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "service/row.h"

namespace viaduct::files {

/// Collects what is wrong with one file; keeps the first kMaxMistakesPerFile and counts the rest.
class Mistakes {
 public:
  explicit Mistakes(std::string file) : file_(std::move(file)) {}

  /// @param line  from 1; 0: the file as a whole.
  void add(std::size_t line, std::string what);
  /// "shop.toml:12".
  std::string place(std::size_t line) const;
  std::size_t count() const { return count_; }
  std::vector<service::RejectedRow> take();

 private:
  std::string file_;
  std::vector<service::RejectedRow> kept_;
  std::size_t count_ = 0;
};

}  // namespace viaduct::files
