#include "tools/viaductctl/vips.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace viaduct::ctl {
namespace {

using testing::ElementsAre;

const json::array& vips() {
  static const json::array list = json::parse(R"([
    {"vip": "web.marathon.l4lb.thisdcos.directory:80", "protocol": "tcp",
     "backend": [
       {"ip": "192.0.2.5", "port": 31000, "weight": 1, "task": "web.1", "node": "node1", "dial": "192.0.2.5:31000",
        "in_kernel": true, "id": 7, "open": 3, "connects": 120, "flows": 2, "packets": 9},
       {"ip": "192.0.2.6", "port": 31000, "weight": 0, "task": "web.2", "node": "node2", "dial": "198.51.100.6:8080",
        "in_kernel": true, "id": 8, "open": 1, "connects": 1005, "flows": 0, "packets": 0}],
     "address": "11.0.0.1", "port": 80, "name": "web.marathon", "pick": "automatic", "in_kernel": true},
    {"vip": "web.marathon.l4lb.thisdcos.directory:443", "protocol": "tcp", "backend": [],
     "address": "11.0.0.1", "port": 443, "name": "web.marathon", "pick": "random", "in_kernel": true},
    {"vip": "2001:db8::5:53", "protocol": "udp",
     "backend": [{"ip": "2001:db8::9", "port": 53, "weight": 10, "task": "", "node": "", "dial": "[2001:db8::9]:53",
                  "in_kernel": false, "id": 0, "open": 0, "connects": 0, "flows": 0, "packets": 0}],
     "address": "2001:db8::5", "port": 53, "name": "", "pick": "maglev", "in_kernel": false}])")
                                      .as_array();
  return list;
}

std::vector<std::string> selected(std::string_view wanted) {
  std::vector<std::string> found;
  for (const json::value& vip : select_vips(vips(), wanted)) found.push_back(text_of(vip, "vip"));
  return found;
}

TEST(Vips, AreOneLineEach) {
  EXPECT_EQ(vips_text(vips()),
            "VIP                                       PROTO  ADDRESS   READY  OPEN  CONNECTS  "
            "FLOWS  PICK       NOTE\n"
            "web.marathon.l4lb.thisdcos.directory:80   tcp    11.0.0.1    1/2     4      1125      "
            "2  automatic  -\n"
            "web.marathon.l4lb.thisdcos.directory:443  tcp    11.0.0.1    0/0     0         0      "
            "0  random     refuses connections\n"
            "[2001:db8::5]:53                          udp    -           0/1     0         0      "
            "0  maglev     not in the kernel\n");
}

TEST(Vips, NoneAtAllSaysWhereToLook) {
  EXPECT_EQ(vips_text({}),
            "no VIP: \"viaductctl rows\" shows what the sources read, \"viaductctl status\" how "
            "they fare\n");
}

TEST(Vips, OneIsShownWithItsBackends) {
  EXPECT_EQ(vip_text(select_vips(vips(), "web.marathon:80")),
            "web.marathon.l4lb.thisdcos.directory:80  tcp\n"
            "  address   11.0.0.1\n"
            "  pick      automatic: least-loaded for sockets, maglev for packets\n"
            "  ready     1 of 2 backends\n"
            "\n"
            "  BACKEND          WEIGHT  OPEN  CONNECTS  FLOWS  NODE   TASK   NOTE\n"
            "  192.0.2.5:31000       1     3       120      2  node1  web.1  -\n"
            "  192.0.2.6:31000       0     1      1005      0  node2  web.2  drains, dialled as "
            "198.51.100.6:8080\n");
}

TEST(Vips, OneWithoutBackendsSaysThatItRefuses) {
  EXPECT_EQ(vip_text(select_vips(vips(), "web:443")),
            "web.marathon.l4lb.thisdcos.directory:443  tcp\n"
            "  address   11.0.0.1\n"
            "  pick      random\n"
            "  ready     0 of 0 backends: refuses connections\n");
}

TEST(Vips, BackendsAreOneLineEach) {
  EXPECT_EQ(backends_text(vips()),
            "BACKEND           VIP                                      PROTO  WEIGHT  OPEN  "
            "CONNECTS  FLOWS  NODE   TASK   NOTE\n"
            "192.0.2.5:31000   web.marathon.l4lb.thisdcos.directory:80  tcp         1     3       "
            "120      2  node1  web.1  -\n"
            "192.0.2.6:31000   web.marathon.l4lb.thisdcos.directory:80  tcp         0     1      "
            "1005      0  node2  web.2  drains, dialled as 198.51.100.6:8080\n"
            "[2001:db8::9]:53  [2001:db8::5]:53                         udp        10     0        "
            " 0      0  -      -      not in the kernel\n");
}

TEST(Vips, AreFoundByWhateverAPersonCallsThem) {
  const std::string http = "web.marathon.l4lb.thisdcos.directory:80";
  const std::string https = "web.marathon.l4lb.thisdcos.directory:443";
  for (const char* both :
       {"web.marathon", "WEB.marathon", "web", "/web", "web.marathon.l4lb.thisdcos.directory",
        "web.marathon.l4lb.thisdcos.directory.", "11.0.0.1"})
    EXPECT_THAT(selected(both), ElementsAre(http, https)) << both;
  for (const char* one :
       {"web.marathon:80", "web:80", "11.0.0.1:80", "web.marathon.l4lb.thisdcos.directory:80"})
    EXPECT_THAT(selected(one), ElementsAre(http)) << one;
  for (const char* v6 : {"2001:db8::5", "2001:DB8:0::5", "[2001:db8::5]:53"})
    EXPECT_THAT(selected(v6), ElementsAre("2001:db8::5:53")) << v6;
  for (const char* none :
       {"", "we", "marathon", "web:81", "11.0.0.2", "[2001:db8::5]:54", ":80", "."})
    EXPECT_THAT(selected(none), ElementsAre()) << none;
}

TEST(Vips, ADocumentOfAnotherVersionIsShownAsFarAsItGoes) {
  const json::array odd =
      json::parse(R"([{}, 3, {"backend": [null, {"ip": 5}], "port": "x"}])").as_array();
  EXPECT_NE(vips_text(odd).find("VIP"), std::string::npos);
  EXPECT_NE(backends_text(odd).find("BACKEND"), std::string::npos);
}

}  // namespace
}  // namespace viaduct::ctl
