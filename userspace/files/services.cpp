#include "files/services.h"

#include <tuple>
#include <utility>

#include "files/limits.h"

namespace viaduct::files {
namespace {

/// Puts what the file said before in place of what is not clean now.
/// @return how many VIPs keep their former rows.
std::size_t keep_former(const ServiceFile& before, ServiceFile& now) {
  std::size_t kept = 0;
  for (const auto& [vip, former] : before.services) {
    const auto [current, is_missing] = now.services.emplace(vip, former);
    if (is_missing) {
      kept++;
    } else if (!current->second.is_clean && former.is_clean) {
      current->second = former;
      kept++;
    }
  }
  return kept;
}

}  // namespace

bool Services::admit(const std::string& name) {
  if (files_.contains(name) || files_.size() < kMaxFiles) {
    refused_.erase(name);
    return true;
  }
  refused_.insert(name);
  return false;
}

void Services::on_file(const std::string& name, std::string_view text) {
  if (!admit(name)) return;
  ServiceFile now = parse_service_file(name, text);
  ServiceFile& file = files_[name];
  if (!now.mistakes.empty()) {
    const std::size_t kept = keep_former(file, now);
    if (kept > 0)
      now.mistakes.push_back({name, "has mistakes: " + std::to_string(kept) +
                                        " of its VIPs keep what it said before"});
  }
  file = std::move(now);
}

void Services::on_unreadable(const std::string& name, std::string reason) {
  if (!admit(name)) return;
  files_[name].mistakes = {{name, std::move(reason)}};
}

void Services::on_removed(const std::string& name) {
  files_.erase(name);
  refused_.erase(name);
}

std::vector<std::string> Services::names() const {
  std::vector<std::string> out(refused_.begin(), refused_.end());
  for (const auto& [name, file] : files_) out.push_back(name);
  return out;
}

service::SourceRows Services::rows() const {
  service::SourceRows out;
  std::map<std::tuple<FileVip, base::Endpoint>, std::string> seen;
  std::size_t beyond = 0;
  for (const auto& [name, file] : files_) {
    out.rejected.insert(out.rejected.end(), file.mistakes.begin(), file.mistakes.end());
    for (const auto& [vip, service] : file.services) {
      for (const auto& row : service.rows) {
        if (out.rows.size() == kMaxRows) {
          beyond++;
          continue;
        }
        const auto [known, is_new] = seen.emplace(std::tuple(vip, row.backend), row.task);
        if (is_new)
          out.rows.push_back(row);
        else
          out.rejected.push_back({row.task, "backend " + row.backend.to_string() + " of " +
                                                vip.to_string() + " is already given at " +
                                                known->second});
      }
    }
  }
  if (beyond > 0)
    out.rejected.push_back({"all service files", std::to_string(beyond) +
                                                     " backends are over the node's limit of " +
                                                     std::to_string(kMaxRows) + " rows"});
  for (const auto& name : refused_)
    out.rejected.push_back(
        {name, "is not read: there are already " + std::to_string(kMaxFiles) + " service files"});
  return out;
}

}  // namespace viaduct::files
