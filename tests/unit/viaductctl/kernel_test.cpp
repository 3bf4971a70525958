#include "tools/viaductctl/kernel.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tools/viaductctl/vips.h"

namespace viaduct::ctl {
namespace {

TEST(Kernel, TheMapsReadAsTheDaemonsVips) {
  dataplane::Image image;
  const service::VipKey key{*base::Address::parse("11.0.0.1"), 80, base::Protocol::tcp};
  image.services[key] = {key, 4, 0, 101, dataplane::Pick::least_loaded, dataplane::Pick::hash};
  image.backends[7] = {7, 1, 4, *base::Endpoint::parse("192.0.2.5:31000"), 2};
  const json::array vips = kernel_vips(image, [](std::uint32_t id) {
    return dataplane::Load{.open = id, .connects = 20, .flows = 30, .packets = 40};
  });
  EXPECT_EQ(json::value(vips), json::parse(R"([
    {"vip": "11.0.0.1:80", "protocol": "tcp",
     "backend": [{"ip": "192.0.2.5", "port": 31000, "weight": 2, "task": "", "node": "", "dial": "192.0.2.5:31000",
                  "in_kernel": true, "id": 7, "open": 7, "connects": 20, "flows": 30, "packets": 40,
                  "failures": 0, "ejected_total": 0, "ejected_for_s": 0, "last_error": "", "connect_us": 0}],
     "address": "11.0.0.1", "port": 80, "name": "", "pick": "automatic", "affinity": "none", "in_kernel": true}])"));
  EXPECT_EQ(vips_text(vips),
            "VIP          PROTO  READY  OPEN  CONNECTS  FLOWS  PICK\n"
            "11.0.0.1:80  tcp      1/1     7        20     30  automatic\n");
}

TEST(Kernel, OnePickForSocketsAndPacketsHasItsOwnName) {
  dataplane::Image image;
  const service::VipKey key{*base::Address::parse("2001:db8::1"), 53, base::Protocol::udp};
  image.services[key] = {key, 1, 0, 0, dataplane::Pick::hash, dataplane::Pick::hash};
  const json::array vips = kernel_vips(image, [](std::uint32_t) { return dataplane::Load{}; });
  EXPECT_EQ(text_of(vips[0], "pick"), "maglev");
}

}  // namespace
}  // namespace viaduct::ctl
