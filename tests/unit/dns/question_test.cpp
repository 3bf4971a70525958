#include "dns/question.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/dns_message.h"

namespace viaduct::dns {
namespace {

using test::MessageBuilder;
using test::Octets;

constexpr std::size_t kAnswers = 6, kAuthority = 8, kAdditional = 10;

Verdict verdict(const Octets& message) { return parse_question(message).verdict; }
MessageBuilder asked() { return MessageBuilder().question("web.example", Type::a); }

/// A TSIG record's data with a MAC of 4 octets.
Octets tsig_data() {
  return {4,    'h', 'm', 'a', 'c', 0, 0, 0,    0x65, 1, 2, 3, 1,
          0x2c, 0,   4,   9,   9,   9, 9, 0x12, 0x34, 0, 0, 0, 0};
}

TEST(Question, IsReadWithItsFlagsAndLabels) {
  const Octets message = MessageBuilder(0xbeef, 0x0110).question("Web.example", Type::aaaa);
  const Question question = parse_question(message);
  EXPECT_EQ(question.verdict, Verdict::query);
  EXPECT_EQ(question.id, 0xbeef);
  EXPECT_TRUE(question.recursion_desired);
  EXPECT_TRUE(question.has_question);
  EXPECT_TRUE(std::ranges::equal(question.name, Name::parse("Web.example").value().wire()));
  EXPECT_EQ(question.type, 28);
  EXPECT_EQ(question.klass, 1);
  ASSERT_EQ(question.label_count, 2);
  EXPECT_EQ(question.label_starts[0], 0);
  EXPECT_EQ(question.label_starts[1], 4);
  EXPECT_FALSE(question.has_opt);
}

TEST(Question, WithoutAWholeHeaderIsDropped) {
  for (std::size_t length = 0; length < kHeaderOctets; ++length)
    EXPECT_EQ(verdict(Octets(length)), Verdict::drop);
}

TEST(Question, ThatIsAResponseIsDroppedHoweverBroken) {
  EXPECT_EQ(verdict(MessageBuilder(1, 0x8000).question("web.example", Type::a)), Verdict::drop);
  EXPECT_EQ(verdict(MessageBuilder(1, 0xf800).set_count(4, 9).tail({0xff})), Verdict::drop);
}

TEST(Question, OfAnotherOpcodeIsNotImplementedEvenAsABareHeader) {
  for (unsigned opcode = 1; opcode < 16; ++opcode) {
    const Octets message = MessageBuilder(1, static_cast<std::uint16_t>(opcode << 11));
    const Question question = parse_question(message);
    EXPECT_EQ(question.verdict, Verdict::not_implemented);
    EXPECT_EQ(question.opcode, opcode);
    EXPECT_FALSE(question.has_question);
  }
}

TEST(Question, MustBeExactlyOne) {
  EXPECT_EQ(verdict(MessageBuilder()), Verdict::format_error);
  const Octets two = asked().question("web.example", Type::aaaa).opt();
  const Question question = parse_question(two);
  EXPECT_EQ(question.verdict, Verdict::format_error);
  EXPECT_FALSE(question.has_question);
  EXPECT_TRUE(question.has_opt);
}

TEST(Question, CutShortAnywhereIsAFormatError) {
  const Octets whole = asked().opt();
  for (std::size_t length = kHeaderOctets; length < whole.size(); ++length) {
    const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(verdict(cut), Verdict::format_error) << length;
  }
  EXPECT_EQ(verdict(whole), Verdict::query);
}

TEST(Question, WithACompressedNameIsAFormatError) {
  EXPECT_EQ(verdict(MessageBuilder().raw_question(Octets{0xc0, 0x0c})), Verdict::format_error);
  EXPECT_EQ(verdict(MessageBuilder().raw_question(Octets{1, 'a', 0xc0, 0x0c})),
            Verdict::format_error);
}

TEST(Question, WithAReservedKindOfLabelIsAFormatError) {
  for (const std::uint8_t length : {0x40, 0x41, 0x7f, 0x80, 0xbf}) {
    Octets name(200, 'a');
    name[0] = length;
    name.back() = 0;
    EXPECT_EQ(verdict(MessageBuilder().raw_question(name)), Verdict::format_error);
  }
}

TEST(Question, MayHaveANameOf255OctetsButNotOf256) {
  Octets name;
  for (int i = 0; i < 127; ++i) name.insert(name.end(), {1, 'a'});
  name.push_back(0);
  ASSERT_EQ(name.size(), kMaxNameOctets);
  const Octets longest = MessageBuilder().raw_question(name);
  EXPECT_EQ(parse_question(longest).label_count, kMaxLabels);
  EXPECT_EQ(verdict(longest), Verdict::query);
  name[0] = 2;
  name.insert(name.begin() + 1, 'b');
  EXPECT_EQ(verdict(MessageBuilder().raw_question(name)), Verdict::format_error);
}

TEST(Question, MayHaveAnyOctetInALabel) {
  const Octets message = MessageBuilder().raw_question(Octets{4, 0, '.', 0xff, 0xc0, 0});
  EXPECT_EQ(verdict(message), Verdict::query);
  EXPECT_EQ(parse_question(message).label_count, 1);
}

TEST(Question, WithOctetsBehindTheLastRecordIsAFormatErrorThatKeepsTheQuestion) {
  const Octets message = asked().opt().tail({0});
  const Question question = parse_question(message);
  EXPECT_EQ(question.verdict, Verdict::format_error);
  EXPECT_TRUE(question.has_question);
  EXPECT_TRUE(question.has_opt);
}

TEST(Question, KeepsSizeAndDnssecFlagOfItsOpt) {
  const Octets message =
      asked().opt({.size = 4096, .dnssec_ok = true, .options = {0, 10, 0, 2, 7, 7}});
  const Question question = parse_question(message);
  EXPECT_EQ(question.verdict, Verdict::query);
  EXPECT_TRUE(question.has_opt);
  EXPECT_EQ(question.udp_size, 4096);
  EXPECT_TRUE(question.dnssec_ok);
}

TEST(Question, WithAWrongOptIsAFormatError) {
  EXPECT_EQ(verdict(asked().opt().opt()), Verdict::format_error);
  EXPECT_EQ(verdict(asked().opt({.owner = "a"})), Verdict::format_error);
  EXPECT_EQ(verdict(asked().opt({.options = {0, 10, 0}})), Verdict::format_error);
  EXPECT_EQ(verdict(asked().opt({.options = {0, 10, 0, 3, 7, 7}})), Verdict::format_error);
  EXPECT_EQ(verdict(asked().record(kAnswers, ".", 41, 1232, {})), Verdict::format_error);
  EXPECT_EQ(verdict(asked().record(kAuthority, ".", 41, 1232, {})), Verdict::format_error);
}

TEST(Question, OfALaterEdnsVersionIsABadVersion) {
  EXPECT_EQ(verdict(asked().opt({.version = 1})), Verdict::bad_version);
  EXPECT_EQ(verdict(asked().opt({.version = 255})), Verdict::bad_version);
}

TEST(Question, MayCarryOtherRecords) {
  EXPECT_EQ(verdict(asked().record(kAnswers, "x.example", 1, 1, {1, 2, 3, 4})), Verdict::query);
  EXPECT_EQ(verdict(asked().record(kAuthority, ".", 6, 1, Octets(22))), Verdict::query);
  EXPECT_EQ(verdict(asked().record(kAdditional, "x", 1, 1, {}).opt()), Verdict::query);
}

TEST(Question, WithMoreRecordsAnnouncedThanPresentIsAFormatError) {
  for (const std::size_t section : {kAnswers, kAuthority, kAdditional})
    EXPECT_EQ(verdict(asked().opt().set_count(section, 0xffff)), Verdict::format_error);
}

TEST(Question, SignedByTsigIsABadKey) {
  const Octets message = asked().opt().record(kAdditional, "key.example", 250, 255, tsig_data());
  const Question question = parse_question(message);
  EXPECT_EQ(question.verdict, Verdict::bad_key);
  EXPECT_TRUE(
      std::ranges::equal(question.tsig.key_name, Name::parse("key.example").value().wire()));
  EXPECT_TRUE(std::ranges::equal(question.tsig.algorithm, Name::parse("hmac").value().wire()));
  EXPECT_TRUE(
      std::ranges::equal(question.tsig.time_and_fudge, Octets{0, 0, 0x65, 1, 2, 3, 1, 0x2c}));
}

TEST(Question, WithAWrongTsigIsAFormatError) {
  EXPECT_EQ(verdict(asked().record(kAdditional, "key", 250, 255, tsig_data()).opt()),
            Verdict::format_error);
  EXPECT_EQ(verdict(asked().record(kAnswers, "key", 250, 255, tsig_data())), Verdict::format_error);
  EXPECT_EQ(verdict(asked().record(kAdditional, "key", 250, 1, tsig_data())),
            Verdict::format_error);
  for (std::size_t length = 0; length < tsig_data().size(); ++length) {
    Octets data = tsig_data();
    data.resize(length);
    EXPECT_EQ(verdict(asked().record(kAdditional, "key", 250, 255, data)), Verdict::format_error)
        << length;
  }
  Octets longer = tsig_data();
  longer.push_back(0);
  EXPECT_EQ(verdict(asked().record(kAdditional, "key", 250, 255, longer)), Verdict::format_error);
}

}  // namespace
}  // namespace viaduct::dns
