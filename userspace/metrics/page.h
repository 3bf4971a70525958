#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/family.h"

namespace viaduct::metrics {

/// Content type of Page::text().
inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

/// Collects the values of one scrape and renders them. The order of the calls does not matter:
/// samples of a family stand together, families in the order of their names.
class Page {
 public:
  /// Adds one sample. A repeated (family, labels) is added to the one before, so several owners may
  /// share a counter.
  /// @param labels  values for family.labels, in that order (assert).
  template <std::integral Number>
  void add(const Family& family, Number value, const std::vector<std::string>& labels = {}) {
    Sample& sample = at(family, labels);
    sample.is_integer = true;
    sample.integer += static_cast<std::int64_t>(value);
  }
  void add(const Family& family, double value, const std::vector<std::string>& labels = {}) {
    at(family, labels).real += value;
  }

  /// The Prometheus text exposition format, version 0.0.4.
  /// Source: prometheus.io/docs/instrumenting/exposition_formats.
  std::string text() const;

 private:
  struct Sample {
    bool is_integer = false;
    std::int64_t integer = 0;
    double real = 0;
  };
  struct Entry {
    Family family;
    std::map<std::vector<std::string>, Sample> samples;
  };
  Sample& at(const Family& family, const std::vector<std::string>& labels);

  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace viaduct::metrics
