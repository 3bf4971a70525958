#pragma once

#include <string>

#include "base/result.h"
#include "tools/viaductctl/json.h"
#include "tools/viaductctl/options.h"

namespace viaduct::ctl {

/// Largest reply that is read: enough for 100,000 backends with long names.
inline constexpr std::size_t kMaxReplyBytes = 256u << 20;

/// Asks viaductd for a document.
/// @param socket  path of its unix socket.
/// @errors the system's code when nobody answers; base::Errc::bad_format for anything but a JSON
/// document.
base::Result<json::value> ask_daemon(const std::string& socket, const std::string& path);

/// Has viaductd do something.
/// @param path  of a command, with its parameter in the query.
/// @return what was done, a sentence.
/// @errors the system's code when nobody answers; base::Errc::bad_format: the context says why not.
base::Result<std::string> tell_daemon(const std::string& socket, const std::string& path);

/// The folder of the pins: as told, as viaductd says, or the default.
std::string find_bpffs(const Options& options);

}  // namespace viaduct::ctl
