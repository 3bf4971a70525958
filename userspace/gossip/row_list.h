#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "gossip/vip_message.h"

namespace viaduct::gossip {

/// Writes rows in the order of their keys; each says only how its key differs from the one before,
/// for rows of one VIP begin alike.
class RowListWriter {
 public:
  explicit RowListWriter(base::Writer& writer) : writer_(writer) {}

  /// @param value  absent: the row is gone.
  void put(std::string_view key, const std::optional<std::string>& value);
  void put(const WireRow& row) { put(row.key(), row.value()); }

 private:
  void put_key(std::string_view key, bool has_value);
  void put(std::string_view key, std::string_view value);

  base::Writer& writer_;
  std::string last_;
};

/// Reads what RowListWriter wrote.
class RowListReader {
 public:
  explicit RowListReader(base::Reader& reader) : reader_(reader) {}

  /// The next row; key and value may be used until the next call. Keys that do not grow, and what
  /// is over a limit, make the reader fail.
  /// @return absent: the reader failed.
  struct Row {
    std::string_view key;
    std::optional<std::string_view> value;
  };
  std::optional<Row> next();

 private:
  base::Reader& reader_;
  std::string last_;
  bool any_ = false;
};

}  // namespace viaduct::gossip
