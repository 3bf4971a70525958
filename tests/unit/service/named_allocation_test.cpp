#include "service/named_allocation.h"

#include <gtest/gtest.h>

#include <random>

#include "service/named_address.h"

namespace viaduct::service {
namespace {

base::Address address(const char* text) { return *base::Address::parse(text); }

NamedAllocation allocation(const NamedRanges& ranges) {
  return {ranges.min4, ranges.max4,
          [ranges](const std::string& name) { return first_candidate4(name, ranges); }};
}

TEST(NamedAllocation, GivesANameItsFirstCandidateBackWhenAnExplicitVipLeavesIt) {
  NamedAllocation names = allocation({});
  names.take(address("11.138.58.156"));
  names.add("foo.bar");
  EXPECT_EQ(names.take_moved(), (std::set<std::string>{"foo.bar"}));
  EXPECT_EQ(names.find("foo.bar"), address("11.138.58.157"));
  names.release(address("11.138.58.156"));
  EXPECT_EQ(names.take_moved(), (std::set<std::string>{"foo.bar"}));
  EXPECT_EQ(names.find("foo.bar"), address("11.138.58.156"));
  names.remove("foo.bar");
  EXPECT_EQ(names.take_moved(), (std::set<std::string>{"foo.bar"}));
  EXPECT_EQ(names.find("foo.bar"), std::nullopt);
}

TEST(NamedAllocation, TellsOnlyNamesThatCanHaveMoved) {
  NamedAllocation names = allocation({});
  for (int i = 0; i < 1000; i++) names.add("name" + std::to_string(i));
  names.take_moved();
  names.add("another");
  EXPECT_EQ(names.take_moved(), (std::set<std::string>{"another"}));
  EXPECT_TRUE(names.take_moved().empty());
}

TEST(NamedAllocation, AnOlderNameThatComesTakesItsAddressAndTheYoungerGoesOn) {
  NamedRanges ranges;
  ranges.max4 = address("11.0.0.1");
  NamedAllocation names = allocation(ranges);  // the first candidate of all is 11.0.0.0
  names.add("young.x", 5);
  names.add("younger.x", 6);
  EXPECT_EQ(names.find("younger.x"), address("11.0.0.1"));
  names.take_moved();
  names.add("old.x", 1);
  EXPECT_EQ(names.take_moved(), (std::set<std::string>{"old.x", "young.x", "younger.x"}));
  EXPECT_EQ(names.find("old.x"), address("11.0.0.0"));
  EXPECT_EQ(names.find("young.x"), address("11.0.0.1"));
  EXPECT_EQ(names.find("younger.x"), std::nullopt) << "the range is full";
  names.add("younger.x", 2);
  EXPECT_EQ(names.find("young.x"), std::nullopt);
  names.remove("old.x");
  EXPECT_EQ(names.find("younger.x"), address("11.0.0.0"));
  EXPECT_EQ(names.find("young.x"), address("11.0.0.1"));
}

using Addresses = std::map<std::string, base::Address>;

class Compared {
 public:
  explicit Compared(std::uint32_t width)
      : width_(width), ranges_(ranges(width)), names_(allocation(ranges_)) {}

  void change(std::mt19937& random, std::size_t most_names) {
    const std::string name = "name" + std::to_string(random() % most_names);
    const auto taken = base::Address::v4(ranges_.min4.v4_value() +
                                         static_cast<std::uint32_t>(random() % (width_ + 2)) - 1);
    switch (random() % 5) {
      case 0:
        names_.remove(name);
        expected_names_.erase(name);
        break;
      case 1:
        names_.take(taken);
        taken_.insert(taken);
        break;
      case 2:
        names_.release(taken);
        taken_.erase(taken);
        break;
      default:
        const Tick tick = random() % 4 == 0 ? kNoTick : random() % 6;
        names_.add(name, tick);
        expected_names_[name] = tick;
    }
  }

  void check() {
    const std::set<std::string> moved = names_.take_moved();
    const Addresses expected = allocate_named4(expected_names_, taken_, ranges_);
    Addresses found;
    for (const auto& [name, tick] : expected_names_)
      if (const auto given = names_.find(name)) found.emplace(name, *given);
    ASSERT_EQ(found, expected);
    for (const auto& [name, given] : expected)
      ASSERT_TRUE(moved.contains(name) || (before_.contains(name) && before_.at(name) == given))
          << name;
    for (const auto& [name, given] : before_)
      ASSERT_TRUE(moved.contains(name) || expected.contains(name)) << name;
    before_ = expected;
  }

 private:
  static NamedRanges ranges(std::uint32_t width) {
    NamedRanges made;
    made.max4 = base::Address::v4(made.min4.v4_value() + width - 1);
    return made;
  }

  std::uint32_t width_;
  NamedRanges ranges_;
  NamedAllocation names_;
  std::map<std::string, Tick> expected_names_;
  std::set<base::Address> taken_;
  Addresses before_;
};

/// The seed of a failure is printed by the scoped trace.
TEST(NamedAllocation, AnyChangesGiveWhatAFreshAllocationGives) {
  for (unsigned seed = 1; seed <= 60; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto width = static_cast<std::uint32_t>(random() % (seed % 3 ? 12 : 200) + 1);
    Compared compared(width);
    const std::size_t most_names = 1 + random() % (2 * width);
    for (int step = 0; step < 300; step++) {
      for (auto changes = random() % 4 + 1; changes > 0; changes--)
        compared.change(random, most_names);
      ASSERT_NO_FATAL_FAILURE(compared.check());
    }
  }
}

}  // namespace
}  // namespace viaduct::service
