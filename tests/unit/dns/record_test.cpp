#include "dns/record.h"

#include <gtest/gtest.h>

namespace viaduct::dns {
namespace {

Name name(std::string_view text) { return Name::parse(text).value(); }

TEST(Record, SrvHasPriorityWeightPortAndTarget) {
  const Record record =
      srv_record(name("_80._tcp.a.example"), {1, 2, 0x1f90, name("b.example")}, 5);
  EXPECT_EQ(record.type, Type::srv);
  EXPECT_EQ(record.data, (std::vector<std::uint8_t>{0, 1, 0, 2, 0x1f, 0x90, 1, 'b', 7, 'e', 'x',
                                                    'a', 'm', 'p', 'l', 'e', 0}));
  const RecordText text = to_text(record);
  EXPECT_EQ(text.rtype, "SRV");
  EXPECT_EQ(text.host, "b.example.:8080");
}

TEST(Record, CnameLeadsToItsTarget) {
  const RecordText text = to_text(cname_record(name("a.example"), name("b.example"), 5));
  EXPECT_EQ(text.name, "a.example.");
  EXPECT_EQ(text.rtype, "CNAME");
  EXPECT_EQ(text.host, "b.example.");
}

TEST(Record, ShortSrvDataIsShownAsItIs) {
  EXPECT_EQ(to_text({name("a.example"), Type::srv, 5, {0, 1, 0, 2, 0, 3}}).host,
            "\\# 6 000100020003");
}

}  // namespace
}  // namespace viaduct::dns
