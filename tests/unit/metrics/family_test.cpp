#include "metrics/family.h"

#include <gtest/gtest.h>

namespace viaduct::metrics {
namespace {

TEST(Family, NamesSayTheProjectAndCountersEndInTotal) {
  EXPECT_TRUE(
      is_well_formed({Kind::counter, "viaduct_dns_queries_total", "Questions.", {"protocol"}}));
  EXPECT_TRUE(is_well_formed({Kind::gauge, "viaduct_dataplane_services", "Services."}));
  EXPECT_FALSE(is_well_formed({Kind::counter, "viaduct_dns_queries", "Questions."}));
  EXPECT_FALSE(is_well_formed({Kind::gauge, "viaduct_dns_total", "Questions."}));
  EXPECT_FALSE(is_well_formed({Kind::gauge, "dns_records", "Records."}));
  EXPECT_FALSE(is_well_formed({Kind::gauge, "viaduct_dns-records", "Records."}));
  EXPECT_FALSE(is_well_formed({Kind::gauge, "viaduct_dns_records", ""}));
  EXPECT_FALSE(is_well_formed({Kind::gauge, "viaduct_dns_records", "Records.", {"9"}}));
}

}  // namespace
}  // namespace viaduct::metrics
