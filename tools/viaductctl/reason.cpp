#include "tools/viaductctl/reason.h"

#include <viaduct/abi/reason.h>

#include <algorithm>
#include <iterator>

namespace viaduct::ctl {
namespace {

constexpr const char* kHooks[] = {"sock", "request", "reply", "host", "health", "uplink", "xdp"};
static_assert(std::size(kHooks) == VD_HOOK_COUNT);

enum { kPASS, kREFUSE, kDROP };

struct Known {
  const char* name;
  int verdict;
  const char* help;
};
constexpr Known kReasons[] = {
#define VIADUCT_REASON(name, verdict, help) {#name, k##verdict, help},
    VD_REASONS(VIADUCT_REASON)
#undef VIADUCT_REASON
};

}  // namespace

std::string reason_word(std::uint32_t reason) {
  if (reason >= VD_REASON_COUNT) return "reason " + std::to_string(reason);
  std::string word = kReasons[reason].name;
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return word;
}

std::string hook_word(std::uint32_t hook) {
  return hook < VD_HOOK_COUNT ? kHooks[hook] : "hook " + std::to_string(hook);
}

std::string_view reason_help(std::uint32_t reason) {
  return reason < VD_REASON_COUNT ? kReasons[reason].help : "";
}

Verdict verdict_of(std::uint32_t reason) {
  if (reason >= VD_REASON_COUNT) return Verdict::pass;
  const int verdict = kReasons[reason].verdict;
  return verdict == kDROP ? Verdict::drop : verdict == kREFUSE ? Verdict::refuse : Verdict::pass;
}

}  // namespace viaduct::ctl
