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

  /// Everything: a part for each file, under its name, and one named "" for what is about all of
  /// them. The first file, by name, to give a VIP's backend wins. Only parts that differ are made
  /// anew; the others are those of the call before.
  service::SourceParts rows();

 private:
  /// A VIP's backend as a file gives it. All pointers lead into files_.
  struct Given {
    const FileVip* vip;
    const service::BackendRow* row;
    const std::string* file;

    bool same_backend(const Given& other) const;
    /// By VIP, backend and the file's name.
    bool operator<(const Given& other) const;
  };

  bool admit(const std::string& name);
  void replace(const std::string& name, ServiceFile now);
  void forget(const std::string& name, const ServiceFile& file);
  void touch_followers(std::set<Given>::const_iterator given);
  const Given& first(const FileVip& vip, const service::BackendRow& row) const;
  service::SourceRows part(const ServiceFile& file) const;
  void note_refused();

  std::map<std::string, ServiceFile> files_;
  std::set<Given> given_;  ///< all rows of all files
  std::set<std::string> refused_;
  std::set<std::string> changed_;  ///< files whose parts are not up to date
  service::SourceParts parts_;
};

}  // namespace viaduct::files
