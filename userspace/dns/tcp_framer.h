#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace viaduct::dns {

/// Longest query that is taken over TCP. Queries of real clients, padded and signed ones included,
/// stay far below.
inline constexpr std::size_t kMaxTcpQueryOctets = 16 * 1024;

/// Cuts a TCP stream into messages, each behind a length of two octets (RFC 1035, 4.2.2; RFC 7766,
/// 8). Holds at most kMaxTcpQueryOctets + 2 octets, and grows to that only as octets really arrive.
class TcpFramer {
 public:
  /// Room for the next octets; never empty while next() was called until it returned nothing.
  std::span<std::uint8_t> prepare();
  /// Says how many octets of prepare()'s room were filled.
  void commit(std::size_t octets);

  /// The next whole message; valid until the next prepare().
  /// @return absent when more octets are needed, or the stream is broken.
  std::optional<std::span<const std::uint8_t>> next();

  /// A length under 12, the size of a header, or over kMaxTcpQueryOctets was seen: the stream
  /// cannot go on.
  bool broken() const { return broken_; }
  /// Whether a message has begun and is not whole.
  bool in_message() const { return begin_ != end_; }

 private:
  std::vector<std::uint8_t> octets_;
  std::size_t begin_ = 0;  ///< first octet that is not consumed
  std::size_t end_ = 0;    ///< behind the last octet that was received
  bool broken_ = false;
};

}  // namespace viaduct::dns
