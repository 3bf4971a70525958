#include "tools/viaductctl/import_mesos_dns.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <limits>
#include <set>
#include <utility>

#include "base/quote.h"
#include "tools/viaductctl/mesos_dns_values.h"

namespace viaduct::ctl {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxPort = 65535;
constexpr std::int64_t kMaxTtl = 86400;          // of dns.mesos_ttl_s
constexpr std::int64_t kMaxRefreshMs = 3600000;  // of mesos.refresh_ms
constexpr std::int64_t kMaxTimeoutMs = 600000;   // of mesos.master_timeout_ms
constexpr std::string_view kPasswordFile = "/etc/viaduct/mesos-master.password";

std::string flag_text(bool flag) { return flag ? "true" : "false"; }

class Importer {
 public:
  explicit Importer(const json::object& config) : values_(config, mistakes_) {}

  ImportedConfig run() {
    masters();
    tls();
    credentials();
    zone();
    soa();
    listen();
    forward();
    others();
    std::string toml = "# From a configuration of Mesos-DNS, by viaductctl import mesos-dns.\n";
    toml += "\n[mesos]\n" + mesos_ + "\n[dns]\nmesos = \"master\"\n" + dns_;
    if (!notes_.empty()) toml += "\n# Nothing here stands for these:\n" + notes_;
    return {std::move(toml), std::move(mistakes_)};
  }

 private:
  void mesos(std::string_view key, const std::string& value) {
    mesos_ += std::string(key) + " = " + value + "\n";
  }
  void dns(std::string_view key, const std::string& value) {
    dns_ += std::string(key) + " = " + value + "\n";
  }
  /// Tells of a key, if it is there, that nothing stands for.
  void note(std::string_view key, std::string_view why) {
    if (values_.has(key)) {
      values_.take(key);
      notes_ += "# " + std::string(key) + ": " + std::string(why) + "\n";
    }
  }
  /// A number that ours allows only so far.
  std::int64_t at_most(std::string_view key, std::int64_t value, std::int64_t most,
                       std::string& out) {
    if (value <= most) return value;
    out += "# " + std::string(key) + " of Mesos-DNS is more than is allowed here.\n";
    return most;
  }

  void masters() {
    const auto masters = values_.texts("masters", {});
    std::vector<std::string> usable;
    for (const std::string& text : masters) {
      if (std::find(usable.begin(), usable.end(), text) != usable.end())
        values_.mistake("masters", "has " + base::in_quotes(text) + " twice");
      else if (!base::Endpoint::parse(text))
        values_.mistake("masters", "has " + base::in_quotes(text) +
                                       ", which is not an address with a port; Mesos-DNS ends "
                                       "itself at a host name");
      else
        usable.push_back(text);
    }
    const std::string zk = values_.text("zk", "");
    if (masters.empty() && zk.empty() && mistakes_.empty())
      values_.mistake("masters", "and zk are both empty");
    if (!usable.empty()) mesos("masters", toml_list(usable));
    if (zk.starts_with("zk://")) {
      if (zk.find('@') != std::string::npos)
        mesos_ += "# This has a password: let only root and viaductd read this file.\n";
      mesos("zk", toml_text(zk));
    } else if (!zk.empty()) {
      notes_ += "# zk: only zk://host:port,host:port/path is understood; set mesos.zk to what " +
                base::in_quotes(zk) + " leads to\n";
    }
    note("zkDetectionTimeout", "without a leader the last names are served on, and nothing ends");
    const std::int64_t refresh = values_.number("refreshSeconds", 60, 1, kMaxInt32);
    const std::int64_t refresh_ms =
        at_most("refreshSeconds", refresh * 1000, kMaxRefreshMs, mesos_);
    mesos("refresh_ms", std::to_string(refresh_ms));
    const std::int64_t timeout = values_.number("stateTimeoutSeconds", 300, 1, kMaxInt32);
    mesos("master_timeout_ms",
          std::to_string(at_most("stateTimeoutSeconds", timeout * 1000, kMaxTimeoutMs, mesos_)));
  }

  void tls() {
    const bool on = values_.flag("mesosHTTPSOn", false);
    const std::string ca = values_.text("caCertFile", "");
    const std::string certificate = values_.text("certFile", "");
    const std::string key = values_.text("keyFile", "");
    if (certificate.empty() != key.empty())
      values_.mistake("certFile", "and keyFile belong together");
    mesos("tls", flag_text(on));
    if (on && ca.empty())
      mesos_ +=
          "# Mesos-DNS trusts any master without caCertFile; here the system's "
          "certificates count.\n";
    file("caCertFile", "ca_file", ca, on);
    if (certificate.empty() || key.empty()) return;
    file("certFile", "certificate_file", certificate, on);
    file("keyFile", "key_file", key, on);
  }

  void file(std::string_view theirs, std::string_view ours, const std::string& path, bool used) {
    if (path.empty()) return;
    if (!used)
      notes_ += "# " + std::string(theirs) + ": mesosHTTPSOn is false\n";
    else if (!path.starts_with('/'))
      values_.mistake(theirs, "is " + base::in_quotes(path) +
                                  "; give the whole path, for Mesos-DNS' folder is not known here");
    else
      mesos(ours, toml_text(path));
  }

  void credentials() {
    const std::string scheme = values_.text("mesosAuthentication", "");
    const json::value* pair = values_.take("mesosCredentials");
    std::string principal;
    if (pair != nullptr && pair->is_object()) {
      MesosDnsValues inner(pair->get_object(), mistakes_);
      principal = inner.text("principal", "");
    } else if (pair != nullptr) {
      values_.mistake("mesosCredentials", "is no object");
    }
    if (scheme == "basic" && !principal.empty()) {
      mesos("master_user", toml_text(principal));
      mesos_ += "# Put the secret of mesosCredentials into this file; it is not shown here.\n";
      mesos("master_password_file", toml_text(kPasswordFile));
    } else if (scheme == "basic") {
      values_.mistake("mesosAuthentication", "is \"basic\" without a principal");
    } else if (scheme == "iam") {
      notes_ +=
          "# mesosAuthentication: logging in with a key is not done; keep a token in the file "
          "that mesos.master_token_file names\n";
    } else if (!scheme.empty()) {
      values_.mistake("mesosAuthentication",
                      "is " + base::in_quotes(scheme) + ", none of \"\", \"basic\", \"iam\"");
    } else if (!principal.empty()) {
      notes_ += "# mesosCredentials: mesosAuthentication is not \"basic\"\n";
    }
    note("iamConfigFile", "see mesos.master_token_file");
  }

  void zone() {
    domain_ = lower(values_.text("domain", "mesos"));
    if (!is_domain(domain_)) {
      values_.mistake("domain", "is " + base::in_quotes(domain_) +
                                    ", not labels of letters, digits and dashes");
      domain_ = "mesos";
    }
    dns("mesos_domain", toml_text(domain_));
    std::int64_t ttl = values_.number("ttl", 60, -kMaxInt32 - 1, kMaxInt32);
    if (ttl < 0) {
      dns_ += "# ttl of Mesos-DNS is negative, which clients see as 136 years.\n";
      ttl = kMaxTtl;
    }
    dns("mesos_ttl_s", std::to_string(at_most("ttl", ttl, kMaxTtl, dns_)));
    dns("mesos_srv_weight",
        std::to_string(values_.number("srvRecordDefaultWeight", 1, 0, kMaxPort)));
    dns("mesos_label_rule", toml_text(values_.flag("enforceRFC952", false) ? "rfc952" : "rfc1123"));
    const auto sources = values_.texts("IPSources", {"netinfo", "mesos", "host"});
    const std::set<std::string> known = {"host", "docker", "mesos", "netinfo"};
    const std::set<std::string> distinct(sources.begin(), sources.end());
    const bool all_known =
        std::includes(known.begin(), known.end(), distinct.begin(), distinct.end());
    if (sources.empty() || distinct.size() != sources.size() || !all_known)
      values_.mistake("IPSources", "must name some of host, docker, mesos, netinfo, each once");
    else
      dns("mesos_ip_sources", toml_list(sources));
    dns("mesos_recursion", flag_text(values_.flag("recurseon", true)));
    dns("mesos_enumeration", flag_text(values_.flag("enumerationOn", true)));
  }

  static bool is_domain(const std::string& text) {
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
    return plain && !text.empty() && text.front() != '.' && text.back() != '.' &&
           text.find("..") == std::string::npos;
  }

  void soa() {
    for (const auto& [theirs, ours, fallback] :
         {std::tuple("SOAMname", "mesos_soa_mname", "ns1.mesos"),
          std::tuple("SOARname", "mesos_soa_rname", "root.ns1.mesos")})
      dns(ours, toml_text(values_.text(theirs, fallback)));
    for (const auto& [theirs, ours, fallback] :
         {std::tuple("SOARefresh", "mesos_soa_refresh_s", 60),
          std::tuple("SOARetry", "mesos_soa_retry_s", 600),
          std::tuple("SOAExpire", "mesos_soa_expire_s", 86400)})
      dns(ours, std::to_string(values_.number(theirs, fallback, 0, kMaxInt32)));
    note("SOAMinttl", "Mesos-DNS does not use it either; mesos_ttl_s counts");
    note("SOASerial", "Mesos-DNS does not use it either; the serial follows the names");
  }

  std::optional<base::Address> address(std::string_view key) {
    const std::string text = values_.text(key, "0.0.0.0");
    const auto parsed = base::Address::parse(text);
    if (!parsed) values_.mistake(key, "is " + base::in_quotes(text) + ", no IP address");
    return parsed;
  }

  void listen() {
    const auto listener = address("listener");
    if (listener) dns("listen", toml_list({listener->to_string()}));
    dns("port", std::to_string(values_.number("port", 53, 1, kMaxPort)));
    const auto http = address("httplistener");
    const auto port = static_cast<std::uint16_t>(values_.number("httpport", 8123, 1, kMaxPort));
    const bool http_on = values_.flag("httpon", true);
    const bool dns_on = values_.flag("dnson", true);
    if (!http_on && !dns_on) values_.mistake("dnson", "and httpon are both false");
    if (http) dns("http_listen", toml_text(http_on ? base::Endpoint{*http, port}.to_string() : ""));
    if (!dns_on) notes_ += "# dnson: the HTTP API answers from what DNS serves, which is on\n";
  }

  /// A list of resolvers as Mesos-DNS checks it.
  std::vector<std::string> resolvers(std::string_view key, const std::vector<std::string>& texts) {
    std::vector<std::string> out;
    for (const std::string& text : texts) {
      if (!parse_resolver(text))
        values_.mistake(key,
                        "has " + base::in_quotes(text) + ", no IP address with or without port");
      else if (std::find(out.begin(), out.end(), text) != out.end())
        values_.mistake(key, "has " + base::in_quotes(text) + " twice");
      else
        out.push_back(text);
    }
    return out;
  }

  void forward() {
    const bool on = values_.flag("externalon", true);
    const auto servers = resolvers("resolvers", values_.texts("resolvers", {"8.8.8.8"}));
    if (on && servers.empty())
      dns_ += "# Mesos-DNS takes those of /etc/resolv.conf; name them here.\n";
    dns("upstreams", toml_list(on ? servers : std::vector<std::string>{}));
    const json::value* zones = values_.take("zoneResolvers");
    if (zones != nullptr && !zones->is_object())
      values_.mistake("zoneResolvers", "is no object");
    else if (zones != nullptr && !zones->get_object().empty())
      forward_zones(zones->get_object(), on);
    note("timeout", "servers are asked at once or after what they usually take");
  }

  void forward_zones(const json::object& object, bool on) {
    std::vector<std::string> names{domain_};
    std::vector<std::string> out;
    for (const auto& member : object) {
      const std::string name = lower({member.key().data(), member.key().size()});
      const std::string where = "zoneResolvers, " + base::in_quotes(name) + ",";
      for (const std::string& other : names)
        if (name == other || name.ends_with("." + other) || other.ends_with("." + name))
          values_.mistake(where, "lies in or around " + base::in_quotes(other));
      names.push_back(name);
      std::vector<std::string> texts;
      if (const auto* list = member.value().if_array())
        for (const json::value& one : *list)
          if (one.is_string()) texts.emplace_back(one.get_string());
      const auto servers = resolvers(where, texts);
      if (servers.empty()) {
        values_.mistake(where, "has no server");
        continue;
      }
      std::string entry = name + "=";
      for (const std::string& server : servers) entry += (entry.ends_with('=') ? "" : ",") + server;
      out.push_back(std::move(entry));
    }
    if (on)
      dns("forward_zones", toml_list(out));
    else
      notes_ += "# zoneResolvers: externalon is false\n";
  }

  void others() {
    if (!values_.flag("setTruncateBit", true))
      notes_ += "# setTruncateBit: what is cut always says so\n";
    for (const std::string& key : values_.untaken())
      notes_ += "# " + base::in_quotes(key) + ": Mesos-DNS knows no such key either\n";
  }

  std::vector<std::string> mistakes_;
  MesosDnsValues values_;
  std::string domain_;
  std::string mesos_;
  std::string dns_;
  std::string notes_;
};

}  // namespace

ImportedConfig import_mesos_dns(std::string_view text) {
  constexpr std::size_t kMaxDepth = 8;
  if (text.size() > kMaxMesosDnsConfigBytes) return {"", {"the file is too large"}};
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  const json::value value =
      json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return {"", {"the file is not usable JSON: " + error.message()}};
  if (!value.is_object()) return {"", {"the file is not a JSON object"}};
  return Importer(value.get_object()).run();
}

}  // namespace viaduct::ctl
