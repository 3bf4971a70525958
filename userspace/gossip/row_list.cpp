#include "gossip/row_list.h"

#include <algorithm>

#include "gossip/table_limits.h"

namespace viaduct::gossip {

void RowListWriter::put_key(std::string_view key, bool has_value) {
  const auto [end, _] = std::mismatch(key.begin(), key.end(), last_.begin(), last_.end());
  const auto shared = static_cast<std::size_t>(end - key.begin());
  const std::string_view rest = key.substr(shared);
  writer_.varint(shared);
  writer_.varint(rest.size() << 1 | (has_value ? 1U : 0U));
  writer_.put(base::as_bytes(rest));
  last_ = key;
}

void RowListWriter::put(std::string_view key, std::string_view value) {
  put_key(key, true);
  writer_.counted(base::as_bytes(value));
}

void RowListWriter::put(std::string_view key, const std::optional<std::string>& value) {
  if (value)
    put(key, std::string_view(*value));
  else
    put_key(key, false);
}

std::optional<RowListReader::Row> RowListReader::next() {
  const std::uint64_t shared = reader_.varint();
  const std::uint64_t rest = reader_.varint();
  if (shared > last_.size() || rest >> 1 > kMaxKeyOctets - shared) {  // last_ is within the limit
    reader_.fail();
    return std::nullopt;
  }
  const base::ByteView octets = reader_.take(rest >> 1);
  if (reader_.failed()) return std::nullopt;
  const std::string before = last_;
  last_.resize(shared);
  last_ += base::as_text(octets);
  if (last_.empty() || (any_ && last_ <= before)) {
    reader_.fail();
    return std::nullopt;
  }
  any_ = true;
  Row row{last_, std::nullopt};
  if ((rest & 1) != 0) row.value = base::as_text(reader_.counted(kMaxValueOctets));
  return reader_.failed() ? std::nullopt : std::optional(row);
}

}  // namespace viaduct::gossip
