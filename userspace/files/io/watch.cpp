#include "files/io/watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>
#include <set>

#include "base/errors.h"
#include "base/io/fd.h"
#include "base/io/log.h"
#include "base/result.h"
#include "files/limits.h"
#include "files/services.h"

namespace viaduct::files {
namespace {

namespace asio = boost::asio;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view kSuffix = ".toml";
constexpr std::size_t kEventBytes = 64 * 1024;
/// Editors and copies touch several files at once: what follows within this time is one change.
constexpr std::chrono::milliseconds kSettle{20};
constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB | IN_ONLYDIR;

bool is_service_file(std::string_view name) {
  return name.ends_with(kSuffix) && !name.starts_with('.');
}

/// Reads a regular file. A pipe or device of that name must neither block nor be read without end.
base::Result<std::string> read_regular(const std::string& path) {
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return base::from_errno(errno, "open");
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return base::from_errno(errno, "stat");
  if (!S_ISREG(info.st_mode))
    return base::Error{base::Errc::bad_format, "it is not a regular file"};
  std::string text;
  std::string chunk(kEventBytes, '\0');
  while (true) {
    const ssize_t n = ::read(fd.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::from_errno(errno, "read");
    if (n == 0) return text;
    if (text.size() + static_cast<std::size_t>(n) > kMaxFileBytes)
      return base::Error{base::Errc::too_large,
                         "it has more than " + std::to_string(kMaxFileBytes) + " bytes"};
    text.append(chunk, 0, static_cast<std::size_t>(n));
  }
}

base::Result<std::set<std::string>> list_service_files(const std::string& directory) {
  DIR* handle = ::opendir(directory.c_str());
  if (handle == nullptr) return base::from_errno(errno, "open " + directory);
  std::set<std::string> names;
  while (const dirent* entry = ::readdir(handle))
    if (is_service_file(entry->d_name)) names.insert(entry->d_name);
  ::closedir(handle);
  return names;
}

/// Tells a directory from another that has taken its path.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const Identity&) const = default;
};

base::Result<Identity> identify(const std::string& directory) {
  struct stat info = {};
  if (::stat(directory.c_str(), &info) != 0) return base::from_errno(errno, "watch " + directory);
  return Identity{info.st_dev, info.st_ino};
}

}  // namespace

struct Watch::Impl {
  Impl(asio::io_context& io, Config settings, OnRows rows_to, OnFailure failure_to)
      : context(io),
        check_timer(io),
        settle_timer(io),
        config(std::move(settings)),
        on_rows(std::move(rows_to)),
        on_failure(std::move(failure_to)) {}

  std::string path(const std::string& name) const { return config.directory + "/" + name; }

  /// Begins to watch what the path leads to now, and reads all of it.
  base::Result<void> open() {
    const auto found = identify(config.directory);
    if (!found) return found.error();
    base::Fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!fd) return base::from_errno(errno, "create an inotify instance");
    if (::inotify_add_watch(fd.get(), config.directory.c_str(), kEvents) < 0)
      return base::from_errno(errno, "watch " + config.directory);
    if (auto done = read_all(); !done) return done;
    inotify = std::make_shared<asio::posix::stream_descriptor>(context, fd.release());
    watched = *found;
    return {};
  }

  base::Result<void> read_all() {
    const auto listed = list_service_files(config.directory);
    if (!listed) return listed.error();
    for (const auto& name : services.names())
      if (!listed->contains(name)) services.on_removed(name);
    for (const auto& name : *listed) read_one(name);
    return {};
  }

  void read_one(const std::string& name) {
    auto text = read_regular(path(name));
    if (text)
      services.on_file(name, *text);
    else if (text.error().code == boost::system::errc::no_such_file_or_directory)
      services.on_removed(name);
    else
      services.on_unreadable(name, "cannot be read: " + text.error().message());
  }

  void close() {
    if (inotify) {
      boost::system::error_code ignored;
      inotify->close(ignored);
    }
    inotify.reset();
    watched.reset();
  }

  /// Keeps the watch on the directory that the path leads to.
  void check() {
    const auto now = identify(config.directory);
    if (now && watched == *now) return;
    close();
    const auto opened = open();
    if (opened) {
      last_error.clear();
      log::info("service_files_watched", {{"directory", config.directory}});
      start_events();
      publish();
    } else {
      lost(opened.error());
    }
  }

  /// A directory that was never there has no services; one that has gone takes none with it.
  void lost(const base::Error& error) {
    const bool absent = error.code == boost::system::errc::no_such_file_or_directory;
    if (absent && services.names().empty()) {
      if (!published) publish();
      return;
    }
    const std::string message = error.message();
    if (message == last_error) return;
    last_error = message;
    on_failure(message);
  }

  void publish() {
    published = true;
    on_rows(services.rows());
  }

  /// Names of files that changed, from raw inotify events.
  void take_events(const char* data, std::size_t size) {
    std::size_t offset = 0;
    while (offset + sizeof(inotify_event) <= size) {
      inotify_event event;
      std::memcpy(&event, data + offset, sizeof(event));
      const char* name = data + offset + sizeof(event);
      offset += sizeof(event) + event.len;
      if (offset > size) return;
      if ((event.mask & IN_Q_OVERFLOW) != 0) overflowed = true;
      if (event.len == 0 || !is_service_file(name)) continue;
      if ((event.mask & IN_CREATE) != 0 && is_being_written(name)) continue;
      changed.insert(name);
    }
  }

  /// A file that was just created is complete when its writer closes it; a link to one is complete
  /// now.
  bool is_being_written(const std::string& name) const {
    struct stat info = {};
    return ::lstat(path(name).c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1;
  }

  void apply() {
    const bool all = std::exchange(overflowed, false);
    const auto names = std::exchange(changed, {});
    if (all) {
      if (const auto done = read_all(); !done) return lost(done.error());
    } else if (names.empty()) {
      return;
    }
    for (const auto& name : names) read_one(name);
    const auto refused = services.refused();
    for (const auto& name : refused)
      if (!names.contains(name)) read_one(name);
    publish();
  }

  asio::awaitable<void> events(std::shared_ptr<asio::posix::stream_descriptor> descriptor) {
    std::string buffer(kEventBytes, '\0');
    while (!stopped && descriptor == inotify) {
      const auto [error, size] =
          co_await descriptor->async_read_some(asio::buffer(buffer), kNoThrow);
      if (error || stopped || descriptor != inotify) co_return;
      take_events(buffer.data(), size);
      settle_timer.expires_after(kSettle);
      co_await settle_timer.async_wait(kNoThrow);
      if (stopped || descriptor != inotify) co_return;
      // Asio's own synchronous read would wait for an event.
      const ssize_t more = ::read(descriptor->native_handle(), buffer.data(), buffer.size());
      if (more > 0) take_events(buffer.data(), static_cast<std::size_t>(more));
      apply();
    }
  }

  asio::awaitable<void> checks() {
    while (!stopped) {
      check();
      check_timer.expires_after(kCheckInterval);
      co_await check_timer.async_wait(kNoThrow);
    }
  }

  void start_events();

  asio::io_context& context;
  asio::steady_timer check_timer;
  asio::steady_timer settle_timer;
  Config config;
  OnRows on_rows;
  OnFailure on_failure;
  std::weak_ptr<Impl> self;

  bool stopped = false;
  bool published = false;
  std::shared_ptr<asio::posix::stream_descriptor> inotify;  // null: not watching
  std::optional<Identity> watched;
  Services services;
  std::set<std::string> changed;  // names with events that are not applied yet
  bool overflowed = false;
  std::string last_error;
};

namespace {

/// A failure inside is a bug or an exhausted machine: it ends the loop, and with it the process.
void rethrow(std::exception_ptr thrown) {
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace

// Each coroutine's own pointer keeps what it uses alive until its pending operation has ended.
void Watch::Impl::start_events() {
  const auto run = [](std::shared_ptr<Impl> impl) -> asio::awaitable<void> {
    co_await impl->events(impl->inotify);
  };
  asio::co_spawn(context, run(self.lock()), rethrow);
}

Watch::Watch(asio::io_context& context, Config config, OnRows on_rows, OnFailure on_failure)
    : impl_(std::make_shared<Impl>(context, std::move(config), std::move(on_rows),
                                   std::move(on_failure))) {
  impl_->self = impl_;
}

Watch::~Watch() { stop(); }

void Watch::start() {
  const auto run = [](std::shared_ptr<Impl> impl) -> asio::awaitable<void> {
    co_await impl->checks();
  };
  asio::co_spawn(impl_->context, run(impl_), rethrow);
}

void Watch::stop() {
  impl_->stopped = true;
  impl_->close();
  impl_->check_timer.cancel();
  impl_->settle_timer.cancel();
}

}  // namespace viaduct::files
