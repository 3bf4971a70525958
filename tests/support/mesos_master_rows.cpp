// mesos_master_rows INPUT...: prints as JSON what a MasterState serves after its inputs, in their
// order. For scripts/compare-master-samples, and for looking at a recording by hand. An input is
//   records=FILE[:COUNT]  the first COUNT records of a stream in RecordIO
//   get_state=FILE        an answer to GET_STATE, as a SUBSCRIBED record
//   state=FILE            an answer to GET /state
//   summary=FILE          an answer to GET /state-summary or /frameworks

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <limits>

#include "base/io/file.h"
#include "mesos/master_state.h"
#include "tests/support/recordio.h"

namespace {

namespace json = boost::json;
using namespace viaduct;

constexpr std::size_t kMaxFileBytes = 1 << 30;

[[noreturn]] void fail(const std::string& text) {
  std::cerr << text << "\n";
  std::exit(1);
}

template <class T>
T require(base::Result<T> result, const std::string& what) {
  if (!result) fail(what + ": " + result.error().message());
  return std::move(*result);
}

template <class List, class Text>
json::array to_json(const List& list, Text text) {
  json::array out;
  for (const auto& each : list) out.push_back(json::string(text(each)));
  return out;
}

json::object to_json(const service::TaskRow& row) {
  const auto address = [](const base::Address& each) { return each.to_string(); };
  json::array addresses, ports, discovery_ports;
  for (const auto& own : row.addresses)
    addresses.push_back(
        {{"source", static_cast<int>(own.source)}, {"address", own.address.to_string()}});
  for (const std::uint16_t port : row.ports) ports.push_back(port);
  for (const auto& port : row.discovery_ports)
    discovery_ports.push_back(
        {{"number", port.number}, {"name", port.name}, {"protocol", port.protocol}});
  return {{"framework", row.framework},
          {"id", row.id},
          {"name", row.name},
          {"discovery", row.discovery},
          {"agent_id", row.agent_id},
          {"agent", to_json(row.agent, address)},
          {"addresses", addresses},
          {"ports", ports},
          {"discovery_ports", discovery_ports},
          {"host_port", row.host_port}};
}

json::object to_json(const service::MesosRow& row) {
  return {{"role", std::string(service::to_string(row.role))},
          {"id", row.id},
          {"name", row.name},
          {"addresses",
           to_json(row.addresses, [](const base::Address& each) { return each.to_string(); })},
          {"port", row.port},
          {"order", row.order},
          {"leader", row.leader}};
}

void read_records(mesos::MasterState& state, const std::string& place) {
  const std::size_t colon = place.rfind(':');
  const std::string file = place.substr(0, colon);
  std::size_t count = std::numeric_limits<std::size_t>::max();
  if (colon != std::string::npos)
    std::from_chars(place.data() + colon + 1, place.data() + place.size(), count);
  const std::string text = require(base::read_file(file, kMaxFileBytes), file);
  for (const std::string& record : test::records(text)) {
    if (count-- == 0) return;
    require(state.on_record(record, {}), file);
  }
}

void read_input(mesos::MasterState& state, const std::string& input) {
  const std::size_t equals = input.find('=');
  if (equals == std::string::npos) fail(input + ": is none of the inputs");
  const std::string kind = input.substr(0, equals);
  const std::string place = input.substr(equals + 1);
  if (kind == "records") return read_records(state, place);
  const std::string text = require(base::read_file(place, kMaxFileBytes), place);
  if (kind == "get_state")
    require(state.on_record(test::subscribed(text), {}), place);
  else if (kind == "state")
    require(state.on_state(text, {}), place);
  else if (kind == "summary")
    require(state.on_summary(text), place);
  else
    fail(input + ": is none of the inputs");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) fail("usage: mesos_master_rows KIND=FILE...");
  mesos::MasterState state;
  for (int i = 1; i < argc; i++) read_input(state, argv[i]);
  const service::MasterChange all = state.all();
  json::array tasks, processes, rejected;
  for (const auto& row : all.tasks_added) tasks.push_back(to_json(row));
  for (const auto& row : all.added) processes.push_back(to_json(row));
  for (const auto& row : state.rejected())
    rejected.push_back({{"where", row.where}, {"reason", row.reason}});
  std::cout << json::serialize(
                   json::object{{"tasks", tasks}, {"processes", processes}, {"rejected", rejected}})
            << "\n";
}
