#pragma once

#include <array>
#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <type_traits>

namespace viaduct::gossip {

/// Why something that a peer sent is dropped, or a cluster operation refused.
enum class Errc {
  truncated = 1,    ///< the message ends before it is whole
  malformed,        ///< not what the format asks for
  unknown_type,     ///< no message has this type
  too_large,        ///< over a named limit
  too_deep,         ///< more layers within each other than any sender makes
  bad_crc,          ///< the checksum does not fit
  wrong_label,      ///< for another cluster
  not_encrypted,    ///< plain text where keys are configured
  wrong_key,        ///< encrypted with no key of ours, or tampered with
  bad_versions,     ///< speaks no version that the cluster can
  unexpected,       ///< a message that has no place here
  unknown_owner,    ///< rows of a node that is no member
  refused_by_peer,  ///< the peer answered with an error
  bad_key,          ///< not a key of 16, 24 or 32 bytes, or no keyring file
  unknown_key,      ///< not in the keyring
  key_in_use,       ///< the primary key cannot be removed
  unsafe,           ///< it would cut off other nodes
};
inline constexpr std::size_t kErrcs = static_cast<std::size_t>(Errc::unsafe) + 1;

/// The name of the enumerator.
std::string_view to_word(Errc errc);

const boost::system::error_category& gossip_category();
boost::system::error_code make_error_code(Errc errc);

/// What a decoder on a packet path gives: the bare code, nothing allocated for a lie.
template <class T>
using Decoded = boost::system::result<T, Errc>;

/// How often each thing went wrong.
class ErrcCounts {
 public:
  void add(Errc errc, std::uint64_t times = 1) { counts_[static_cast<std::size_t>(errc)] += times; }
  void add(const ErrcCounts& other) {
    for (std::size_t i = 0; i < kErrcs; ++i) counts_[i] += other.counts_[i];
  }
  std::uint64_t operator[](Errc errc) const { return counts_[static_cast<std::size_t>(errc)]; }
  std::uint64_t total() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
  }

  bool operator==(const ErrcCounts&) const = default;

 private:
  std::array<std::uint64_t, kErrcs> counts_{};
};

}  // namespace viaduct::gossip

template <>
struct boost::system::is_error_code_enum<viaduct::gossip::Errc> : std::true_type {};
