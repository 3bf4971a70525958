#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace viaduct::http {

/// Most digits of a record's length, leading zeros included.
inline constexpr std::size_t kMaxRecordLengthDigits = 12;

/// Cuts a stream of octets into RecordIO's records: a length in decimal digits, a line feed, and as
/// many octets; nothing between records.
/// Holds no more than one record that has arrived in part; its length is judged before an octet of
/// it is kept. After an error nothing more can be read.
/// Source: Mesos, docs/scheduler-http-api.md, "RecordIO response format".
class RecordDecoder {
 public:
  explicit RecordDecoder(std::size_t max_record_bytes) : max_record_bytes_(max_record_bytes) {}

  /// The next record.
  /// @param input  what came next; what was used of it is taken off its front.
  /// @return valid until the next call, and not longer than the octets of `input`. Absent: all of
  /// `input` is used, and the record needs more.
  /// @errors base::Errc::bad_format: not a length; too_large: a record over the limit. The context
  /// counts records from 1. All further calls give the same.
  base::Result<std::optional<std::string_view>> next(std::string_view& input);

  /// Whether the stream may end here: between records.
  bool at_boundary() const { return !error_ && digits_ == 0 && !in_record_; }
  /// Records handed out.
  std::uint64_t records() const { return records_; }
  /// Octets of memory that records in part take.
  std::size_t held() const { return partial_.capacity(); }

 private:
  /// Reads on in a length. @return whether it is whole.
  base::Result<bool> read_length(std::string_view& input);
  base::Error fail(boost::system::error_code code, std::string what);

  std::size_t max_record_bytes_;
  std::uint64_t length_ = 0;  ///< as far as its digits are read
  std::size_t digits_ = 0;
  bool in_record_ = false;     ///< the length is read
  bool handed_out_ = false;    ///< `partial_` is the record that the last call gave
  std::vector<char> partial_;  // not a string, which reserves more than it is asked to
  std::uint64_t records_ = 0;
  std::optional<base::Error> error_;
};

}  // namespace viaduct::http
