#include "dataplane/ledger.h"

#include <gtest/gtest.h>

namespace viaduct::dataplane {
namespace {

using std::chrono::seconds;
const base::Time kStart{};

bool owns(const Ledger& ledger, const ServiceEntry& entry) {
  return ledger.owns_region(entry.slot_offset, region_size(entry.slot_count));
}

TEST(Ledger, AFreedIdRestsBeforeItIsUsedAgain) {
  Ledger ledger(Image{}, {10, 3, 100});
  EXPECT_EQ(ledger.take_backend_id(kStart), 1u);
  EXPECT_EQ(ledger.take_backend_id(kStart), 2u);
  EXPECT_FALSE(ledger.take_backend_id(kStart)) << "id 0 is never a backend, so 3 entries hold 2";
  ledger.give_backend_id(1, kStart);
  EXPECT_FALSE(ledger.take_backend_id(kStart + kGrace / 2));
  EXPECT_EQ(ledger.take_backend_id(kStart + kGrace), 1u);
}

TEST(Ledger, AFreedRegionRestsAndGapsJoin) {
  Ledger ledger(Image{}, {10, 10, 100});
  EXPECT_EQ(ledger.take_region(40, kStart), 0u);
  EXPECT_EQ(ledger.take_region(60, kStart), 40u);
  EXPECT_FALSE(ledger.take_region(1, kStart));
  ledger.give_region(0, 40, kStart);
  ledger.give_region(40, 60, kStart);
  EXPECT_FALSE(ledger.take_region(1, kStart + kGrace / 2));
  EXPECT_EQ(ledger.take_region(100, kStart + kGrace), 0u);
}

TEST(Ledger, KnowsWhatAnImageUses) {
  Image image;
  ServiceEntry entry;
  entry.id = 7;
  entry.slot_offset = 10;
  entry.slot_count = 20;
  image.services[entry.key] = entry;
  apply(image, PutBackend{{2, 1, 7, {}, 1}, true});
  Ledger ledger(image, {10, 10, 100});
  EXPECT_TRUE(owns(ledger, entry));
  EXPECT_EQ(ledger.free_slots(), 60u) << "20 slots and as many members";
  EXPECT_EQ(ledger.take_service_id(), 8u);
  EXPECT_EQ(ledger.take_backend_id(kStart), 1u);
  EXPECT_EQ(ledger.take_backend_id(kStart), 3u);
  EXPECT_EQ(ledger.take_region(20, kStart), 50u);
}

TEST(Ledger, DoesNotOwnARegionThatOverlapsOrLeavesTheMap) {
  Image image;
  ServiceEntry first;
  first.key.port = 1;
  first.id = 1;
  first.slot_offset = 0;
  first.slot_count = 50;
  ServiceEntry second = first;
  second.key.port = 2;
  second.slot_offset = 49;
  ServiceEntry third = first;
  third.key.port = 3;
  third.slot_offset = 99;
  third.slot_count = 0xffffffff;
  for (const auto& entry : {first, second, third}) image.services[entry.key] = entry;
  const Ledger ledger(image, {10, 10, 100});
  EXPECT_TRUE(owns(ledger, first));
  EXPECT_FALSE(owns(ledger, second));
  EXPECT_FALSE(owns(ledger, third));
}

}  // namespace
}  // namespace viaduct::dataplane
