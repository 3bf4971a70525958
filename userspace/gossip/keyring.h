#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gossip/errors.h"

namespace viaduct::gossip {

/// The first 8 octets of a key's SHA-256, as a number: names a key and does not tell it.
using KeyId = std::uint64_t;
KeyId key_id(base::ByteView key);
/// 16 hexadecimal digits.
std::string key_id_text(KeyId id);
/// Reads what key_id_text() writes.
/// @errors bad_key
base::Result<KeyId> parse_key_id(std::string_view text);

/// Base64 (RFC 4648, 4, padded), as Serf's tools print and take keys.
std::string key_text(base::ByteView key);
/// @errors bad_key
base::Result<base::Bytes> parse_key(std::string_view text);

/// Must never repeat under one key.
using Nonce = std::array<std::uint8_t, 12>;
/// Gives a fresh nonce at each call.
using NonceSource = std::function<Nonce()>;

/// Octets by which sealing makes a message longer: version, nonce, tag.
inline constexpr std::size_t kSealOctets = 1 + sizeof(Nonce) + 16;

/// The keys of a cluster: the first, the primary, seals; any opens. A cluster changes its key in
/// three steps: every node installs the new one, every node uses it, every node removes the old.
/// Owns the keys and wipes them; used by one thread, for it keeps a cipher context a key.
class Keyring {
 public:
  /// Without keys: nothing is encrypted.
  Keyring();
  ~Keyring();
  Keyring(Keyring&&) noexcept;
  Keyring& operator=(Keyring&&) noexcept;

  /// Reads a keyring file as Serf writes it: a JSON array of keys in base64, the primary first.
  /// @errors bad_key: also for a file without a key
  static base::Result<Keyring> parse(std::string_view json);
  /// What parse() reads.
  std::string to_json() const;

  bool empty() const { return keys_.empty(); }
  /// The primary first.
  std::vector<KeyId> ids() const;

  /// Adds a key of 16, 24 or 32 octets behind the others; one that is there already stays where it
  /// is. The first one is the primary.
  /// @errors bad_key; too_large: kMaxKeys are there
  base::Result<void> install(base::ByteView key);
  /// Makes a key the primary.
  /// @errors unknown_key
  base::Result<void> use(KeyId id);
  /// @errors unknown_key; key_in_use: it is the primary
  base::Result<void> remove(KeyId id);

  /// Appends version 1, nonce, cipher text and tag (AES-GCM) under the primary key.
  /// Not for an empty keyring.
  /// @param bound  what the receiver must know as well (additional authenticated data).
  void seal(base::ByteView plain, base::ByteView bound, const Nonce& nonce, base::Bytes& out) const;
  /// Opens what a peer sealed, of version 1 or 0 (padded to whole blocks).
  /// @errors truncated; malformed: unknown version or padding; wrong_key
  Decoded<base::Bytes> open(base::ByteView sealed, base::ByteView bound) const;

 private:
  class Key;
  std::vector<std::unique_ptr<Key>>::iterator find(KeyId id);

  std::vector<std::unique_ptr<Key>> keys_;
};

}  // namespace viaduct::gossip
