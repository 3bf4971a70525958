// Any octets as a stream of records, whole and in pieces: the same records and the same error come
// out, and no more is held than the limit allows.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "http/record_io.h"
#include "tests/fuzz/check.h"

namespace viaduct::http {
namespace {

using fuzz::check;

constexpr std::size_t kLimit = 300;

struct Outcome {
  std::vector<std::string> records;
  std::string error;
  bool at_boundary = false;
  bool operator==(const Outcome&) const = default;
};

/// @param cut  octets of a piece.
Outcome decode(std::string_view text, std::size_t cut) {
  Outcome outcome;
  RecordDecoder decoder(kLimit);
  for (std::size_t at = 0; at < text.size() && outcome.error.empty(); at += cut) {
    std::string_view piece = text.substr(at, cut);
    while (true) {
      const auto record = decoder.next(piece);
      check(decoder.held() <= kLimit, "what is held is within the limit");
      if (!record) {
        outcome.error = record.error().message();
        check(!record.error().context.empty(), "an error says what it is about");
        break;
      }
      if (!*record) break;
      check((*record)->size() <= kLimit, "a record is within the limit");
      outcome.records.emplace_back(**record);
    }
    check(!outcome.error.empty() || piece.empty(), "all of a piece is used");
  }
  outcome.at_boundary = decoder.at_boundary();
  check(decoder.records() == outcome.records.size(), "records are counted");
  return outcome;
}

}  // namespace
}  // namespace viaduct::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace viaduct::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outcome whole = decode(text, std::max<std::size_t>(size, 1));
  for (const std::size_t cut : {1, 2, 3, 7, 64}) {
    const Outcome cut_up = decode(text, cut);
    viaduct::fuzz::check(cut_up.records == whole.records, "cuts change no record");
    viaduct::fuzz::check(cut_up.error.empty() == whole.error.empty(), "cuts change no verdict");
    viaduct::fuzz::check(cut_up.at_boundary == whole.at_boundary, "cuts change no boundary");
  }
  return 0;
}
