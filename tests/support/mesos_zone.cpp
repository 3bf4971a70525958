// mesos_zone CONFIG STATE SERVER [MASTER...]: serves on loopback what a node with this
// configuration ([dns]) says of a master's `/state`; SERVER is the address that it says it listens
// on, MASTER the masters as "address:port". Prints its port, and serves until its input ends.
// For scripts/compare-mesos-dns-samples.

#include <cstdio>
#include <iostream>

#include "base/io/file.h"
#include "config/parse.h"
#include "dns/io/server.h"
#include "tests/support/mesos_state_rows.h"

namespace {

using namespace viaduct;

constexpr std::size_t kMaxFileBytes = 1 << 30;

int fail(const std::string& why) {
  std::cerr << "mesos_zone: " << why << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return fail("usage: mesos_zone CONFIG STATE SERVER [MASTER...]");
  const auto text = base::read_file(argv[1], kMaxFileBytes);
  if (!text) return fail(text.error().message());
  config::Schema schema;
  schema.add(dns::keys());
  schema.rules = dns::rules();
  const auto values = config::parse(*text, argv[1], schema);
  if (!values) return fail(values.error().to_string());
  const auto state = base::read_file(argv[2], kMaxFileBytes);
  if (!state) return fail(state.error().message());
  const auto address = base::Address::parse(argv[3]);
  if (!address) return fail(std::string(argv[3]) + " is no address");
  std::vector<base::Endpoint> masters;
  for (int i = 4; i < argc; i++) {
    const auto master = base::Endpoint::parse(argv[i]);
    if (!master) return fail(std::string(argv[i]) + " is not of the form address:port");
    masters.push_back(*master);
  }
  dns::Config config = dns::from(*values);
  config.listen = {base::Address::v4(0x7f000001)};
  config.port = 0;
  config.kernel = false;
  config.watch = std::chrono::hours(1);  // nobody else asks
  config.zones.servers = {*address};
  service::Snapshot snapshot;
  snapshot.revision = 1;
  snapshot.complete = true;
  snapshot.master = test::view_of_state(*state, masters);
  const dns::BuiltTable built = dns::build_table(snapshot, config.zones);
  for (const base::Error& error : built.rejected) std::cerr << error.message() << "\n";
  dns::Server server(config);
  if (const auto started = server.start(); !started) return fail(started.error().message());
  server.publish(built.table);
  std::cout << server.listening().front().port << std::endl;
  while (std::getchar() != EOF) {
  }
}
