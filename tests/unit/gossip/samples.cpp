#include "tests/unit/gossip/samples.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

namespace viaduct::test {
namespace {

namespace json = boost::json;
using namespace gossip;

std::string text_of(const json::object& from, std::string_view key) {
  const json::value* value = from.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : "";
}

/// Takes off what the decoder tells about layers, and what it made of users' bytes.
json::value bare(json::value message) {
  while (const json::value* inner = message.as_object().if_contains("inner"))
    message = json::value(*inner);
  json::object& object = message.as_object();
  for (const char* told : {"payload", "userState", "lengths", "trailing", "count"})
    object.erase(told);
  if (object.at("type") == "pushPull" && object.contains("header"))
    object.at("header").as_object().erase("UserStateLen");
  if (object.at("type") == "userMsg") object.erase("header");
  if (json::value* parts = object.if_contains("parts"))
    for (json::value& part : parts->as_array()) part = bare(part);
  return message;
}

Sample read_sample(const json::object& from, bool is_stream) {
  Sample sample;
  sample.id = text_of(from, "id");
  sample.is_stream = is_stream;
  if (text_of(from, "role") == "acceptor") sample.side = StreamSide::acceptor;
  for (const json::value& layer : from.at("layers").as_array())
    sample.layers.emplace_back(layer.as_string());
  sample.bytes = from_hex(text_of(from, "hex"));
  sample.options.label = text_of(from, "label");
  sample.options.compress = sample.has_layer("compress");
  if (!sample.has_layer("label") && !sample.has_layer("encrypt")) sample.options.label.clear();
  sample.key = from_hex(text_of(from, "key"));
  sample.message = bare(from.at("decoded").at("message"));
  return sample;
}

json::value hex(base::ByteView bytes) { return json::object{{"hex", to_hex(bytes)}}; }
json::value hex_or_null(base::ByteView bytes) {
  return bytes.empty() ? json::value(nullptr) : hex(bytes);
}

void add_source(json::object& body, const std::optional<PingSource>& source) {
  if (!source) return;
  body["SourceAddr"] = hex(source->endpoint.address.octets());
  body["SourceNode"] = source->node;
  body["SourcePort"] = source->endpoint.port;
}

void add_node(json::object& body, const NodeInfo& node, const char* name) {
  const Versions& v = node.versions;
  body[name] = node.name;
  body["Addr"] = hex(node.endpoint.address.octets());
  body["Port"] = node.endpoint.port;
  body["Meta"] = hex_or_null(node.meta);
  body["Vsn"] = hex(base::Bytes{v.protocol_min, v.protocol_max, v.protocol, v.delegate_min,
                                v.delegate_max, v.delegate});
}

json::value with_type(const char* type, json::object body) {
  return json::object{{"type", type}, {"body", std::move(body)}};
}

struct ToJson {
  json::value operator()(const Ping& ping) const {
    json::object body{{"Node", ping.node}, {"SeqNo", ping.sequence}};
    add_source(body, ping.source);
    return with_type("ping", body);
  }
  json::value operator()(const IndirectPing& ping) const {
    json::object body{{"Node", ping.node},
                      {"SeqNo", ping.sequence},
                      {"Nack", ping.nack},
                      {"Port", ping.target.port},
                      {"Target", hex(ping.target.address.octets())}};
    add_source(body, ping.source);
    return with_type("indirectPing", body);
  }
  json::value operator()(const Ack& ack) const {
    return with_type("ack", {{"Payload", hex_or_null(ack.payload)}, {"SeqNo", ack.sequence}});
  }
  json::value operator()(const Nack& nack) const {
    return with_type("nack", {{"SeqNo", nack.sequence}});
  }
  json::value operator()(const Suspect& suspect) const {
    return with_type(
        "suspect",
        {{"From", suspect.from}, {"Incarnation", suspect.incarnation}, {"Node", suspect.node}});
  }
  json::value operator()(const Dead& dead) const {
    return with_type("dead",
                     {{"From", dead.from}, {"Incarnation", dead.incarnation}, {"Node", dead.node}});
  }
  json::value operator()(const Alive& alive) const {
    json::object body{{"Incarnation", alive.incarnation}};
    add_node(body, *alive.node, "Node");
    return with_type("alive", body);
  }
  json::value operator()(const User& user) const {
    return json::object{{"type", "userMsg"}, {"payloadHex", to_hex(user.bytes)}};
  }
  json::value operator()(const PushPull& push_pull) const {
    json::array nodes;
    for (const MemberState& state : push_pull.members) {
      json::object node{{"Incarnation", state.incarnation},
                        {"State", static_cast<int>(state.state)}};
      add_node(node, *state.node, "Name");
      nodes.push_back(node);
    }
    return json::object{{"type", "pushPull"},
                        {"header", json::object{{"Join", push_pull.join}, {"Nodes", nodes.size()}}},
                        {"nodes", nodes},
                        {"userStateHex", to_hex(push_pull.user_state)}};
  }
  json::value operator()(const Refusal& refusal) const {
    return with_type("err", {{"Error", refusal.error}});
  }
};

}  // namespace

base::Bytes from_hex(std::string_view hex) {
  base::Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

std::string to_hex(base::ByteView bytes) {
  std::string hex;
  for (const std::uint8_t byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 0xf];
  }
  return hex;
}

bool Sample::has_layer(std::string_view name) const {
  return std::find(layers.begin(), layers.end(), name) != layers.end();
}

std::size_t Sample::sealed_at() const {
  const std::size_t label = has_layer("label") ? 2 + options.label.size() : 0;
  return label + (is_stream ? 5 : 0);
}

Keyring Sample::keyring() const {
  Keyring keyring;
  if (!key.empty()) keyring.install(key).value();
  return keyring;
}

std::vector<Sample> read_samples(const std::filesystem::path& folder) {
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") files.insert(entry.path());
  std::vector<Sample> samples;
  for (const auto& file : files) {
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const bool is_stream = file.filename().string().starts_with("tcp");
    const json::value list = json::parse(text);
    for (const json::value& sample : list.as_array())
      samples.push_back(read_sample(sample.as_object(), is_stream));
  }
  if (samples.empty()) throw std::runtime_error("no samples in " + folder.string());
  return samples;
}

json::value to_json(const Message& message) { return std::visit(ToJson{}, message); }
json::value to_json(const StreamMessage& message) { return std::visit(ToJson{}, message); }

}  // namespace viaduct::test
