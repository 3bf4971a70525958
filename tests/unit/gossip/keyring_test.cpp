#include "gossip/keyring.h"

#include <gmock/gmock.h>

#include "tests/unit/gossip/samples.h"

namespace viaduct::gossip {
namespace {

using base::Bytes;
using test::from_hex;
using testing::ElementsAre;

const Bytes kA(16, 'a'), kB(24, 'b'), kC(32, 'c');
constexpr Nonce kNonce{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

Keyring ring(std::initializer_list<Bytes> keys) {
  Keyring keyring;
  for (const Bytes& key : keys) keyring.install(key).value();
  return keyring;
}

Bytes sealed(const Keyring& keyring, std::string_view plain, std::string_view bound = {}) {
  Bytes out;
  keyring.seal(base::as_bytes(plain), base::as_bytes(bound), kNonce, out);
  return out;
}

TEST(Keyring, TheFirstKeyIsThePrimary) {
  Keyring keyring = ring({kA, kB});
  EXPECT_THAT(keyring.ids(), ElementsAre(key_id(kA), key_id(kB)));
  keyring.install(kC).value();
  keyring.install(kB).value();
  EXPECT_THAT(keyring.ids(), ElementsAre(key_id(kA), key_id(kB), key_id(kC))) << "once each";
  keyring.use(key_id(kC)).value();
  EXPECT_THAT(keyring.ids(), ElementsAre(key_id(kC), key_id(kA), key_id(kB)));
  keyring.remove(key_id(kA)).value();
  EXPECT_THAT(keyring.ids(), ElementsAre(key_id(kC), key_id(kB)));
}

TEST(Keyring, RefusesWhatWouldLoseTheCluster) {
  Keyring keyring = ring({kA, kB});
  EXPECT_EQ(keyring.remove(key_id(kA)).error().code, Errc::key_in_use);
  EXPECT_EQ(keyring.remove(key_id(kC)).error().code, Errc::unknown_key);
  EXPECT_EQ(keyring.use(key_id(kC)).error().code, Errc::unknown_key);
  EXPECT_EQ(keyring.install(Bytes(15, 'x')).error().code, Errc::bad_key);
  EXPECT_EQ(keyring.install({}).error().code, Errc::bad_key);
  for (std::uint8_t i = 2; i < 16; ++i) keyring.install(Bytes(16, i)).value();
  EXPECT_EQ(keyring.install(Bytes(16, 99)).error().code, Errc::too_large);
  keyring.install(kA).value();
}

TEST(Keyring, IdsTellKeysApartAndDoNotTellThem) {
  EXPECT_EQ(key_id_text(key_id(base::as_bytes("abc"))), "ba7816bf8f01cfea") << "FIPS 180-2, B.1";
  EXPECT_EQ(key_id_text(0xa), "000000000000000a");
}

TEST(Keyring, SealsAsNistDoes) {
  // GCM specification (McGrew, Viega), test case 4 without its last 4 octets of text.
  const Keyring keyring = ring({from_hex("feffe9928665731c6d6a8f9467308308")});
  const Bytes nonce = from_hex("cafebabefacedbaddecaf888");
  Nonce fixed;
  std::copy(nonce.begin(), nonce.end(), fixed.begin());
  Bytes out{0xee};
  keyring.seal(from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"),
               from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"), fixed, out);
  EXPECT_EQ(test::to_hex(out),
            "ee01cafebabefacedbaddecaf888"
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
            "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
            "5bc94fbc3221a5db94fae95ae7121a47");
}

TEST(Keyring, AnyKeyOpensAndOnlyWithWhatItIsBoundTo) {
  const Keyring all = ring({kA, kB, kC});
  for (const Bytes& key : {kA, kB, kC}) {
    const Bytes message = sealed(ring({key}), "hello", "label");
    EXPECT_EQ(message.size(), 5 + kSealOctets);
    EXPECT_EQ(base::as_text(all.open(message, base::as_bytes("label")).value()), "hello");
    EXPECT_EQ(all.open(message, {}).error(), Errc::wrong_key);
  }
  EXPECT_EQ(ring({kA}).open(sealed(ring({kB}), "hello"), {}).error(), Errc::wrong_key);
  EXPECT_EQ(Keyring().open(sealed(ring({kB}), "hello"), {}).error(), Errc::wrong_key);
}

TEST(Keyring, AChangedOctetAnywhereIsFound) {
  const Keyring keyring = ring({kA});
  const Bytes message = sealed(keyring, "hello");
  for (std::size_t i = 0; i < message.size(); ++i) {
    Bytes changed = message;
    changed[i] ^= 0x10;
    EXPECT_TRUE(keyring.open(changed, {}).has_error()) << i;
  }
  for (std::size_t i = 0; i < message.size(); ++i)
    EXPECT_TRUE(keyring.open(base::ByteView(message).first(i), {}).has_error()) << i;
}

TEST(Keyring, EmptyTextMayBeSealed) {
  const Keyring keyring = ring({kA});
  EXPECT_EQ(keyring.open(sealed(keyring, ""), {}).value(), Bytes{});
}

TEST(Keyring, TheFormerVersionIsPadded) {
  const Keyring keyring = ring({kA});
  // The version octet is not bound, so that a text of version 1 can stand for one of version 0.
  const auto open = [&](std::string_view padded) {
    Bytes message = sealed(keyring, padded);
    message[0] = 0;
    return keyring.open(message, {});
  };
  EXPECT_EQ(base::as_text(open("hello" + std::string(11, '\x0b')).value()), "hello");
  EXPECT_EQ(open(std::string(16, '\x10')).value(), Bytes{});
  EXPECT_EQ(open("hello").error(), Errc::malformed);
  EXPECT_EQ(open("").error(), Errc::malformed);
  EXPECT_EQ(open(std::string(16, '\x11')).error(), Errc::malformed);
  EXPECT_EQ(open(std::string(16, '\0')).error(), Errc::malformed);
}

TEST(Keyring, KeysAreReadAndWrittenAsSerfDoes) {
  const std::string text = "HvY8ubRZMgafUOWvrOadwOckVa1wXWXjkH8DhIxqBeA=";
  const Bytes key = parse_key(text).value();
  EXPECT_EQ(key.size(), 32U);
  EXPECT_EQ(key_text(key), text);
  for (const Bytes& good : {kA, kB, kC}) EXPECT_EQ(parse_key(key_text(good)).value(), good);
  for (const char* bad : {"", "=", "====", "YWJj", "HvY8ubRZMgafUOWvrOadwOckVa1wXWXjkH8DhIxqBeB=",
                          "HvY8ubRZMgafUOWvrOadwOckVa1wXWXjkH8DhIxqBe=A",
                          " vY8ubRZMgafUOWvrOadwOckVa1wXWXjkH8DhIxqBeA=",
                          "HvY8ubRZMgafUOWvrOadwOckVa1wXWXjkH8DhIxqBeA=\n"})
    EXPECT_EQ(parse_key(bad).error().code, Errc::bad_key) << bad;
}

TEST(Keyring, AFileHoldsTheKeysThePrimaryFirst) {
  const std::string json = ring({kB, kA}).to_json();
  EXPECT_EQ(json, "[\"" + key_text(kB) + "\",\"" + key_text(kA) + "\"]");
  EXPECT_THAT(Keyring::parse(json).value().ids(), ElementsAre(key_id(kB), key_id(kA)));
  EXPECT_THAT(Keyring::parse("[\n  \"" + key_text(kC) + "\"\n]\n").value().ids(),
              ElementsAre(key_id(kC)));
}

TEST(Keyring, AFileThatIsNoneIsRefusedWithoutRepeatingAKey) {
  const std::string good = key_text(kA);
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{}"), std::string("[1]"),
        "[\"" + good + "\", \"short\"]", "[\"" + good + "\"", std::string("\"" + good + "\"")}) {
    const auto keyring = Keyring::parse(bad);
    ASSERT_TRUE(keyring.has_error()) << bad;
    EXPECT_EQ(keyring.error().code, Errc::bad_key);
    EXPECT_THAT(keyring.error().message(), testing::Not(testing::HasSubstr(good)));
  }
}

}  // namespace
}  // namespace viaduct::gossip
