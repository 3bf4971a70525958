#pragma once

#include <compare>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "service/row.h"

namespace viaduct::files {

/// What one service of a file is about.
struct FileVip {
  service::VipTarget target;
  std::uint16_t port = 0;
  base::Protocol protocol = base::Protocol::tcp;

  auto operator<=>(const FileVip&) const = default;
  bool operator==(const FileVip&) const = default;
  /// "tcp web.service:80".
  std::string to_string() const;
};

/// A VIP's backends as one file gives them.
struct FileService {
  std::vector<service::BackendRow> rows;  ///< those without a mistake; may be none
  bool is_clean = true;  ///< false: something about it is wrong, rows may be missing
  std::string place;     ///< "shop.toml:3", its table

  bool operator==(const FileService&) const = default;
};

/// What a file says.
struct ServiceFile {
  std::map<FileVip, FileService> services;
  std::vector<service::RejectedRow> mistakes;  ///< each with file and line; none: the file is clean
};

/// Reads a service file (format: README.md).
/// Every mistake is reported in one pass; only a syntax error hides those behind it.
/// A row's `task` is the place of its backend, "shop.toml:12".
/// @param name  of the file, for places.
ServiceFile parse_service_file(const std::string& name, std::string_view text);

}  // namespace viaduct::files
