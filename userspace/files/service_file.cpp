#include "files/service_file.h"

#include <toml++/toml.h>

#include <algorithm>

#include "base/quote.h"
#include "files/limits.h"
#include "files/mistakes.h"
#include "files/table_reader.h"

namespace viaduct::files {
namespace {

using service::Policy;

constexpr std::string_view kDefaultFramework = "service";

const std::vector<std::string> kFileKeys = {"service"};
const std::vector<std::string> kServiceKeys = {
    "name", "address", "framework", "port", "protocol", "lb", "affinity", "drain", "backend"};
const std::vector<std::string> kBackendKeys = {"address", "port", "weight", "node"};

/// Reads the tables of one file into its services.
class FileReader {
 public:
  FileReader(const std::string& name, ServiceFile& out) : mistakes_(name), out_(out) {}

  void read(std::string_view text);
  void finish() { out_.mistakes = mistakes_.take(); }

 private:
  void read_service(const toml::table& table);
  std::optional<service::VipTarget> read_target(const TableReader& reader);
  std::optional<service::VipTarget> read_name(const TableReader& reader);
  std::vector<base::Protocol> read_protocols(const TableReader& reader);
  std::optional<std::uint16_t> read_port(const TableReader& reader);
  Policy read_policy(const TableReader& reader);
  void read_backends(const TableReader& reader, FileService& service, const FileVip& first);
  std::optional<service::BackendRow> read_backend(const toml::table& table,
                                                  const service::VipTarget& target);
  std::optional<base::Address> read_node(const TableReader& reader);
  bool check_backend(const TableReader& reader, const base::Address& address,
                     const service::VipTarget& target);
  void publish(const FileVip& vip, const FileService& service, std::size_t line);

  Mistakes mistakes_;
  ServiceFile& out_;
};

void FileReader::read(std::string_view text) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    mistakes_.add(error.source().begin.line, "syntax: " + std::string(error.description()));
    return;
  }
  const TableReader reader(root, mistakes_);
  reader.check_keys(kFileKeys);
  const auto tables = reader.tables("service", "service");
  for (std::size_t i = 0; i < std::min(tables.size(), kMaxServicesPerFile); i++)
    read_service(*tables[i]);
  if (tables.size() > kMaxServicesPerFile)
    mistakes_.add(tables[kMaxServicesPerFile]->source().begin.line,
                  "only the first " + std::to_string(kMaxServicesPerFile) + " services are read");
}

void FileReader::read_service(const toml::table& table) {
  const std::size_t mistakes_before = mistakes_.count();
  const TableReader reader(table, mistakes_);
  reader.check_keys(kServiceKeys);
  const auto target = read_target(reader);
  const auto port = read_port(reader);
  const auto protocols = read_protocols(reader);
  FileService service;
  service.place = mistakes_.place(reader.line());
  const Policy policy = read_policy(reader);
  // The backends are read even without a VIP, so that one pass reports all mistakes.
  const service::VipTarget shape = target.value_or(service::VipName{});
  read_backends(reader, service, {shape, port.value_or(0), base::Protocol::tcp});
  service.is_clean = mistakes_.count() == mistakes_before;
  if (!target || !port) return;
  for (const base::Protocol protocol : protocols) {
    FileService own = service;
    for (auto& row : own.rows) {
      row.protocol = protocol;
      row.policy = policy;
    }
    publish({*target, *port, protocol}, own, reader.line());
  }
}

void FileReader::publish(const FileVip& vip, const FileService& service, std::size_t line) {
  const auto [known, is_new] = out_.services.emplace(vip, service);
  if (is_new) return;
  known->second.is_clean = false;
  mistakes_.add(line, vip.to_string() + " is already given at " + known->second.place);
}

std::optional<service::VipTarget> FileReader::read_target(const TableReader& reader) {
  const bool has_name = reader.has("name");
  if (has_name == reader.has("address")) {
    reader.reject("", has_name ? "a service has a name or an address, not both"
                               : "a service needs a name or an address");
    return std::nullopt;
  }
  if (has_name) return read_name(reader);
  if (reader.has("framework")) reader.reject("framework", "framework goes with a name only");
  const auto text = reader.text("address");
  if (!text) return std::nullopt;
  const auto address = base::Address::parse(*text);
  if (!address) {
    reader.reject("address",
                  "address " + base::in_quotes(*text) + " is not an IPv4 or IPv6 address");
    return std::nullopt;
  }
  if (const auto checked = service::check_vip_address(*address); !checked) {
    reader.reject("address", checked.error().context);
    return std::nullopt;
  }
  return *address;
}

std::optional<service::VipTarget> FileReader::read_name(const TableReader& reader) {
  const auto label = reader.text("name");
  const auto framework =
      reader.has("framework") ? reader.text("framework") : std::string(kDefaultFramework);
  if (!label || !framework) return std::nullopt;
  if (label->find(':') != std::string::npos) {
    reader.reject("name",
                  "name " + base::in_quotes(*label) + " has a colon; the port is a key of its own");
    return std::nullopt;
  }
  auto name = service::make_vip_name(*label, *framework);
  if (name) return *name;
  reader.reject("name", name.error().context);
  return std::nullopt;
}

std::optional<std::uint16_t> FileReader::read_port(const TableReader& reader) {
  if (!reader.has("port")) {
    reader.reject("", "port is missing");
    return std::nullopt;
  }
  const auto port = reader.integer("port");
  if (!port) return std::nullopt;
  if (*port >= 1 && *port <= 65535) return static_cast<std::uint16_t>(*port);
  reader.reject("port", "port is " + std::to_string(*port) + "; it must be between 1 and 65535");
  return std::nullopt;
}

std::vector<base::Protocol> FileReader::read_protocols(const TableReader& reader) {
  if (!reader.has("protocol")) return {base::Protocol::tcp};
  std::vector<base::Protocol> out;
  const auto texts = reader.texts("protocol");
  if (!texts) return out;
  if (texts->empty()) reader.reject("protocol", "protocol is an empty list");
  for (const auto& text : *texts) {
    const auto protocol = base::parse_protocol(text);
    if (!protocol)
      reader.reject("protocol", "protocol " + base::in_quotes(text) + " is neither tcp nor udp");
    else if (std::find(out.begin(), out.end(), *protocol) == out.end())
      out.push_back(*protocol);
  }
  return out;
}

Policy FileReader::read_policy(const TableReader& reader) {
  Policy policy;
  for (const service::PolicyField& field : service::policy_fields()) {
    const auto text = reader.text_or_number(field.key);
    if (!text) continue;
    if (const auto taken = field.set(policy, *text); !taken)
      reader.reject(field.key, std::string(field.key) + " " + taken.error().context);
  }
  return policy;
}

void FileReader::read_backends(const TableReader& reader, FileService& service,
                               const FileVip& first) {
  const auto tables = reader.tables("backend", "service.backend");
  std::map<base::Endpoint, std::string> seen;
  for (std::size_t i = 0; i < std::min(tables.size(), kMaxBackendsPerService); i++) {
    auto row = read_backend(*tables[i], first.target);
    if (!row) continue;
    row->vip = first.target;
    row->vip_port = first.port;
    const auto [known, is_new] = seen.emplace(row->backend, row->task);
    if (is_new)
      service.rows.push_back(std::move(*row));
    else
      mistakes_.add(tables[i]->source().begin.line, "backend " + row->backend.to_string() +
                                                        " is already given at " + known->second);
  }
  if (tables.size() > kMaxBackendsPerService)
    mistakes_.add(
        tables[kMaxBackendsPerService]->source().begin.line,
        "only the first " + std::to_string(kMaxBackendsPerService) + " backends are read");
}

std::optional<service::BackendRow> FileReader::read_backend(const toml::table& table,
                                                            const service::VipTarget& target) {
  const std::size_t mistakes_before = mistakes_.count();
  const TableReader reader(table, mistakes_);
  reader.check_keys(kBackendKeys);
  service::BackendRow row;
  row.task = mistakes_.place(reader.line());
  if (!reader.has("address")) reader.reject("", "a backend needs an address");
  if (const auto text = reader.text("address")) {
    const auto address = base::Address::parse(*text);
    if (!address)
      reader.reject("address",
                    "address " + base::in_quotes(*text) + " is not an IPv4 or IPv6 address");
    else if (check_backend(reader, *address, target))
      row.backend.address = *address;
  }
  if (const auto port = read_port(reader)) row.backend.port = *port;
  const auto weight = reader.integer("weight");
  if (weight && (*weight < 0 || *weight > service::kMaxWeight))
    reader.reject("weight", "weight is " + std::to_string(*weight) + "; it must be between 0 and " +
                                std::to_string(service::kMaxWeight));
  else if (weight)
    row.weight = static_cast<std::uint16_t>(*weight);
  row.tunnel = read_node(reader);
  if (mistakes_.count() != mistakes_before) return std::nullopt;
  return row;
}

/// The machine that a backend runs on.
std::optional<base::Address> FileReader::read_node(const TableReader& reader) {
  const auto text = reader.text("node");
  if (!text) return std::nullopt;
  const auto address = base::Address::parse(*text);
  if (address && !address->is_unspecified() && !address->is_loopback() &&
      !address->is_multicast() && !address->is_broadcast() && !address->is_link_local())
    return *address;
  reader.reject("node", "node " + base::in_quotes(*text) + " is not a machine's address");
  return std::nullopt;
}

bool FileReader::check_backend(const TableReader& reader, const base::Address& address,
                               const service::VipTarget& target) {
  const auto refuse = [&](std::string_view why) {
    reader.reject("address", "backend " + address.to_string() + " " + std::string(why));
    return false;
  };
  if (address.is_unspecified() || address.is_loopback() || address.is_multicast() ||
      address.is_broadcast() || address.is_link_local())
    return refuse("is not an address that other nodes can reach");
  const auto* vip = std::get_if<base::Address>(&target);
  if (vip == nullptr) return true;
  if (vip->is_v4() != address.is_v4()) return refuse("is of another address family than the VIP");
  if (*vip == address) return refuse("is the VIP itself");
  return true;
}

}  // namespace

std::string FileVip::to_string() const {
  const std::string where =
      std::holds_alternative<service::VipName>(target)
          ? std::get<service::VipName>(target).value + ":" + std::to_string(port)
          : base::Endpoint{std::get<base::Address>(target), port}.to_string();
  return std::string(base::to_string(protocol)) + " " + where;
}

ServiceFile parse_service_file(const std::string& name, std::string_view text) {
  ServiceFile out;
  FileReader reader(name, out);
  reader.read(text);
  reader.finish();
  return out;
}

}  // namespace viaduct::files
