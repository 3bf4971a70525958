#include "dns/io/resolv_conf_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <system_error>
#include <utility>

#include "base/errors.h"
#include "base/io/fd.h"
#include "base/io/file.h"
#include "base/io/log.h"
#include "dns/resolv_conf.h"

namespace viaduct::dns {
namespace {

constexpr std::size_t kMaxFileOctets = 64 * 1024;

/// There is no other way into a mount. One short write, then what is left of the old text goes: a
/// reader in between meets our lines first.
base::Result<void> write_in_place(const std::string& path, const std::string& text) {
  const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const auto size = static_cast<off_t>(text.size());
  if (!fd || ::pwrite(fd.get(), text.data(), text.size(), 0) != size ||
      ::ftruncate(fd.get(), size) != 0)
    return base::from_errno(errno, "write " + path + " in place");
  return {};
}

}  // namespace

ResolvConfFile::ResolvConfFile(ResolvConf settings) : settings_(std::move(settings)) {
  // The nodes of a cluster do not all ask the same one first.
  std::shuffle(settings_.fallback.begin(), settings_.fallback.end(),
               std::minstd_rand{std::random_device{}()});
}

base::Result<void> ResolvConfFile::show(const std::vector<base::Address>& answering) {
  const auto& servers = answering.empty() ? settings_.fallback : answering;
  if (servers.empty()) return {};
  const std::string text = resolv_conf(servers, settings_.search);
  if (const auto now = base::read_file(settings_.path, kMaxFileOctets); now && *now == text)
    return {};
  auto written = base::write_file(settings_.path, text);
  if (!written && written.error().code == std::errc::device_or_resource_busy)
    written = write_in_place(settings_.path, text);
  if (written)
    log::info(
        "resolv_conf_written",
        {{"path", settings_.path}, {"servers", servers.size()}, {"ours", !answering.empty()}});
  return written;
}

}  // namespace viaduct::dns
