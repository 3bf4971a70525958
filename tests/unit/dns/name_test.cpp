#include "dns/name.h"

#include <gtest/gtest.h>

#include <random>

#include "base/errors.h"

namespace viaduct::dns {
namespace {

Name name(std::string_view text) { return Name::parse(text).value(); }

TEST(Name, IsLengthOctetsAndLabelsWithTheRootLast) {
  const std::vector<std::uint8_t> wire = {3, 'w', 'e', 'b', 2, 'e', 'x', 0};
  EXPECT_TRUE(std::ranges::equal(name("web.ex").wire(), wire));
  EXPECT_EQ(name("web.ex."), name("web.ex"));
  EXPECT_EQ(name("."), Name());
  EXPECT_EQ(name("web.ex").label_count(), 2u);
  EXPECT_EQ(Name().label_count(), 0u);
}

TEST(Name, RefusesEmptyAndOverlongParts) {
  for (const char* text : {"", "..", "a..b", ".a"})
    EXPECT_EQ(Name::parse(text).error().code, base::Errc::bad_format);
  EXPECT_TRUE(Name::parse(std::string(63, 'a')).has_value());
  EXPECT_EQ(Name::parse(std::string(64, 'a')).error().code, base::Errc::too_large);
  std::string longest;
  for (int i = 0; i < 3; ++i) longest += std::string(63, 'a') + '.';
  EXPECT_EQ(name(longest + std::string(61, 'b')).size(), 255u);
  EXPECT_EQ(Name::parse(longest + std::string(62, 'b')).error().code, base::Errc::too_large);
  EXPECT_EQ(name(longest + std::string(60, 'b')).under(name("c")).error().code,
            base::Errc::too_large);
}

TEST(Name, FoldsOnlyAsciiCapitals) {
  EXPECT_EQ(name("WeB-[@`{Z.EX").folded(), name("web-[@`{z.ex"));
  EXPECT_EQ(name("\xc3\x84").folded(), name("\xc3\x84"));
}

TEST(Name, KnowsWhatLiesBelowIt) {
  EXPECT_TRUE(name("A.b.EX").is_within(name("B.ex")));
  EXPECT_TRUE(name("b.ex").is_within(name("b.ex")));
  EXPECT_TRUE(name("b.ex").is_within(Name()));
  EXPECT_FALSE(name("ab.ex").is_within(name("b.ex")));
  EXPECT_FALSE(name("ex").is_within(name("b.ex")));
}

TEST(Name, EscapesInTextWhatIsNotPlain) {
  EXPECT_EQ(name("web.ex").to_text(), "web.ex.");
  EXPECT_EQ(Name().to_text(), ".");
  const std::vector<std::uint8_t> wire = {5, 'a', '.', 0, 0xff, '\\', 0};
  EXPECT_EQ(Name::from_wire(wire).to_text(), "a\\.\\000\\255\\\\.");
}

TEST(FoldWord, FoldsEveryOctetAsTheAsciiRuleSays) {
  for (unsigned octet = 0; octet < 256; ++octet)
    for (unsigned place = 0; place < 8; ++place) {
      const unsigned folded = octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;
      for (const std::uint64_t others : {std::uint64_t{0}, ~std::uint64_t{0}}) {
        const std::uint64_t mask = std::uint64_t{0xff} << (place * 8);
        const std::uint64_t word = (others & ~mask) | std::uint64_t{octet} << (place * 8);
        EXPECT_EQ(fold_word(word), (others & ~mask) | std::uint64_t{folded} << (place * 8))
            << octet;
      }
    }
}

TEST(FoldedName, FoldsAndHashesNamesOfEveryLengthLikeTheirFoldedForm) {
  std::mt19937 random(7);
  for (std::size_t length = 1; length <= 61; ++length) {
    std::string text(length, ' ');
    for (char& c : text) c = "aBcDzZ09-"[random() % 9];
    const Name mixed = name(text + ".L4LB.example");
    const FoldedName folded(mixed.wire());
    const Name lower = mixed.folded();
    EXPECT_TRUE(std::ranges::equal(folded.wire(), lower.wire()));
    EXPECT_EQ(folded.hash(1), FoldedName(lower.wire()).hash(1));
  }
}

TEST(FoldedName, ReplacesASuffixByALongerOrShorterOne) {
  const Name longer = name("web.l4lb.thisdcos.directory"),
             shorter = name("web.l4lb.thisdcos.global");
  for (const auto& [from, to] : {std::pair(longer, shorter), std::pair(shorter, longer)}) {
    FoldedName folded(from.wire());
    folded.replace_suffix(4, to.wire().subspan(4));
    EXPECT_TRUE(std::ranges::equal(folded.wire(), to.wire()));
    EXPECT_EQ(folded.hash(1), FoldedName(to.wire()).hash(1));
  }
}

}  // namespace
}  // namespace viaduct::dns
