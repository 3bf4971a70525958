#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "gossip/keyring.h"
#include "gossip/stream.h"
#include "gossip/wire.h"

namespace viaduct::test {

base::Bytes from_hex(std::string_view hex);
std::string to_hex(base::ByteView bytes);

/// What a real process sent: a datagram, or its half of a stream.
struct Sample {
  std::string id;
  bool is_stream = false;
  gossip::StreamSide side = gossip::StreamSide::dialler;
  std::vector<std::string> layers;
  base::Bytes bytes;
  gossip::WireOptions options;
  base::Bytes key;             ///< empty: none
  boost::json::value message;  ///< what an independent decoder read, the layers taken off

  bool has_layer(std::string_view name) const;
  /// Where the encryption begins: its version octet.
  std::size_t sealed_at() const;
  gossip::Keyring keyring() const;
};

/// @param folder  of tests/data/memberlist, or one that has a file a kind of message.
std::vector<Sample> read_samples(const std::filesystem::path& folder);

/// The form of Sample::message.
boost::json::value to_json(const gossip::Message& message);
boost::json::value to_json(const gossip::StreamMessage& message);

}  // namespace viaduct::test
