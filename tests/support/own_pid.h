#pragma once

#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace viaduct::test {

/// This process's id as BPF programs see it: that of the machine's first pid namespace.
/// @return absent: the process is in another one, from which it cannot be known.
inline std::optional<std::uint32_t> own_pid() {
  constexpr std::string_view kFirst = "pid:[4026531836]";  // PROC_PID_INIT_INO of the kernel
  std::array<char, 64> text;
  const ssize_t octets = ::readlink("/proc/self/ns/pid", text.data(), text.size());
  if (octets < 0 || std::string_view(text.data(), static_cast<std::size_t>(octets)) != kFirst)
    return {};
  return static_cast<std::uint32_t>(::getpid());
}

}  // namespace viaduct::test
