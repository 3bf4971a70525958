#pragma once

#include <string>
#include <vector>

#include "config/check.h"
#include "config/key.h"
#include "config/values.h"

namespace viaduct::files {

struct Config {
  std::string directory;  ///< of the service files; "": this source is off
};

/// The settings under [files].
inline const std::vector<config::Key>& keys() {
  static const std::vector<config::Key> list = {
      {.name = "files.directory",
       .fallback = "/etc/viaduct/services.d",
       .help = "Directory of the service files, *.toml; it may appear later. Empty: off.",
       .check = config::check_absolute_path_or_empty},
  };
  return list;
}

/// @param values  of a schema that has keys().
inline Config from(const config::Values& values) { return {values.string("files.directory")}; }

}  // namespace viaduct::files
