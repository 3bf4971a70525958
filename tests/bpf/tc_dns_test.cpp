// SPDX-License-Identifier: Apache-2.0
// What the kernel answers, and what it leaves to user space.
#include "tests/bpf/dns_lab.h"

namespace viaduct::bpftest {
namespace {

using dns::Type;
using test::MessageBuilder;
using test::Octets;

Octets ask_for(const std::string& name, std::uint16_t type, std::uint16_t id = 0x1234) {
  return MessageBuilder(id).question(name, static_cast<Type>(type));
}

dns::Name name(const std::string& text) { return dns::Name::parse(text).value(); }

constexpr std::uint16_t kA = 1, kTxt = 16, kAaaa = 28, kAny = 255;

TEST_F(DnsLab, AddressesAreAnsweredAsUserSpaceDoes) {
  expect_same(ask_for("one.example", kA));
  expect_same(ask_for("six.example", kAaaa));
  expect_same(ask_for("both.example", kA));
  expect_same(ask_for("both.example", kAaaa));
  EXPECT_EQ(kernel_->count(VD_DNS_ANSWERED), 8U);
  EXPECT_EQ(kernel_->counted(), 8U);
}

TEST_F(DnsLab, AnswersOnLoopbackGoOn) {
  const Octets query = ask_for("one.example", kA);
  const Asked asked = DnsKernel::run(kernel_->loopback(), query4(query));
  EXPECT_EQ(asked.verdict, TC_ACT_UNSPEC);
  EXPECT_EQ(asked.parsed().payload, answer(query));
  EXPECT_TRUE(asked.parsed().checksums_ok);
}

TEST_F(DnsLab, RecordsRotateByTheMessagesId) {
  for (std::uint16_t id = 0; id < 20; ++id) {
    expect_same(ask_for("five.example", kA, id));
    expect_same(ask_for("odd.example", kTxt, id));
    expect_same(ask_for("mixed.example", kTxt, id));
  }
  expect_same(ask_for("five.example", kA, 0xffff));
}

TEST_F(DnsLab, EveryTypeOfASlotIsAnswered) {
  for (std::uint16_t type = 99; type < 107; ++type) expect_same(ask_for("types.example", type));
  expect_same(ask_for("types.example", kAny));
  expect_same(ask_for("both.example", kAny));
  expect_same(ask_for("example", 6));
}

TEST_F(DnsLab, NamesWithoutTheTypeGetTheZonesSoa) {
  expect_same(ask_for("one.example", kAaaa));
  expect_same(ask_for("one.example", 0));
  expect_same(ask_for("one.example", 41));
  expect_same(ask_for("below.example", kA));
  expect_same(ask_for("below.example", kAny));
  expect_same(ask_for("example", kA));
  EXPECT_EQ(kernel_->count(VD_DNS_NO_DATA), 12U);
}

TEST_F(DnsLab, EdnsIsAnsweredWithEdns) {
  for (const std::uint16_t type : {kA, kAaaa})
    for (const std::uint16_t size : {0, 511, 512, 1232, 4096, 65535})
      for (const bool dnssec_ok : {false, true})
        expect_same(MessageBuilder()
                        .question("one.example", static_cast<Type>(type))
                        .opt({.size = size, .dnssec_ok = dnssec_ok}));
}

TEST_F(DnsLab, EveryFlagOfTheQueryCountsAsInUserSpace) {
  for (std::uint32_t bit = 0; bit < 16; ++bit) {
    const auto flags = static_cast<std::uint16_t>(1U << bit);
    const Octets query = MessageBuilder(9, flags).question("one.example", Type::a);
    if (flags & 0xf800)
      expect_up(query, VD_DNS_ODD);
    else
      expect_same(query);
  }
}

TEST_F(DnsLab, TheCaseOfTheQuestionComesBack) {
  expect_same(ask_for("oNe.eXAMPLe", kA));
  expect_same(ask_for("BOTH.EXAMPLE", kTxt));
}

TEST_F(DnsLab, RecursionIsOfferedWhenUserSpaceSaysSo) {
  kernel_->table().set_recursion(true);
  const Asked asked = ask4(ask_for("one.example", kA));
  ASSERT_EQ(asked.verdict, TC_ACT_REDIRECT);
  Octets wanted = answer(ask_for("one.example", kA));
  wanted[3] |= 0x80;
  EXPECT_EQ(asked.parsed().payload, wanted);
}

TEST_F(DnsLab, RecursionIsOfferedByAZoneThatDoes) {
  dns::Zone zone = example_zone();
  zone.apex = name("recursive");
  zone.aliases.clear();
  zone.recursion = true;
  zone.records = {dns::address_record(name("a.recursive"), base::Address::v4(0xc0000201), 5)};
  writer_.set_whole(zone);
  show();
  for (const std::uint16_t type : {kA, kAaaa}) {
    expect_same(ask_for("a.recursive", type));
    EXPECT_EQ(answer(ask_for("a.recursive", type))[3] & 0x80, 0x80);
  }
  expect_same(ask_for("one.example", kA));
  EXPECT_EQ(answer(ask_for("one.example", kA))[3] & 0x80, 0) << "another zone does not";
}

TEST_F(DnsLab, SrvGoesUpForItsTargetsAddressesComeWithIt) {
  const Octets query = ask_for("_s._tcp.example", 33);
  expect_up(query, VD_DNS_ODD);
  EXPECT_EQ(answer(query)[11], 1) << "user space adds one";
  expect_same(ask_for("_s._tcp.example", kA));
}

TEST_F(DnsLab, NamesThatTheTableHasNotGoUp) {
  expect_up(ask_for("none.example", kA), VD_DNS_UNKNOWN);
  expect_up(ask_for("a.one.example", kA), VD_DNS_UNKNOWN);
  expect_up(ask_for("www.elsewhere.test", kA), VD_DNS_UNKNOWN);
  expect_up(ask_for(".", kA), VD_DNS_UNKNOWN);
  expect_up(ask_for("one.example.alias", kA), VD_DNS_UNKNOWN);
}

TEST_F(DnsLab, NamesWithMoreThanASlotHoldsGoUp) {
  expect_up(ask_for("many.example", kA), VD_DNS_LONG);
  EXPECT_EQ(answer(ask_for("many.example", kA))[2] & 0x02, 0x02) << "user space says TC";
}

TEST_F(DnsLab, OddQueriesGoUp) {
  const auto plain = [] { return MessageBuilder().question("one.example", Type::a); };
  expect_up(plain().question("one.example", Type::a), VD_DNS_ODD);
  expect_up(MessageBuilder(), VD_DNS_ODD);
  expect_up(MessageBuilder().question("one.example", Type::a, 3), VD_DNS_ODD);
  expect_up(MessageBuilder().question("one.example", Type::a, 255), VD_DNS_ODD);
  expect_up(ask_for("example", 251), VD_DNS_ODD);
  expect_up(ask_for("example", 252), VD_DNS_ODD);
  expect_up(plain().opt({.version = 1}), VD_DNS_ODD);
  expect_up(plain().opt({.owner = "x"}), VD_DNS_ODD);
  expect_up(plain().opt().opt(), VD_DNS_ODD);
  for (const std::size_t section : {6U, 8U, 10U})
    expect_up(plain().record(section, ".", 1, 1, {1, 2, 3, 4}), VD_DNS_ODD);
  expect_up(plain().set_count(10, 1), VD_DNS_ODD);
  expect_up(Octets{0, 1, 1, 0, 0, 1}, VD_DNS_ODD);
  expect_up(Octets(600, 0), VD_DNS_ODD);
}

TEST_F(DnsLab, OctetsBehindTheQueryGoUp) {
  // Whatever their number makes of the question, it is not one of the table.
  for (std::size_t octets = 1; octets < 20; ++octets) {
    const Octets query = MessageBuilder().question("one.example", Type::a).tail(Octets(octets, 0));
    EXPECT_TRUE(ask4(query).up());
  }
  for (std::size_t octets = 0; octets < 29; ++octets) {
    Octets cut = ask_for("one.example", kA);
    cut.resize(octets);
    EXPECT_TRUE(ask4(cut).up());
  }
  expect_up(MessageBuilder().question("one.example", Type::a).opt({.options = {0, 3, 0, 0}}),
            VD_DNS_ODD);
}

TEST_F(DnsLab, LabelsThatOnlyLookAlikeGoUp) {
  // 3 o n e with the length's case bit: 'C' would fold to 'c'; and one label where two belong.
  EXPECT_TRUE(ask4(MessageBuilder().raw_question(
                       Octets{0x43, 'o', 'n', 'e', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0}))
                  .up());
  EXPECT_TRUE(ask4(MessageBuilder().raw_question(
                       Octets{11, 'o', 'n', 'e', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0}))
                  .up());
  EXPECT_TRUE(ask4(MessageBuilder().raw_question(Octets{3, 'o', 'n', 'e', 0xc0, 12})).up());
}

TEST_F(DnsLab, NothingIsAnsweredWhileItIsOff) {
  kernel_->table().enable(false);
  expect_up(ask_for("one.example", kA), VD_DNS_OFF);
  kernel_->table().enable(true);
  expect_same(ask_for("one.example", kA));
}

TEST_F(DnsLab, NothingIsAnsweredOnceTheHeartbeatIsOld) {
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds limit(VD_DNS_ALIVE_NS);
  kernel_->table().beat(now - limit - std::chrono::milliseconds(100));
  expect_up(ask_for("one.example", kA), VD_DNS_STALE);
  kernel_->table().beat(now - limit + std::chrono::seconds(2));
  expect_same(ask_for("one.example", kA));
  kernel_->table().beat(std::chrono::steady_clock::now());  // the coarse clock is behind
  expect_same(ask_for("one.example", kA));
  kernel_->table().beat({});
  expect_up(ask_for("one.example", kA), VD_DNS_STALE);
}

TEST_F(DnsLab, ClientsThatAreSkippedGoUp) {
  const auto skip = [&](std::set<base::Subnet> clients) {
    ASSERT_TRUE(kernel_->table().set_skipped(clients));
  };
  const Octets query = ask_for("one.example", kA);
  skip({*base::Subnet::parse("192.0.2.100"), *base::Subnet::parse("2001:db8::/64")});
  expect_up(query, VD_DNS_SKIPPED);
  skip({*base::Subnet::parse("192.0.2.96/29"), *base::Subnet::parse("2001:db8::100")});
  expect_up(query, VD_DNS_SKIPPED);
  skip({*base::Subnet::parse("192.0.2.104/29"), *base::Subnet::parse("2001:db8:1::/48")});
  expect_same(query);
  skip({});
  expect_same(query);
}

TEST_F(DnsLab, OnlyPacketsToAServerAreLookedAt) {
  const std::string query = text_of(ask_for("one.example", kA));
  using namespace testing;  // NOLINT: the packet builders
  const auto foreign = [&](const Bytes& packet) {
    EXPECT_TRUE(DnsKernel::run(kernel_->container(), packet).up());
  };
  foreign(eth() / ipv4({.dst = "198.51.100.2"}) / udp({.dport = 53, .data = query}));
  foreign(eth() / ipv4({.dst = kServer4}) / udp({.dport = 54, .data = query}));
  foreign(eth() / ipv4({.dst = kServer4}) / tcp({.dport = 53, .data = query}));
  foreign(eth() / ipv4({.dst = kServer4, .fragment = 0x2000}) / udp({.dport = 53, .data = query}));
  foreign(eth() / ipv4({.dst = kServer4, .fragment = 0x0001}) / udp({.dport = 53, .data = query}));
  foreign(eth() / ipv4({.dst = kServer4, .options = {1, 1, 1, 1}}) /
          udp({.dport = 53, .data = query}));
  foreign(eth() / ipv4({.dst = kServer4, .total_length = 30}) / udp({.dport = 53, .data = query}));
  foreign(eth() / ipv4({.dst = kServer4, .total_length = 900}) / udp({.dport = 53, .data = query}));
  foreign(eth() / ipv6({.dst = kServer6, .extensions = {{60, 0}}}) /
          udp({.dport = 53, .data = query}));
  foreign(eth() / ipv6({.dst = kServer6}) / udp({.dport = 53, .data = query, .checksum = false}));
  foreign(eth() / ipv4({.dst = kServer4}) / udp({.sport = 0, .dport = 53, .data = query}));
  EXPECT_EQ(kernel_->counted(), 0U);
}

TEST_F(DnsLab, ServersMayHaveDifferentPorts) {
  ASSERT_TRUE(kernel_->table().set_servers(
      {{*base::Address::parse(kServer4), 53}, {*base::Address::parse(kServer6), 54}}));
  const Octets query = ask_for("one.example", kA);
  EXPECT_EQ(ask4(query).verdict, TC_ACT_REDIRECT);
  EXPECT_TRUE(ask6(query).up());
}

TEST_F(DnsLab, AQueryWithoutAChecksumIsAnsweredWithoutOne) {
  const Octets query = ask_for("one.example", kA);
  const Asked asked =
      DnsKernel::run(kernel_->container(),
                     testing::eth() / testing::ipv4({.src = kClient4, .dst = kServer4}) /
                         testing::udp({.dport = 53, .data = text_of(query), .checksum = false}));
  ASSERT_EQ(asked.verdict, TC_ACT_REDIRECT);
  EXPECT_FALSE(asked.parsed().has_udp_checksum);
  EXPECT_EQ(asked.parsed().payload, answer(query));
}

TEST_F(DnsLab, PaddingOfShortFramesIsLeftOut) {
  const Octets query = ask_for("one.example", kA);
  testing::Bytes frame = query4(query);
  frame.resize(frame.size() + 18);
  const Asked asked = DnsKernel::run(kernel_->container(), frame);
  ASSERT_EQ(asked.verdict, TC_ACT_REDIRECT);
  EXPECT_EQ(asked.packet.size(), 14 + 20 + 8 + answer(query).size());
  EXPECT_EQ(asked.parsed().payload, answer(query));
}

TEST_F(DnsLab, ZonesThatAreNotCompleteGoUp) {
  dns::Zone zone = example_zone();
  zone.ready = false;
  writer_.set_whole(zone);
  show();
  expect_up(ask_for("one.example", kA), VD_DNS_NOT_READY);
}

TEST_F(DnsLab, ZonesAroundAnotherSuffixGoUp) {
  dns::Zone zone;
  zone.apex = dns::Name::parse("test").value();
  zone.soa.primary = zone.soa.mailbox = zone.apex;
  zone.aliases = {dns::Name::parse("one.example").value()};
  zone.records = {
      dns::address_record(dns::Name::parse("a.test").value(), base::Address::v4(0xc0000201), 5)};
  writer_.set_whole(zone);
  show();
  expect_up(ask_for("six.example", kAaaa), VD_DNS_NOT_READY);
  expect_same(ask_for("a.test", kA));
}

TEST_F(DnsLab, AChangedNameIsAnsweredAtOnce) {
  const dns::Name apex = dns::Name::parse("example").value();
  const dns::Name owner = dns::Name::parse("one.example").value();
  writer_.set_name(apex, owner, {dns::address_record(owner, base::Address::v4(0xc0000263), 5)});
  expect_same(ask_for("one.example", kA));
  writer_.set_name(apex, owner, {});
  expect_up(ask_for("one.example", kA), VD_DNS_UNKNOWN);
}

TEST_F(DnsLab, AGrownTableIsSwappedIn) {
  const dns::Name apex = dns::Name::parse("example").value();
  for (unsigned i = 0; i < 1000; ++i) {
    const dns::Name owner = dns::Name::parse("n" + std::to_string(i) + ".example").value();
    writer_.set_name(apex, owner, {dns::address_record(owner, base::Address::v4(i), 5)});
  }
  show();
  for (unsigned i = 0; i < 1000; i += 37)
    expect_same(ask_for("n" + std::to_string(i) + ".example", kA));
}

TEST_F(DnsLab, WhatAProcessLeftIsAnsweredUntilTheNextShowsItsTable) {
  auto next = dns::KernelTable::open(kernel_->folder());
  ASSERT_TRUE(next) << next.error().message();
  expect_same(ask_for("one.example", kA));
  dns::TableWriter writer(dns::allocate_in_kernel, 1);
  dns::Zone zone = example_zone();
  std::erase_if(zone.records, [](const auto& record) {
    return record.owner == dns::Name::parse("one.example").value();
  });
  writer.set_whole(zone);
  ASSERT_TRUE(next->publish(writer.table()));
  expect_up(ask_for("one.example", kA), VD_DNS_UNKNOWN);
  expect_same(ask_for("six.example", kAaaa));
}

TEST_F(DnsLab, ATableInPlainMemoryIsRefused) {
  dns::TableWriter writer;
  writer.set_whole(example_zone());
  EXPECT_EQ(kernel_->table().publish(writer.table()).error().code.value(), ENOTSUP);
  expect_same(ask_for("one.example", kA));
}

TEST_F(DnsLab, LongNamesAreAnsweredAsFarAsASlotHoldsThem) {
  const dns::Name apex = dns::Name::parse("example").value();
  for (std::size_t octets = 20; octets < 250; ++octets) {
    std::string text;
    while (text.size() + 9 < octets)
      text += std::string(std::min<std::size_t>(40, octets - text.size() - 9), 'a') + ".";
    const auto owner = dns::Name::parse(text + "example");
    if (!owner) continue;
    writer_.set_name(apex, *owner, {dns::address_record(*owner, base::Address::v4(1), 5)});
    const Octets query = ask_for(text + "example", kA);
    const Octets none = ask_for(text + "example", kAaaa);
    if ((owner->size() + 7) / 8 * 8 + 24 <= VD_DNS_SLOT_DATA) {
      show();
      expect_same(query);
      expect_same(none);
    } else {
      show();
      // The end of the longest names makes room for where their sets lie.
      constexpr std::size_t kHeld = VD_DNS_SLOT_DATA - 16;
      expect_up(query, owner->size() > VD_DNS_SLOT_DATA ? VD_DNS_ODD
                       : owner->size() > kHeld          ? VD_DNS_UNKNOWN
                                                        : VD_DNS_LONG);
    }
  }
}

}  // namespace
}  // namespace viaduct::bpftest
