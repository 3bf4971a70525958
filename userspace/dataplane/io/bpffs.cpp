#include "dataplane/io/bpffs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace viaduct::dataplane {
namespace {

bool in_bpffs(const std::string& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == BPF_FS_MAGIC;
}

}  // namespace

base::Result<base::Fd> claim_bpffs(const std::string& folder) {
  static constexpr std::string_view kMount = "/sys/fs/bpf";
  if (folder.starts_with(kMount) && !in_bpffs(std::string(kMount)) &&
      mount("bpf", kMount.data(), "bpf", 0, nullptr) != 0)
    return base::from_errno(errno, "mount a BPF file system at /sys/fs/bpf");
  std::error_code code;
  std::filesystem::create_directories(folder + "/links", code);
  if (code) return base::from_errno(code.value(), "make folder " + folder + "/links");
  if (!in_bpffs(folder))
    return base::from_errno(ENOTSUP, folder + " (dataplane.bpffs) is in no BPF file system");
  base::Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return base::from_errno(errno, "open " + folder);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return base::from_errno(errno, "another daemon uses " + folder);
  return fd;
}

base::Result<std::string> find_cgroup2() {
  const std::unique_ptr<FILE, int (*)(FILE*)> mounts(setmntent("/proc/self/mounts", "r"),
                                                     endmntent);
  if (!mounts) return base::from_errno(errno, "read /proc/self/mounts");
  while (const mntent* entry = getmntent(mounts.get()))
    if (std::string_view(entry->mnt_type) == "cgroup2") return std::string(entry->mnt_dir);
  return base::from_errno(ENOENT, "no cgroup v2 is mounted");
}

}  // namespace viaduct::dataplane
