#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "files/service_file.h"
#include "service/row.h"

namespace viaduct::files {

/// What all service files together say.
/// A clean file gives exactly its rows. In a file with a mistake, each VIP that the new text does
/// not give cleanly keeps the rows that the file last gave cleanly; a VIP without such rows has
/// those without a mistake.
class Services {
 public:
  /// A file has appeared or changed.
  void on_file(const std::string& name, std::string_view text);
  /// A file is there but cannot be read; its rows stay.
  void on_unreadable(const std::string& name, std::string reason);
  void on_removed(const std::string& name);

  /// Names of all files that are known, refused ones included.
  std::vector<std::string> names() const;
  /// Files that are not read because there are kMaxFiles others.
  const std::set<std::string>& refused() const { return refused_; }

  /// Everything, files in the order of their names. The first to give a VIP's backend wins.
  service::SourceRows rows() const;

 private:
  bool admit(const std::string& name);

  std::map<std::string, ServiceFile> files_;
  std::set<std::string> refused_;
};

}  // namespace viaduct::files
