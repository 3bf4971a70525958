// SPDX-License-Identifier: Apache-2.0
// The kernel beside user space over a whole table, and while the table is being written.
#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "tests/bpf/dns_lab.h"

namespace viaduct::bpftest {
namespace {

using dns::Name;
using dns::Type;
using test::MessageBuilder;
using test::Octets;

Name name(const std::string& text) { return Name::parse(text).value(); }

/// Names of all lengths up to a label's, with one to eight addresses of either family or none.
std::vector<std::string> fill(dns::TableWriter& writer, unsigned count) {
  std::mt19937 random(7);
  std::vector<std::string> names;
  for (unsigned i = 0; i < count; ++i) {
    std::string text = "n" + std::to_string(i) + "-";
    text += std::string(random() % 50, static_cast<char>('a' + random() % 26));
    if (i % 3 == 0) text += ".sub" + std::to_string(i % 97);
    text += ".example";
    const Name owner = name(text);
    std::vector<dns::Record> records;
    for (unsigned j = 0; j < 1 + random() % 8; ++j)
      records.push_back(dns::address_record(owner, base::Address::v4(i << 8 | j), 5));
    for (unsigned j = 0; j < random() % 3; ++j) {
      std::array<std::uint8_t, 16> octets{0x20, 0x01, 0x0d, 0xb8};
      octets[15] = static_cast<std::uint8_t>(j);
      records.push_back(dns::address_record(owner, base::Address::v6(octets), 5));
    }
    if (i % 5 == 0) records.push_back({owner, static_cast<Type>(16), 5, {1, 'x'}});
    writer.set_name(name("example"), owner, std::move(records));
    names.push_back(text);
  }
  return names;
}

class SameOctets : public DnsLab {
 protected:
  /// One query over both families. @return whether the kernel answered.
  bool compare(const Octets& query) {
    const Octets wanted = answer(query);
    for (const bool v4 : {true, false}) {
      const Asked asked = v4 ? ask4(query) : ask6(query);
      if (asked.up()) return false;
      const testing::Parsed packet = asked.parsed();
      EXPECT_EQ(asked.verdict, TC_ACT_REDIRECT);
      EXPECT_EQ(packet.payload, wanted);
      EXPECT_TRUE(packet.checksums_ok);
    }
    return true;
  }
};

TEST_F(SameOctets, OverTenThousandNames) {
  std::mt19937 random(1);
  const std::vector<std::string> names = fill(writer_, 10'000);
  ASSERT_TRUE(writer_.take_rejected().empty());
  show();
  std::uint64_t answered = 0, up = 0;
  for (const std::string& text : names) {
    std::string cased = text;
    for (char& c : cased)
      if (random() % 2 != 0) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    for (const std::uint16_t type : {1, 28, 16, 255}) {
      for (int edns = 0; edns < 3; ++edns) {
        MessageBuilder query(static_cast<std::uint16_t>(random()), random() % 2 ? 0x0100 : 0);
        query.question(cased, static_cast<Type>(type));
        if (edns != 0) query.opt({.dnssec_ok = edns == 2});
        compare(query) ? ++answered : ++up;
        if (HasFailure()) FAIL() << cased << " type " << type << " edns " << edns;
      }
    }
  }
  // What went up did so because the name's records do not fit its slot.
  EXPECT_EQ(kernel_->count(VD_DNS_LONG), up);
  EXPECT_EQ(kernel_->count(VD_DNS_ANSWERED) + kernel_->count(VD_DNS_NO_DATA), 2 * answered);
  EXPECT_EQ(kernel_->counted(), 2 * answered + up);
  EXPECT_GT(answered, 100'000U);
  std::printf("%lu questions answered alike over both families, %lu passed up\n", answered, up);
}

/// Queries with random octets changed: answered alike, or left alone.
TEST_F(SameOctets, OverDamagedQueries) {
  std::mt19937 random(2);
  std::uint64_t answered = 0;
  for (int i = 0; i < 50'000; ++i) {
    MessageBuilder builder(static_cast<std::uint16_t>(random()));
    builder.question(i % 2 ? "five.example" : "one.example", Type::a);
    if (i % 3) builder.opt();
    Octets query = builder;
    for (unsigned changes = random() % 3; changes > 0; --changes)
      query[random() % query.size()] =
          static_cast<std::uint8_t>(random() % 4 ? random() % 4 : random());
    answered += compare(query) ? 1 : 0;
    if (HasFailure()) FAIL() << "turn " << i;
  }
  EXPECT_GT(answered, 15'000U);
}

/// Records of one type that all end with the same octet.
std::vector<dns::Record> marked(const Name& owner, unsigned count, std::uint8_t mark) {
  std::vector<dns::Record> records;
  for (unsigned i = 0; i < count; ++i)
    records.push_back(
        dns::address_record(owner, base::Address::v4(0x0a000000U + (i << 8) + mark), mark));
  return records;
}

TEST_F(DnsLab, NoAnswerIsMixedOfWhatWasWrittenBeforeAndAfter) {
  const Name owner = name("flip.example");
  auto slots = std::make_shared<dns::AnswerSlots>(*dns::allocate_in_kernel(64), 9);
  std::vector<base::Error> rejected;
  std::array<dns::RecordSets, 4> variants;
  for (std::uint8_t i = 0; i < 4; ++i)
    variants[i] =
        dns::compile(marked(owner, 2 + 3U * i, static_cast<std::uint8_t>(i + 1)), rejected);
  slots->put(owner, 0, variants[0]);
  ASSERT_TRUE(kernel_->table().publish(
      std::make_shared<const dns::Table>(slots, writer_.table()->zones(), 1)));

  std::atomic<bool> stop = false;
  std::uint64_t written = 0;
  std::thread writer([&] {
    for (; !stop; ++written) slots->put(owner, 0, variants[written % 4]);
  });
  const testing::Bytes query = query4(MessageBuilder().question("flip.example", Type::a));
  std::array<std::uint64_t, 5> seen{};
  std::uint64_t mixed = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (std::chrono::steady_clock::now() < end) {
    const Asked asked = DnsKernel::run(kernel_->container(), query);
    if (asked.up()) continue;
    const testing::Bytes payload = asked.parsed().payload;
    const std::size_t body = 12 + owner.size() + 4;
    const std::uint8_t mark = payload.back();
    const unsigned records = payload[7];
    bool whole = mark >= 1 && mark <= 4 && records == 2 + 3U * (mark - 1U) &&
                 payload.size() == body + 16UL * records && asked.parsed().checksums_ok;
    for (std::size_t at = body; whole && at < payload.size(); at += 16)
      whole = payload[at + 9] == mark && payload[at + 15] == mark;
    whole ? ++seen[mark] : ++mixed;
  }
  stop = true;
  writer.join();
  EXPECT_EQ(mixed, 0U);
  for (std::size_t mark = 1; mark <= 4; ++mark) EXPECT_GT(seen[mark], 100U) << "variant " << mark;
  EXPECT_GT(written, 10'000U);
  std::printf("%lu writes; answers by variant %lu %lu %lu %lu; %lu passed up as busy\n", written,
              seen[1], seen[2], seen[3], seen[4], kernel_->count(VD_DNS_BUSY));
}

}  // namespace
}  // namespace viaduct::bpftest
