#include "dataplane/io/namespaces.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace viaduct::dataplane {
namespace {

constexpr const char* kOwn = "/proc/self/ns/net";
constexpr const char* kNamed[] = {"/run/netns", "/var/run/docker/netns"};

class Search {
 public:
  explicit Search(const std::set<std::uint32_t>& wanted) : missing_(wanted) {
    struct stat own {};
    if (::stat(kOwn, &own) == 0) device_ = own.st_dev;
  }

  bool done() const { return missing_.empty(); }

  void look_at(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0 || !is_wanted(info)) return;
    base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || ::fstat(fd.get(), &info) != 0 || !is_wanted(info)) return;
    missing_.erase(static_cast<std::uint32_t>(info.st_ino));
    found_.emplace(static_cast<std::uint32_t>(info.st_ino), std::move(fd));
  }

  /// @param behind  what follows each entry's name on the way to a namespace.
  void look_into(const std::string& folder, const std::string& behind) {
    std::error_code ignored;  // not there, or gone meanwhile
    std::filesystem::directory_iterator entry(folder, ignored);
    for (; !done() && entry != std::filesystem::directory_iterator(); entry.increment(ignored))
      look_at(entry->path().string() + behind);
  }

  std::map<std::uint32_t, base::Fd> finish() { return std::move(found_); }

 private:
  bool is_wanted(const struct stat& info) const {
    return info.st_dev == device_ && missing_.contains(static_cast<std::uint32_t>(info.st_ino));
  }

  std::set<std::uint32_t> missing_;
  std::map<std::uint32_t, base::Fd> found_;
  dev_t device_ = 0;
};

}  // namespace

std::map<std::uint32_t, base::Fd> open_namespaces(const std::set<std::uint32_t>& inodes) {
  Search search(inodes);
  search.look_at(kOwn);
  for (const char* folder : kNamed) search.look_into(folder, "");
  search.look_into("/proc", "/ns/net");
  return search.finish();
}

}  // namespace viaduct::dataplane
