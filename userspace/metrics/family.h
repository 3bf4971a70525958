#pragma once

#include <string_view>
#include <vector>

namespace viaduct::metrics {

enum class Kind {
  counter,  ///< only grows; the name ends in _total
  gauge,    ///< goes up and down
};

/// One metric, declared once beside the module that has it:
///   inline const Family kQueries{Kind::counter, "viaduct_dns_queries_total", "Questions
///   answered.", {"protocol"}};
struct Family {
  Kind kind;
  std::string_view name;  ///< viaduct_<module>_<what>_<unit|total>
  std::string_view help;  ///< one sentence
  std::vector<std::string_view> labels =
      {};  ///< names of the labels; their values are few, never a VIP's name
};

/// Whether name and labels follow the exposition format and the project's naming rule.
bool is_well_formed(const Family& family);

}  // namespace viaduct::metrics
