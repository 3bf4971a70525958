#include "tools/viaductctl/trace.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <viaduct/abi/reason.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>

#include "tools/viaductctl/reason.h"

namespace viaduct::ctl {
namespace {

using namespace std::chrono_literals;

constexpr auto kTime = 1769904000s + 123456789ns;  // 2026-02-01 00:00:00.123456789 UTC

vd_addr address(std::string_view text) {
  vd_addr out{};
  std::ranges::copy(base::Address::parse(text)->mapped(), out.bytes);
  return out;
}

vd_event new_flow() {
  vd_event event{};
  event.client = address("192.0.2.7");
  event.client_port = htons(40000);
  event.vip = address("11.0.0.1");
  event.vip_port = htons(80);
  event.backend = address("192.0.2.5");
  event.backend_port = htons(31000);
  event.backend_id = 7;
  event.proto = 6;
  event.hook = VD_HOOK_REQUEST;
  event.reason = VD_FORWARDED;
  return event;
}

vd_event refused_connect() {
  vd_event event{};
  event.vip = address("2001:db8::1");
  event.vip_port = htons(53);
  event.proto = 17;
  event.hook = VD_HOOK_SOCK;
  event.reason = VD_NO_BACKEND;
  event.pid = 1234;
  std::memcpy(event.comm, "abcdefghijklmnop", VD_COMM_BYTES);  // no zero at the end
  return event;
}

TEST(Trace, AnEventSaysWhoWentWhereAndWhy) {
  EXPECT_EQ(json::value(event_json(new_flow(), kTime)), json::parse(R"({
    "time": "2026-02-01T00:00:00.123456Z", "kind": "new", "hook": "request", "reason": "forwarded", "protocol": "tcp",
    "client": "192.0.2.7:40000", "pid": 0, "comm": "", "vip": "11.0.0.1:80", "backend": "192.0.2.5:31000", "backend_id": 7, "error": ""})"));
  EXPECT_EQ(json::value(event_json(refused_connect(), kTime)), json::parse(R"({
    "time": "2026-02-01T00:00:00.123456Z", "kind": "refused", "hook": "sock", "reason": "no_backend", "protocol": "udp",
    "client": "", "pid": 1234, "comm": "abcdefghijklmnop", "vip": "[2001:db8::1]:53", "backend": "", "backend_id": 0, "error": ""})"));
}

TEST(Trace, LinesAlign) {
  EXPECT_EQ(trace_heading() + event_text(event_json(new_flow(), kTime)) +
                event_text(event_json(refused_connect(), kTime)),
            "TIME (UTC)    HOOK      REASON          PROTO  CLIENT                 VIP             "
            "       BACKEND\n"
            "00:00:00.123  request   forwarded       tcp    192.0.2.7:40000        11.0.0.1:80     "
            "       192.0.2.5:31000\n"
            "00:00:00.123  sock      no_backend      udp    abcdefghijklmnop(1234)  "
            "[2001:db8::1]:53       -  refused\n");
}

TEST(Trace, AFailedConnectSaysWhatItsBackendSaid) {
  vd_event event = new_flow();
  event.hook = VD_HOOK_HEALTH;
  event.reason = VD_EJECTED;
  event.error = ECONNREFUSED;
  const json::object shown = event_json(event, kTime);
  EXPECT_EQ(shown.at("kind"), "ejected");
  EXPECT_THAT(event_text(shown),
              testing::HasSubstr("192.0.2.5:31000  ejected: Connection refused"));
}

TEST(Trace, AnEventOfANewerProgramIsShownByNumber) {
  vd_event event = new_flow();
  event.hook = 60;
  event.reason = 61;
  const json::value shown = event_json(event, kTime);
  EXPECT_EQ(shown.at("hook"), "hook 60");
  EXPECT_EQ(shown.at("reason"), "reason 61");
}

TEST(TraceFilter, IsAnAddressWithOrWithoutPort) {
  EXPECT_EQ(parse_trace_filter("192.0.2.1")->port, 0);
  EXPECT_EQ(parse_trace_filter("192.0.2.1:80")->port, 80);
  EXPECT_EQ(parse_trace_filter("2001:db8::1")->vip, base::Address::parse("2001:db8::1"));
  EXPECT_EQ(parse_trace_filter("[2001:db8::1]:80")->port, 80);
  for (const char* bad : {"", "web", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:70000", "[::1]"})
    EXPECT_FALSE(parse_trace_filter(bad)) << bad;
}

TEST(TraceFilter, OfANameIsItsAddressAndItsPortIfThereIsOne) {
  const auto vips = [](const char* text) { return json::parse(text).as_array(); };
  const auto one = trace_filter_of(vips(R"([{"address": "11.0.0.1", "port": 80}])"));
  EXPECT_EQ(one->vip, base::Address::parse("11.0.0.1"));
  EXPECT_EQ(one->port, 80);
  EXPECT_EQ(trace_filter_of(vips(R"([{"address": "11.0.0.1", "port": 80},
                                     {"address": "11.0.0.1", "port": 81}])"))
                ->port,
            0);
  EXPECT_FALSE(trace_filter_of(vips("[]")));
  EXPECT_FALSE(trace_filter_of(vips(R"([{"address": "11.0.0.1", "port": 80},
                                        {"address": "11.0.0.2", "port": 80}])")));
}

TEST(Trace, TheSummaryCountsWhatWasNotShown) {
  EXPECT_EQ(summary_text({1, 0, 0}), "1 event");
  EXPECT_EQ(summary_text({12, 3, 108}),
            "12 events, 3 lost: too many at a time, 108 left out by --sample");
}

}  // namespace
}  // namespace viaduct::ctl
