#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/address.h"

namespace viaduct::mesos {

struct Known;

/// Host names that records need, each with the addresses that are known of it and its users.
class HostNames {
 public:
  void use(const std::string& host, Known& user);
  /// A name without users is forgotten.
  void drop(const std::string& host, Known& user);

  /// All names that are in use, sorted.
  std::vector<std::string> names() const;
  const std::vector<base::Address>& addresses(const std::string& host) const;
  /// Whether somebody has said that it has no usable address.
  bool has_none(const std::string& host) const;
  const std::set<Known*>& users(const std::string& host) const;
  /// @param addresses  those that cannot be dialled do not count, nor any behind the first
  /// service::kMaxAgentAddresses.
  /// @return whether anything has changed.
  bool would_change(const std::string& host, const std::vector<base::Address>& addresses) const;
  void set(const std::string& host, std::vector<base::Address> addresses);

 private:
  struct Entry {
    std::vector<base::Address> addresses;
    bool resolved = false;
    std::set<Known*> users;
  };
  std::map<std::string, Entry> entries_;
};

/// Those that can be dialled, or if there is none, those that one machine has for itself; sorted,
/// once each, so many as a row holds.
std::vector<base::Address> usable_addresses(std::vector<base::Address> addresses);

}  // namespace viaduct::mesos
