#include "gossip/msgpack.h"

#include <gmock/gmock.h>

#include <array>
#include <string>

#include "tests/unit/gossip/samples.h"

namespace viaduct::gossip {
namespace {

using test::from_hex;
using test::to_hex;

template <class Write>
std::string written(Write&& write) {
  base::Writer sink;
  MsgpackWriter<base::Writer> out(sink);
  write(out);
  return to_hex(sink.bytes());
}

TEST(Msgpack, NaturalNumbersAreWrittenInTheirShortestForm) {
  const auto number = [](std::uint64_t value) {
    return written([&](auto& out) { out.natural(value); });
  };
  EXPECT_EQ(number(0), "00");
  EXPECT_EQ(number(127), "7f");
  EXPECT_EQ(number(128), "cc80");
  EXPECT_EQ(number(255), "ccff");
  EXPECT_EQ(number(256), "cd0100");
  EXPECT_EQ(number(65'535), "cdffff");
  EXPECT_EQ(number(65'536), "ce00010000");
  EXPECT_EQ(number(0xffffffff), "ceffffffff");
  EXPECT_EQ(number(0x100000000), "cf0000000100000000");
}

TEST(Msgpack, OctetsAreWrittenAsOldRaw) {
  const auto head = [](std::size_t octets) {
    const std::string all = written([&](auto& out) { out.raw(base::Bytes(octets, 0)); });
    return all.substr(0, all.size() - 2 * octets);
  };
  EXPECT_EQ(head(0), "a0");
  EXPECT_EQ(head(31), "bf");
  EXPECT_EQ(head(32), "da0020") << "never str8";
  EXPECT_EQ(head(65'535), "daffff");
  EXPECT_EQ(head(65'536), "db00010000");
  EXPECT_EQ(written([](auto& out) { out.raw_or_nil({}); }), "c0");
}

TEST(Msgpack, EveryFormOfANumberIsRead) {
  for (const char* form : {"05", "cc05", "cd0005", "ce00000005", "cf0000000000000005", "d005",
                           "d10005", "d200000005", "d30000000000000005"}) {
    const base::Bytes bytes = from_hex(form);
    MsgpackReader in(bytes);
    EXPECT_EQ(in.natural(5), 5U) << form;
    EXPECT_FALSE(in.failed()) << form;
    EXPECT_TRUE(in.rest().empty());
  }
  for (const char* form : {"ff", "d0ff", "d1ffff", "d2ffffffff", "d3ffffffffffffffff", "06", "a0",
                           "c2", "ca40a00000"}) {
    const base::Bytes bytes = from_hex(form);
    MsgpackReader in(bytes);
    in.natural(5);
    ASSERT_TRUE(in.failed()) << form;
    EXPECT_EQ(in.error(), Errc::malformed) << form;
  }
}

TEST(Msgpack, EveryFormOfOctetsIsRead) {
  for (const char* form : {"a26869", "d9026869", "da00026869", "db000000026869", "c4026869",
                           "c500026869", "c6000000026869"}) {
    const base::Bytes bytes = from_hex(form);
    MsgpackReader in(bytes);
    EXPECT_EQ(base::as_text(in.raw(2)), "hi") << form;
    EXPECT_FALSE(in.failed()) << form;
  }
}

TEST(Msgpack, NilIsNothingOfEachKind) {
  const base::Bytes bytes = from_hex("c0c0c0c0");
  MsgpackReader in(bytes);
  EXPECT_EQ(in.natural(9), 0U);
  EXPECT_TRUE(in.raw(9).empty());
  EXPECT_FALSE(in.boolean());
  in.fields(std::array<std::string_view, 0>{}, [](std::size_t) {});
  EXPECT_FALSE(in.failed());
}

TEST(Msgpack, LengthsThatLieAreErrors) {
  const auto error = [](const char* hex, std::size_t max) {
    const base::Bytes bytes = from_hex(hex);
    MsgpackReader in(bytes);
    in.raw(max);
    return in.failed() ? in.error() : Errc::unexpected;
  };
  EXPECT_EQ(error("dbffffffff00", SIZE_MAX), Errc::truncated);
  EXPECT_EQ(error("a3616263", 2), Errc::too_large);
  EXPECT_EQ(error("", 2), Errc::truncated);
  EXPECT_EQ(error("da00", 2), Errc::truncated);
  EXPECT_EQ(error("c1", 2), Errc::malformed);
}

struct Fields {
  std::uint64_t a = 0;
  std::string b;
  bool failed = false;
  bool operator==(const Fields&) const = default;

  friend void PrintTo(const Fields& fields, std::ostream* out) {
    *out << "A " << fields.a << ", B \"" << fields.b << (fields.failed ? "\", failed" : "\"");
  }
};

Fields read_fields(const char* hex) {
  constexpr std::array<std::string_view, 2> kNames{"A", "B"};
  const base::Bytes bytes = from_hex(hex);
  MsgpackReader in(bytes);
  Fields fields;
  in.fields(kNames, [&](std::size_t field) {
    if (field == 0)
      fields.a = in.natural(UINT64_MAX);
    else
      fields.b = base::as_text(in.raw(9));
  });
  fields.failed = in.failed();
  return fields;
}

TEST(Msgpack, StructsAreMapsOrArrays) {
  EXPECT_EQ(read_fields("82a14101a142a178"), (Fields{1, "x"}));
  EXPECT_EQ(read_fields("82a142a178a14101"), (Fields{1, "x"})) << "in any order";
  EXPECT_EQ(read_fields("9201a178"), (Fields{1, "x"}));
  EXPECT_EQ(read_fields("de0002a14101a142a178"), (Fields{1, "x"}));
  EXPECT_EQ(read_fields("dd0000000201a178"), (Fields{1, "x"}));
  EXPECT_EQ(read_fields("81a14101"), (Fields{1, ""})) << "what is missing is zero";
  EXPECT_EQ(read_fields("9101"), (Fields{1, ""}));
  EXPECT_EQ(read_fields("c0"), (Fields{0, ""}));
  EXPECT_EQ(read_fields("82a15a8192a3786f78cb400000000000000000a14101"), (Fields{1, ""}))
      << "what is unknown is passed over, however deep";
  EXPECT_EQ(read_fields("9301a178d8000102030405060708090a0b0c0d0e0f10"), (Fields{1, "x"}));
  EXPECT_TRUE(read_fields("05").failed);
  EXPECT_TRUE(read_fields("82a14101").failed) << "fewer than it says";
  EXPECT_TRUE(read_fields("8101a178").failed) << "a number is no name";
  EXPECT_TRUE(read_fields("dfffffffff").failed);
}

TEST(Msgpack, DeepNestingNeedsNoStack) {
  base::Bytes bytes(1'000'000, 0x91);
  bytes.push_back(0x01);
  MsgpackReader in(bytes);
  in.skip();
  EXPECT_FALSE(in.failed());
  EXPECT_TRUE(in.rest().empty());
}

TEST(Msgpack, TheScannerFindsTheSameEndHoweverItIsFed) {
  const base::Bytes bytes = from_hex(
      "86a14101a142a178a143c4020102a144cb4000000000000000a14592cd0102d9026869a146d801"
      "0203040506070809000102030405060a");
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    base::Bytes all = bytes;
    all.push_back(0x77);  // of the next value
    MsgpackScanner scanner;
    std::size_t at = 0;
    for (std::size_t come = 0; come < all.size();) {
      come = std::min(come + piece, all.size());
      const auto passed = scanner.advance(base::ByteView(all).subspan(at, come - at));
      ASSERT_TRUE(passed.has_value());
      at += *passed;
      EXPECT_EQ(scanner.whole(), come >= bytes.size()) << piece << " " << come;
    }
    EXPECT_EQ(at, bytes.size()) << piece;
  }
}

}  // namespace
}  // namespace viaduct::gossip
