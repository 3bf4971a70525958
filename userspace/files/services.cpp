#include "files/services.h"

#include <iterator>
#include <memory>
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

bool Services::Given::same_backend(const Given& other) const {
  return *vip == *other.vip && row->backend == other.row->backend;
}

bool Services::Given::operator<(const Given& other) const {
  return std::tie(*vip, row->backend, *file) <
         std::tie(*other.vip, other.row->backend, *other.file);
}

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
  const auto before = files_.find(name);
  if (!now.mistakes.empty() && before != files_.end()) {
    const std::size_t kept = keep_former(before->second, now);
    if (kept > 0)
      now.mistakes.push_back({name, "has mistakes: " + std::to_string(kept) +
                                        " of its VIPs keep what it said before"});
  }
  replace(name, std::move(now));
}

void Services::on_unreadable(const std::string& name, std::string reason) {
  if (!admit(name)) return;
  files_[name].mistakes = {{name, std::move(reason)}};
  changed_.insert(name);
}

void Services::on_removed(const std::string& name) {
  refused_.erase(name);
  const auto file = files_.find(name);
  if (file == files_.end()) return;
  forget(name, file->second);
  files_.erase(file);
  changed_.insert(name);
}

std::vector<std::string> Services::names() const {
  std::vector<std::string> out(refused_.begin(), refused_.end());
  for (const auto& [name, file] : files_) out.push_back(name);
  return out;
}

void Services::replace(const std::string& name, ServiceFile now) {
  const auto file = files_.try_emplace(name).first;
  forget(name, file->second);
  file->second = std::move(now);
  for (const auto& [vip, service] : file->second.services)
    for (const auto& row : service.rows)
      touch_followers(given_.insert({&vip, &row, &file->first}).first);
  changed_.insert(name);
}

void Services::forget(const std::string& name, const ServiceFile& file) {
  for (const auto& [vip, service] : file.services) {
    for (const auto& row : service.rows) {
      const auto given = given_.find({&vip, &row, &name});
      touch_followers(given);
      given_.erase(given);
    }
  }
}

/// The file that gives a backend first wins it, and the others' reports name its line: whatever
/// becomes of it concerns them too.
void Services::touch_followers(std::set<Given>::const_iterator given) {
  if (given != given_.begin() && std::prev(given)->same_backend(*given)) return;
  for (auto next = std::next(given); next != given_.end() && next->same_backend(*given); ++next)
    changed_.insert(*next->file);
}

/// @param row  of a file.
const Services::Given& Services::first(const FileVip& vip, const service::BackendRow& row) const {
  static const std::string kBeforeAnyName;
  return *given_.lower_bound({&vip, &row, &kBeforeAnyName});
}

service::SourceRows Services::part(const ServiceFile& file) const {
  service::SourceRows out;
  out.rejected = file.mistakes;
  for (const auto& [vip, service] : file.services) {
    for (const auto& row : service.rows) {
      const Given& winner = first(vip, row);
      if (winner.row == &row)
        out.rows.push_back(row);
      else
        out.rejected.push_back({row.task, "backend " + row.backend.to_string() + " of " +
                                              vip.to_string() + " is already given at " +
                                              winner.row->task});
    }
  }
  return out;
}

void Services::note_refused() {
  parts_.remove("");
  if (refused_.empty()) return;
  service::SourceRows out;
  for (const auto& name : refused_)
    out.rejected.push_back(
        {name, "is not read: there are already " + std::to_string(kMaxFiles) + " service files"});
  parts_.put("", std::make_shared<const service::SourceRows>(std::move(out)));
}

service::SourceParts Services::rows() {
  for (const std::string& name : std::exchange(changed_, {})) {
    const auto file = files_.find(name);
    if (file == files_.end())
      parts_.remove(name);
    else
      parts_.put(name, std::make_shared<const service::SourceRows>(part(file->second)));
  }
  note_refused();
  return parts_;
}

}  // namespace viaduct::files
