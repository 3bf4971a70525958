#include "http/record_io.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/quote.h"

namespace viaduct::http {
namespace {

/// Room that is kept from one record to the next.
constexpr std::size_t kKeptBytes = 64 * 1024;

}  // namespace

base::Error RecordDecoder::fail(boost::system::error_code code, std::string what) {
  error_ = base::Error{code, "record " + std::to_string(records_ + 1) + ": " + std::move(what)};
  return *error_;
}

base::Result<bool> RecordDecoder::read_length(std::string_view& input) {
  while (!input.empty()) {
    const char c = input.front();
    if (c == '\n' && digits_ > 0) {
      input.remove_prefix(1);
      return true;
    }
    if (c < '0' || c > '9')
      return fail(base::Errc::bad_format,
                  "its length begins with " + base::in_quotes(input.substr(0, 16)) +
                      (digits_ == 0 ? "" : " after " + std::to_string(digits_) + " digits"));
    if (++digits_ > kMaxRecordLengthDigits)
      return fail(base::Errc::bad_format,
                  "its length has more than " + std::to_string(kMaxRecordLengthDigits) + " digits");
    length_ = length_ * 10 + static_cast<std::uint64_t>(c - '0');
    if (length_ > max_record_bytes_)
      return fail(base::Errc::too_large,
                  "it is longer than " + std::to_string(max_record_bytes_) + " bytes");
    input.remove_prefix(1);
  }
  return false;
}

base::Result<std::optional<std::string_view>> RecordDecoder::next(std::string_view& input) {
  if (error_) return *error_;
  if (handed_out_) {
    handed_out_ = false;
    if (partial_.capacity() > kKeptBytes)
      std::vector<char>().swap(partial_);
    else
      partial_.clear();
  }
  if (!in_record_) {
    const auto whole = read_length(input);
    if (!whole) return whole.error();
    if (!*whole) return std::optional<std::string_view>();
    in_record_ = true;
  }
  const std::size_t missing = static_cast<std::size_t>(length_) - partial_.size();
  const std::string_view part = input.substr(0, std::min(missing, input.size()));
  input.remove_prefix(part.size());
  const bool whole = part.size() == missing;
  std::optional<std::string_view> record;
  if (whole && partial_.empty()) {
    record = part;
  } else {
    const std::size_t needed = partial_.size() + part.size();
    if (needed > partial_.capacity())
      partial_.reserve(
          std::min(static_cast<std::size_t>(length_), std::max(needed, 2 * partial_.capacity())));
    partial_.insert(partial_.end(), part.begin(), part.end());
    if (whole) record = std::string_view(partial_.data(), partial_.size());
    handed_out_ = whole;
  }
  if (!whole) return record;
  in_record_ = false;
  length_ = 0;
  digits_ = 0;
  records_++;
  return record;
}

}  // namespace viaduct::http
