#include "base/io/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/errors.h"
#include "base/io/fd.h"

namespace viaduct::base {

Result<std::string> read_file(const std::string& path, std::size_t limit_bytes) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return from_errno(errno, "open " + path);
  std::string contents;
  char chunk[65536];
  while (true) {
    const ssize_t n = ::read(fd.get(), chunk, sizeof(chunk));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return from_errno(errno, "read " + path);
    if (n == 0) return contents;
    if (contents.size() + static_cast<std::size_t>(n) > limit_bytes)
      return Error{Errc::too_large,
                   path + " has more than " + std::to_string(limit_bytes) + " bytes"};
    contents.append(chunk, static_cast<std::size_t>(n));
  }
}

Result<void> write_file(const std::string& path, std::string_view contents) {
  const std::string temporary = path + ".new";
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return from_errno(errno, "create " + temporary);
  while (!contents.empty()) {
    const ssize_t n = ::write(fd.get(), contents.data(), contents.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return from_errno(errno, "write " + temporary);
    contents.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd.get()) != 0) return from_errno(errno, "fsync " + temporary);
  fd.reset();
  if (std::rename(temporary.c_str(), path.c_str()) != 0)
    return from_errno(errno, "rename to " + path);
  return {};
}

}  // namespace viaduct::base
