#include "gossip/keyring.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cassert>
#include <charconv>
#include <utility>

#include "gossip/limits.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;
using base::ByteView;

constexpr std::size_t kTagOctets = 16;
constexpr std::size_t kBlockOctets = 16;
constexpr std::uint8_t kPaddedVersion = 0, kVersion = 1;

base::Error error(Errc errc, std::string context) { return {errc, std::move(context)}; }

/// Only for lengths that a key may have.
const EVP_CIPHER* cipher(std::size_t octets) {
  switch (octets) {
    case 16:
      return EVP_aes_128_gcm();
    case 24:
      return EVP_aes_192_gcm();
    case 32:
      return EVP_aes_256_gcm();
    default:
      return nullptr;
  }
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

int length(ByteView bytes) { return static_cast<int>(bytes.size()); }

/// Version 0 fills up to whole blocks, each filling octet telling how many there are (PKCS #7).
bool remove_padding(Bytes& plain) {
  if (plain.empty() || plain.size() % kBlockOctets != 0) return false;
  const std::size_t filled = plain.back();
  if (filled == 0 || filled > kBlockOctets) return false;
  plain.resize(plain.size() - filled);
  return true;
}

}  // namespace

/// A key with a cipher context for each direction, so that a packet costs no key schedule.
class Keyring::Key {
 public:
  explicit Key(ByteView octets)
      : octets_(octets.begin(), octets.end()),
        id_(key_id(octets)),
        seal_(EVP_CIPHER_CTX_new()),
        open_(EVP_CIPHER_CTX_new()) {
    [[maybe_unused]] const bool ready =
        seal_ && open_ &&
        EVP_EncryptInit_ex(seal_.get(), cipher(octets.size()), nullptr, octets_.data(), nullptr) &&
        EVP_DecryptInit_ex(open_.get(), cipher(octets.size()), nullptr, octets_.data(), nullptr);
    assert(ready);
  }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() { OPENSSL_cleanse(octets_.data(), octets_.size()); }

  const Bytes& octets() const { return octets_; }
  KeyId id() const { return id_; }

  /// @param out  as long as `plain`.
  void seal(ByteView plain, ByteView bound, const Nonce& nonce, std::uint8_t* out,
            std::uint8_t* tag) {
    EVP_CIPHER_CTX* context = seal_.get();
    int done = 0;
    [[maybe_unused]] const bool sealed =
        EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()) &&
        EVP_EncryptUpdate(context, nullptr, &done, bound.data(), length(bound)) &&
        EVP_EncryptUpdate(context, out, &done, plain.data(), length(plain)) &&
        EVP_EncryptFinal_ex(context, out + done, &done) &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, kTagOctets, tag);
    assert(sealed);
  }

  /// @param out  as long as `hidden`.
  bool open(ByteView hidden, ByteView tag, ByteView bound, const std::uint8_t* nonce,
            std::uint8_t* out) {
    EVP_CIPHER_CTX* context = open_.get();
    int done = 0;
    // The cipher only reads the tag, but its interface does not say so.
    auto* expected = const_cast<std::uint8_t*>(tag.data());
    return EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, nonce) &&
           EVP_DecryptUpdate(context, nullptr, &done, bound.data(), length(bound)) &&
           EVP_DecryptUpdate(context, out, &done, hidden.data(), length(hidden)) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, kTagOctets, expected) &&
           EVP_DecryptFinal_ex(context, out + done, &done) > 0;
  }

 private:
  Bytes octets_;
  KeyId id_;
  Context seal_, open_;
};

KeyId key_id(ByteView key) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(key.data(), key.size(), digest.data());
  return base::Reader(digest).u64();
}

std::string key_id_text(KeyId id) {
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, id >>= 4)
    *digit = "0123456789abcdef"[id & 0xf];
  return text;
}

base::Result<KeyId> parse_key_id(std::string_view text) {
  KeyId id = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (text.size() != 2 * sizeof(KeyId) || code != std::errc() || end != text.data() + text.size())
    return error(Errc::bad_key,
                 "a key's id has 16 hexadecimal digits, as viaductctl keys list "
                 "shows them");
  return id;
}

std::string key_text(ByteView key) {
  std::string text(4 * ((key.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), key.data(), length(key))));
  return text;
}

base::Result<Bytes> parse_key(std::string_view text) {
  const base::Error bad = error(Errc::bad_key, "read a key in base64");  // never repeat a secret
  constexpr std::size_t kLongest = 44;                                   // 32 octets
  if (text.empty() || text.size() > kLongest || text.size() % 4 != 0) return bad;
  Bytes key(text.size() / 4 * 3);
  const int octets =
      EVP_DecodeBlock(key.data(), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  const std::size_t padding = text.size() - (text.find_last_not_of('=') + 1);
  if (octets != static_cast<int>(key.size()) || padding > 2) return bad;
  key.resize(key.size() - padding);
  // EVP passes over spaces and takes bits behind the end; one key has one text.
  if (!cipher(key.size()) || key_text(key) != text) return bad;
  return key;
}

Keyring::Keyring() = default;
Keyring::~Keyring() = default;
Keyring::Keyring(Keyring&&) noexcept = default;
Keyring& Keyring::operator=(Keyring&&) noexcept = default;

base::Result<Keyring> Keyring::parse(std::string_view json) {
  const auto bad = [](const std::string& why) {
    return error(Errc::bad_key, "read a keyring file: " + why);
  };
  boost::system::error_code ec;
  const boost::json::value file = boost::json::parse({json.data(), json.size()}, ec);
  if (ec) return bad(ec.message());
  if (!file.is_array() || file.get_array().empty()) return bad("not a list of keys in base64");
  Keyring keyring;
  std::size_t number = 0;
  for (const boost::json::value& item : file.get_array()) {
    ++number;
    if (!item.is_string()) return bad("key " + std::to_string(number) + " is no text");
    const boost::json::string& text = item.get_string();
    const base::Result<Bytes> key = parse_key({text.data(), text.size()});
    if (key.has_error()) return bad("key " + std::to_string(number));
    const base::Result<void> installed = keyring.install(*key);
    if (installed.has_error()) return installed.error();
  }
  return keyring;
}

std::string Keyring::to_json() const {
  boost::json::array texts;
  for (const auto& key : keys_) texts.emplace_back(key_text(key->octets()));
  return boost::json::serialize(texts);
}

std::vector<KeyId> Keyring::ids() const {
  std::vector<KeyId> ids;
  for (const auto& key : keys_) ids.push_back(key->id());
  return ids;
}

std::vector<std::unique_ptr<Keyring::Key>>::iterator Keyring::find(KeyId id) {
  return std::find_if(keys_.begin(), keys_.end(),
                      [id](const auto& key) { return key->id() == id; });
}

base::Result<void> Keyring::install(ByteView key) {
  if (!cipher(key.size())) return error(Errc::bad_key, "install a key");
  if (find(key_id(key)) != keys_.end()) return {};
  if (keys_.size() >= kMaxKeys) return error(Errc::too_large, "install a key");
  keys_.push_back(std::make_unique<Key>(key));
  return {};
}

base::Result<void> Keyring::use(KeyId id) {
  const auto key = find(id);
  if (key == keys_.end()) return error(Errc::unknown_key, "use key " + key_id_text(id));
  std::rotate(keys_.begin(), key, key + 1);
  return {};
}

base::Result<void> Keyring::remove(KeyId id) {
  const auto key = find(id);
  if (key == keys_.end()) return error(Errc::unknown_key, "remove key " + key_id_text(id));
  if (key == keys_.begin()) return error(Errc::key_in_use, "remove key " + key_id_text(id));
  keys_.erase(key);
  return {};
}

void Keyring::seal(ByteView plain, ByteView bound, const Nonce& nonce, Bytes& out) const {
  assert(!empty());
  out.reserve(out.size() + plain.size() + kSealOctets);
  out.push_back(kVersion);
  out.insert(out.end(), nonce.begin(), nonce.end());
  const std::size_t at = out.size();
  out.resize(at + plain.size() + kTagOctets);
  keys_.front()->seal(plain, bound, nonce, &out[at], &out[at + plain.size()]);
}

Decoded<Bytes> Keyring::open(ByteView sealed, ByteView bound) const {
  if (sealed.size() < kSealOctets) return Errc::truncated;
  const std::uint8_t version = sealed[0];
  if (version != kVersion && version != kPaddedVersion) return Errc::malformed;
  const ByteView nonce = sealed.subspan(1, sizeof(Nonce));
  const ByteView tag = sealed.last(kTagOctets);
  const ByteView hidden = sealed.subspan(1 + sizeof(Nonce), sealed.size() - kSealOctets);
  Bytes plain(hidden.size());
  for (const auto& key : keys_) {
    if (!key->open(hidden, tag, bound, nonce.data(), plain.data())) continue;
    if (version == kPaddedVersion && !remove_padding(plain)) return Errc::malformed;
    return plain;
  }
  return Errc::wrong_key;
}

}  // namespace viaduct::gossip
