#pragma once

#include "service/row.h"

namespace viaduct::test {

/// All parts as one, in the order of their names.
inline service::SourceRows joined(const service::SourceParts& parts) {
  service::SourceRows all;
  for (const auto& [name, part] : parts.by_name()) {
    all.rows.insert(all.rows.end(), part->rows.begin(), part->rows.end());
    all.rejected.insert(all.rejected.end(), part->rejected.begin(), part->rejected.end());
    all.port_mappings.insert(all.port_mappings.end(), part->port_mappings.begin(),
                             part->port_mappings.end());
    all.tasks.insert(all.tasks.end(), part->tasks.begin(), part->tasks.end());
    all.processes.insert(all.processes.end(), part->processes.begin(), part->processes.end());
  }
  return all;
}

}  // namespace viaduct::test
