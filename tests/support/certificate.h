#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace viaduct::test {

/// A certificate and its key as files in PEM.
struct Issued {
  std::string certificate;
  std::string key;
};

/// A certificate authority of a test's own, with its files in a folder that goes with it.
class Authority {
 public:
  /// @param name  tells the folder of one from another's.
  explicit Authority(const std::string& name);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  /// The authority's own certificate.
  std::string ca() const;
  /// @param names  as OpenSSL reads them: "IP:127.0.0.1,DNS:m.example".
  /// @param from_seconds, until_seconds  from now; negative: past.
  Issued issue(const std::string& file, const std::string& names, long from_seconds = -3600,
               long until_seconds = 3600);
  const std::filesystem::path& folder() const { return folder_; }

 private:
  struct Impl;
  std::filesystem::path folder_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace viaduct::test
