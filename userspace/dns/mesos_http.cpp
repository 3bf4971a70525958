#include "dns/mesos_http.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "dns/explain.h"
#include "dns/go_json.h"
#include "dns/zones/task_zones.h"

namespace viaduct::dns {
namespace {

namespace json = boost::json;

constexpr std::string_view kUrl = "https://github.com/mesosphere/mesos-dns";

http::Reply text_reply(unsigned status, std::string text) {
  http::Reply out;
  out.status = status;
  out.content_type = "text/plain; charset=utf-8";
  out.body = std::move(text);
  if (status == 405) out.allow = "GET";
  return out;
}

http::Reply not_found() { return text_reply(404, "404: Page Not Found"); }

http::Reply json_reply(const json::value& value) {
  http::Reply out;
  out.body = go_json(value);
  return out;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The parts of a path, decoded; a slash at its end makes none.
/// @return absent: an empty part, or a percent sign without two digits.
std::optional<std::vector<std::string>> parts_of(std::string_view target) {
  std::string_view path = target.substr(0, target.find_first_of("?#"));
  if (!path.starts_with('/')) return std::nullopt;
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  std::vector<std::string> out(1);
  for (std::size_t i = 1; i < path.size(); i++) {
    if (path[i] == '/') {
      if (out.back().empty()) return std::nullopt;
      out.emplace_back();
    } else if (path[i] == '%') {
      if (i + 2 >= path.size() || digit(path[i + 1]) < 0 || digit(path[i + 2]) < 0)
        return std::nullopt;
      out.back() += static_cast<char>(digit(path[i + 1]) * 16 + digit(path[i + 2]));
      i += 2;
    } else {
      out.back() += path[i];
    }
  }
  return out;
}

/// As Mesos-DNS reads names: in lower case, without every ".*", with a dot at the end.
std::string plain_name(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text.substr(i).starts_with(".*")) {
      i++;
      continue;
    }
    out += text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
  }
  if (!out.ends_with('.')) out += '.';
  return out;
}

bool is_address(const Record& record) {
  return record.type == Type::a || record.type == Type::aaaa;
}

bool is_listed(const Record& record) { return is_address(record) || record.type == Type::srv; }

/// All records of a name in the domain.
std::vector<Record> records_of(std::string_view text, const MesosHttpView& view) {
  const auto name = Name::parse(text);
  if (view.table == nullptr || !name || !name->is_within(view.domain)) return {};
  return explain(*view.table, *name, static_cast<std::uint16_t>(Type::any)).records;
}

http::Reply host(const std::string& text, const MesosHttpView& view) {
  const std::string name = plain_name(text);
  json::array out;
  for (const Record& record : records_of(name, view))
    if (is_address(record)) out.push_back({{"host", name}, {"ip", to_text(record).host}});
  if (out.empty()) out.push_back({{"host", ""}, {"ip", ""}});
  return json_reply(out);
}

http::Reply service(const std::string& text, const MesosHttpView& view) {
  json::array out;
  for (const Record& record : records_of(plain_name(text), view)) {
    if (record.type != Type::srv) continue;
    const std::string target_port = to_text(record).host;  // "web.mesos.:80"
    const std::size_t colon = target_port.rfind(':');
    const std::string target = target_port.substr(0, colon);
    std::set<Type> had;  // one address of each family
    for (const Record& address : records_of(target, view))
      if (is_address(address) && had.insert(address.type).second)
        out.push_back({{"service", text},
                       {"host", target},
                       {"ip", to_text(address).host},
                       {"port", target_port.substr(colon + 1)}});
  }
  if (out.empty()) out.push_back({{"service", ""}, {"host", ""}, {"ip", ""}, {"port", ""}});
  return json_reply(out);
}

/// A task's records of the domain that none before it had; its agent's own are none of them.
json::array task_records(const service::TaskRow& task, const MesosHttpView& view,
                         std::set<std::tuple<std::string, std::string, std::string>>& had) {
  json::array out;
  const Name agents = Name::parse("slave." + view.domain.to_text()).value();
  for (const Record& record : zones::task_records(task, *view.options).records) {
    if (!is_listed(record) || !record.owner.is_within(view.domain)) continue;
    if (record.owner == agents) continue;
    const RecordText text = to_text(record);
    if (had.emplace(text.name, text.host, text.rtype).second)
      out.push_back({{"name", text.name}, {"host", text.host}, {"rtype", text.rtype}});
  }
  return out;
}

http::Reply enumerate(const MesosHttpView& view) {
  std::map<std::string, json::array> tasks;
  for (const std::string& framework : view.frameworks) tasks[framework];
  std::set<std::tuple<std::string, std::string, std::string>> had;
  if (view.tasks != nullptr)
    for (const auto& task : *view.tasks) {
      json::array records = task_records(task->row, view, had);
      json::object one{{"name", task->row.name}, {"id", task->row.id}};
      if (records.empty())
        one["records"] = nullptr;
      else
        one["records"] = std::move(records);
      tasks[task->row.framework].push_back(std::move(one));
    }
  if (tasks.empty()) return json_reply(json::object{{"frameworks", nullptr}});
  json::array frameworks;
  for (auto& entry : tasks)
    frameworks.push_back(json::object{{"tasks", std::move(entry.second)}, {"name", entry.first}});
  return json_reply(json::object{{"frameworks", std::move(frameworks)}});
}

std::uint32_t serial_of(const MesosHttpView& view) {
  return view.table == nullptr
             ? 0
             : explain(*view.table, view.domain, static_cast<std::uint16_t>(Type::soa)).serial;
}

http::Reply axfr(const MesosHttpView& view) {
  std::map<std::string, json::array> a;
  std::map<std::string, json::array> aaaa;
  std::map<std::string, json::array> srv;
  if (view.table != nullptr)
    for (const Record& record : view.table->records()) {
      if (!is_listed(record) || !record.owner.is_within(view.domain)) continue;
      RecordText text = to_text(record);
      auto& kind = record.type == Type::a ? a : record.type == Type::aaaa ? aaaa : srv;
      kind[std::move(text.name)].emplace_back(std::move(text.host));
    }
  const auto object = [](std::map<std::string, json::array>& from) {
    json::object out;
    for (auto& entry : from) out.emplace(entry.first, std::move(entry.second));
    return out;
  };
  const MesosHttpSettings& settings = *view.settings;
  return json_reply(
      {{"TTL", settings.ttl_s},
       {"Serial", serial_of(view)},
       {"RefreshSeconds", settings.refresh_s},
       {"Mname", settings.soa_mname},
       {"Rname", settings.soa_rname},
       {"Domain", settings.domain},
       {"Records", {{"As", object(a)}, {"AAAAs", object(aaaa)}, {"SRVs", object(srv)}}}});
}

bool takes_json(const std::optional<std::string_view>& accept) {
  return !accept || accept->empty() || accept->find("*/*") != std::string_view::npos ||
         accept->find("application/json") != std::string_view::npos;
}

/// Whether there is such a path; `parts` begins with "v1".
bool exists(const std::vector<std::string>& parts, bool enumeration) {
  if (parts.size() < 2 || parts[0] != "v1") return false;
  const std::string& noun = parts[1];
  if (parts.size() == 2)
    return noun == "version" || noun == "config" ||
           (enumeration && (noun == "enumerate" || noun == "axfr"));
  if (parts.size() == 3) return noun == "hosts" || noun == "services";
  return parts.size() == 4 && noun == "hosts" && parts[3] == "ports";
}

}  // namespace

http::Reply answer_mesos_http(const http::RequestHead& request, const MesosHttpView& view) {
  const auto parts = parts_of(request.target);
  if (!parts || !exists(*parts, view.settings->enumeration)) return not_found();
  if (request.method != "GET") return text_reply(405, "405: Method Not Allowed");
  if (!takes_json(request.accept)) return text_reply(406, "406: Not Acceptable");
  const std::string& noun = (*parts)[1];
  if (parts->size() == 4) return text_reply(501, "To be implemented...");
  if (noun == "hosts") return host((*parts)[2], view);
  if (noun == "services") return service((*parts)[2], view);
  if (noun == "enumerate") return enumerate(view);
  if (noun == "axfr") return axfr(view);
  if (noun == "config") return json_reply(to_json(*view.settings, serial_of(view)));
  return json_reply({{"Service", "Mesos-DNS"}, {"URL", kUrl}, {"Version", view.version}});
}

}  // namespace viaduct::dns
