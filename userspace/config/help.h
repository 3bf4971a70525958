#pragma once

#include <string>

#include "config/key.h"

namespace viaduct::config {

/// A complete configuration file with every default as a comment, for --help-config: it parses as
/// it is.
std::string help(const Schema& schema);

/// The keys as a Markdown table (key, type, default, help), for a module's README.
std::string markdown_table(const std::vector<Key>& keys);

}  // namespace viaduct::config
