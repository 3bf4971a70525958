#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::ctl {

/// The word of a reason or hook of <viaduct/abi/reason.h>, as metrics and the API use it:
/// "no_backend", "sock". A number that this program does not know: "reason 99".
std::string reason_word(std::uint32_t reason);
std::string hook_word(std::uint32_t hook);

/// What a reason means, a sentence without capital and full stop; empty: not known.
std::string_view reason_help(std::uint32_t reason);

/// What becomes of whom a program leaves for that reason.
enum class Verdict { pass, refuse, drop };
Verdict verdict_of(std::uint32_t reason);

}  // namespace viaduct::ctl
