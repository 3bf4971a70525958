// mesos_http CONFIG STATE SERVER [MASTER...]: answers requests of Mesos-DNS' HTTP API as a node
// with this configuration ([dns]) does, of a master's `/state`; the arguments are those of
// mesos_zone. Reads a request a line, METHOD, target and Accept ("-": none) between tabs; prints
// its answer as one line of JSON. For scripts/compare-mesos-http-samples.

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <iostream>

#include "base/io/file.h"
#include "config/parse.h"
#include "dns/mesos_http.h"
#include "tests/support/mesos_state_rows.h"

namespace {

using namespace viaduct;

constexpr std::size_t kMaxFileBytes = 1 << 30;

int fail(const std::string& why) {
  std::cerr << "mesos_http: " << why << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return fail("usage: mesos_http CONFIG STATE SERVER [MASTER...]");
  const auto text = base::read_file(argv[1], kMaxFileBytes);
  const auto state = base::read_file(argv[2], kMaxFileBytes);
  const auto address = base::Address::parse(argv[3]);
  if (!text || !state || !address) return fail("a file cannot be read, or SERVER is no address");
  config::Schema schema;
  schema.add(dns::keys());
  schema.rules = dns::rules();
  const auto values = config::parse(*text, argv[1], schema);
  if (!values) return fail(values.error().to_string());
  std::vector<base::Endpoint> masters;
  for (int i = 4; i < argc; i++) {
    const auto master = base::Endpoint::parse(argv[i]);
    if (!master) return fail(std::string(argv[i]) + " is not of the form address:port");
    masters.push_back(*master);
  }
  dns::Config config = dns::from(*values);
  config.zones.servers = {*address};
  service::Snapshot snapshot;
  snapshot.revision = 1;
  snapshot.complete = true;
  snapshot.master = test::view_of_state(*state, masters);
  const dns::BuiltTable built = dns::build_table(snapshot, config.zones);
  const dns::MesosHttpSettings settings = dns::mesos_http_settings(config);
  dns::MesosHttpView view;
  view.version = "test";
  view.table = built.table.get();
  view.tasks = &snapshot.master.tasks;
  for (const auto& process : snapshot.master.processes)
    if (process->row.role == service::MesosRole::framework)
      view.frameworks.push_back(process->row.name);
  view.options = &config.zones;
  view.domain = config.zones.mesos_domain;
  view.settings = &settings;

  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t target = line.find('\t') + 1;
    const std::size_t accept = line.find('\t', target) + 1;
    if (target == 0 || accept == 0) return fail("not METHOD, target and Accept: " + line);
    http::RequestHead head{.method = std::string_view(line).substr(0, target - 1),
                           .target = std::string_view(line).substr(target, accept - 1 - target),
                           .accept = std::nullopt};
    if (line.substr(accept) != "-") head.accept = std::string_view(line).substr(accept);
    const http::Reply reply = dns::answer_mesos_http(head, view);
    std::cout << boost::json::serialize(boost::json::value{
                     {"status", reply.status}, {"type", reply.content_type}, {"body", reply.body}})
              << std::endl;
  }
}
