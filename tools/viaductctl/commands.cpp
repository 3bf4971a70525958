#include "tools/viaductctl/commands.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <boost/url.hpp>
#include <functional>
#include <iostream>

#include "base/errors.h"
#include "dns/name.h"
#include "dns/type_name.h"
#include "tools/viaductctl/dns.h"
#include "tools/viaductctl/doctor.h"
#include "tools/viaductctl/explain.h"
#include "tools/viaductctl/flows.h"
#include "tools/viaductctl/io/daemon.h"
#include "tools/viaductctl/io/dns.h"
#include "tools/viaductctl/io/explain.h"
#include "tools/viaductctl/io/facts.h"
#include "tools/viaductctl/io/import.h"
#include "tools/viaductctl/io/maps.h"
#include "tools/viaductctl/io/sockets.h"
#include "tools/viaductctl/io/tracer.h"
#include "tools/viaductctl/members.h"
#include "tools/viaductctl/options.h"
#include "tools/viaductctl/rows.h"
#include "tools/viaductctl/status.h"
#include "tools/viaductctl/table.h"
#include "tools/viaductctl/trace.h"
#include "tools/viaductctl/vips.h"

namespace viaduct::ctl {
namespace {

constexpr std::size_t kDefaultFlowLimit = 1000;

int print(const Options& options, const json::value& document,
          const std::function<std::string()>& text) {
  std::cout << (options.json ? json::serialize(document) + "\n" : text()) << std::flush;
  return kSuccess;
}

/// Says why a document could not be had and what to do about it.
int complain(const Options& options, const base::Error& error) {
  if (error.code.category() == base::base_category()) {
    std::cerr << "viaductctl: " << error.message() << "\n"
              << "  use the viaductctl that came with the running viaductd\n";
    return kFailure;
  }
  std::cerr << "viaductctl: viaductd does not answer on " << options.socket << ": "
            << error.code.message() << "\n";
  if (error.code == boost::system::errc::permission_denied)
    std::cerr << "  run this as root or as a member of the group viaduct\n";
  else
    std::cerr << "  start it (systemctl start viaductd), name its socket with --socket, or see: "
                 "viaductctl doctor\n";
  return kUnreachable;
}

/// VIPs of viaductd, or of the kernel's maps when it is away.
struct VipSource {
  json::array vips;
  int exit = kSuccess;
};

std::optional<VipSource> load_vips(const Options& options) {
  auto answer = ask_daemon(options.socket, "/v1/vips");
  if (answer && answer->is_array()) return VipSource{std::move(answer->get_array()), kSuccess};
  const int exit =
      complain(options, answer ? base::Error{base::Errc::bad_format, "/v1/vips is no list"}
                               : answer.error());
  auto vips = read_vips(options.bpffs.value_or(kDefaultBpffs));
  if (!vips) {
    std::cerr << "viaductctl: nor can the kernel's maps be read: " << vips.error().message() << "\n"
              << "  run this as root, or name the folder of dataplane.bpffs with --bpffs\n";
    return std::nullopt;
  }
  std::cerr
      << "viaductctl: this is what the kernel goes on serving, by address and without names:\n";
  return VipSource{std::move(*vips), exit};
}

int show_vips(const Options& options) {
  const auto source = load_vips(options);
  if (!source) return kUnreachable;
  print(options, source->vips, [&] { return vips_text(source->vips); });
  return source->exit;
}
int show_backends(const Options& options) {
  const auto source = load_vips(options);
  if (!source) return kUnreachable;
  print(options, source->vips, [&] { return backends_text(source->vips); });
  return source->exit;
}

int show_vip(const Options& options, const std::string& wanted) {
  const auto source = load_vips(options);
  if (!source) return kUnreachable;
  const json::array found = select_vips(source->vips, wanted);
  if (found.empty()) {
    std::cerr
        << "viaductctl: no VIP is called \"" << printable(wanted) << "\"\n"
        << "  viaductctl vips lists them, viaductctl rows --rejected says what could not be used\n";
    return source->exit == kSuccess ? kFailure : source->exit;
  }
  print(options, found, [&] { return vip_text(found); });
  return source->exit;
}

int show_rows(const Options& options, bool rejected) {
  const auto rows = ask_daemon(options.socket, "/v1/rows");
  if (!rows) return complain(options, rows.error());
  if (rejected) return print(options, rejected_list(*rows), [&] { return rejected_text(*rows); });
  return print(options, *rows, [&] { return rows_text(*rows); });
}

int show_status(const Options& options) {
  auto status = ask_daemon(options.socket, "/v1/status");
  if (!status) return complain(options, status.error());
  // The daemon does not count the flows: that takes a look at each.
  const std::string told = text_of(object_of(*status, "dataplane"), "bpffs");
  if (const auto usage = read_usage(options.bpffs.value_or(told.empty() ? kDefaultBpffs : told)))
    add_usage(*status, usage->maps);
  return print(options, *status, [&] { return status_text(*status); });
}

int show_dns(const Options& options, const std::string& name, const std::string& type) {
  const auto parsed = dns::Name::parse(name);
  const auto number = dns::parse_type(type);
  if (!parsed || !number) {
    std::cerr << "viaductctl: \"" << printable(parsed ? type : name) << "\" is no "
              << (parsed ? "record type" : "name") << "\n";
    return kFailure;
  }
  const auto explanation = explain_dns(options.socket, name, type);
  if (!explanation) return complain(options, explanation.error());
  const std::string asked = ask_dns(options.socket, *parsed, *number);
  return print(options, *explanation, [&] { return dns_text(*explanation, asked); });
}

int show_records(const Options& options, const std::string& part) {
  const auto records = ask_daemon(options.socket, "/v1/records");
  if (!records) return complain(options, records.error());
  const json::array found = select_records(*records, part);
  return print(options, found, [&] { return records_text(found); });
}

int show_members(const Options& options) {
  const auto cluster = ask_daemon(options.socket, "/v1/members");
  if (!cluster) return complain(options, cluster.error());
  return print(options, *cluster, [&] { return members_text(*cluster); });
}

int show_keys(const Options& options) {
  const auto cluster = ask_daemon(options.socket, "/v1/members");
  if (!cluster) return complain(options, cluster.error());
  return print(options, keys_json(*cluster), [&] { return keys_text(*cluster); });
}

/// @param parameter  of the command, "" for none.
int tell(const Options& options, const std::string& path, const std::string& parameter,
         const std::string& value) {
  boost::urls::url target;
  target.set_path(path);
  if (!parameter.empty()) target.params().append({parameter, value});
  const auto done = tell_daemon(options.socket, std::string(target.buffer()));
  if (done) return print(options, json::object{{"done", *done}}, [&] { return *done + "\n"; });
  if (done.error().code.category() != base::base_category()) return complain(options, done.error());
  std::cerr << "viaductctl: " << printable(done.error().context) << "\n";
  return kFailure;
}

/// A key is no argument: the list of processes would show it.
int install_key(const Options& options) {
  std::string key;
  std::getline(std::cin, key);
  return tell(options, "/v1/keys/install", "key", key);
}

int show_flows(const Options& options, const FlowFilter& filter, std::size_t limit) {
  const std::string bpffs = find_bpffs(options);
  FlowList list;
  list.filter = filter;
  list.limit = limit;
  bool failed = false;
  for (const auto& read : {read_socket_flows(bpffs, list), read_packet_flows(bpffs, list)}) {
    if (read) continue;
    std::cerr << "viaductctl: " << read.error().message() << "\n";
    failed = true;
  }
  if (failed)
    std::cerr << "  run this as root, or name the folder of dataplane.bpffs with --bpffs\n";
  if (failed && list.flows.empty()) return kFailure;
  print(options, list.flows, [&] { return flows_text(list); });
  return failed ? kFailure : kSuccess;
}

/// The filter for what the command line names; every VIP if it names none.
std::optional<TraceFilter> find_trace_filter(const Options& options, const std::string& wanted) {
  if (wanted.empty()) return TraceFilter{};
  if (auto filter = parse_trace_filter(wanted)) return filter;
  const auto vips = ask_daemon(options.socket, "/v1/vips");
  auto filter = vips && vips->is_array() ? trace_filter_of(select_vips(vips->get_array(), wanted))
                                         : std::nullopt;
  if (!filter)
    std::cerr << "viaductctl: \"" << printable(wanted) << "\" is no one VIP's address or name\n"
              << "  viaductctl vips lists them; IPv6 with a port is [ADDRESS]:PORT\n";
  return filter;
}

/// @param count  ends after so many events; 0: when it is asked to.
int run_trace(const Options& options, const TraceFilter& filter, std::uint64_t count) {
  auto tracer = Tracer::start(find_bpffs(options), filter);
  if (!tracer) {
    std::cerr << "viaductctl: " << tracer.error().message() << "\n";
    if (tracer.error().code == boost::system::errc::device_or_resource_busy)
      std::cerr << "  end it, or wait for it: there is one at a time\n";
    else
      std::cerr << "  run this as root, or name the folder of dataplane.bpffs with --bpffs\n";
    return kFailure;
  }
  if (!options.json) std::cout << trace_heading() << std::flush;
  std::uint64_t shown = 0;
  const auto done = tracer->run([&](const json::object& event) {
    std::cout << (options.json ? json::serialize(event) + "\n" : event_text(event)) << std::flush;
    return ++shown != count;
  });
  if (!done) std::cerr << "viaductctl: " << done.error().message() << "\n";
  std::cerr << "viaductctl: " << summary_text(tracer->summary()) << "\n";
  return done ? kSuccess : kFailure;
}

int run_explain(const Options& options, const std::string& client, const std::string& vip,
                bool udp) {
  const auto question =
      parse_question(client, vip, udp ? base::Protocol::udp : base::Protocol::tcp);
  if (!question) {
    std::cerr << "viaductctl: " << question.error().context << "\n";
    return kFailure;
  }
  const auto answers = explain(options.socket, options.bpffs, *question);
  if (!answers) {
    std::cerr << "viaductctl: " << answers.error().message() << "\n"
              << "  run this as root while viaductd runs or has run, or name the folder of "
                 "dataplane.bpffs with --bpffs\n";
    return kFailure;
  }
  json::array document;
  for (const HookAnswer& answer : *answers) document.push_back(answer_json(answer));
  return print(options, document, [&] { return answers_text(*question, *answers); });
}

int run_doctor(const Options& options) {
  const Facts facts = gather_facts(options.socket, options.bpffs);
  const auto findings = judge(facts);
  print(options, findings_json(findings), [&] { return findings_text(findings); });
  if (!facts.status) return kUnreachable;
  const auto is_fault = [](const Finding& finding) { return finding.level == Level::fault; };
  return std::ranges::any_of(findings, is_fault) ? kFailure : kSuccess;
}

/// The command line: every command with its options and what it calls.
class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.set_version_flag("--version", std::string("viaductctl " VIADUCT_VERSION));
    app_.add_option("-o,--output", output_, "table (for people) or json")
        ->check(CLI::IsMember({"table", "json"}));
    app_.add_option("--socket", options_.socket, "unix socket of viaductd")->capture_default_str();
    app_.add_option("--bpffs", options_.bpffs,
                    "folder of the pinned maps (default: the one viaductd uses)");
    add_services();
    add_names();
    add_traffic();
    add_cluster();
    add("status", "the node at a glance", [this] { return show_status(options_); });
    add("doctor", "checks everything VIPs need and says how to fix what is wrong",
        [this] { return run_doctor(options_); });
    auto* import = app_.add_subcommand("import", "another program's configuration as viaductd's");
    add(import->require_subcommand(1), "mesos-dns", "a config.json of Mesos-DNS",
        [this] { return run_import(wanted_); })
        ->add_option("FILE", wanted_, "the file; - is standard input")
        ->required();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? kSuccess : kFailure;
    }
    options_.json = output_ == "json";
    return chosen_();
  }

 private:
  void add_services() {
    add("vips", "every VIP with its backends' sums", [this] { return show_vips(options_); });
    add("backends", "every backend of every VIP", [this] { return show_backends(options_); });
    auto* vip = add("vip", "one VIP in full", [this] { return show_vip(options_, wanted_); });
    vip->add_option("NAME", wanted_, "name, DNS name or address, with or without a port")
        ->required();
    auto* rows =
        add("rows", "what the sources read", [this] { return show_rows(options_, rejected_); });
    rows->add_flag("--rejected", rejected_, "what could not be used, and why");
  }

  void add_names() {
    auto* dns = add("dns", "how a DNS question is answered, and from what",
                    [this] { return show_dns(options_, wanted_, type_); });
    dns->add_option("NAME", wanted_, "in full, e.g. web.marathon.l4lb.thisdcos.directory")
        ->required();
    dns->add_option("TYPE", type_, "record type")->capture_default_str();
    auto* records = add("records", "every DNS record of this node's zones",
                        [this] { return show_records(options_, wanted_); });
    records->add_option("PART", wanted_, "only names with this in them");
  }

  void add_cluster() {
    add("members", "the cluster as this node sees it", [this] { return show_members(options_); });
    add("leave", "take this node out of the cluster",
        [this] { return tell(options_, "/v1/leave", "", ""); });
    auto* remove = add("force-remove", "declare that a dead node will not come back",
                       [this] { return tell(options_, "/v1/members/remove", "name", wanted_); });
    remove->add_option("NODE", wanted_, "its name")->required();
    auto* keys = app_.add_subcommand(
        "keys", "the cluster's keys; a change is made on every node: install, use, remove");
    keys->require_subcommand(1);
    add(keys, "list", "keys and who has them", [this] { return show_keys(options_); });
    add(keys, "install", "add a key, read from standard input in base64, to this node",
        [this] { return install_key(options_); });
    add(keys, "use", "encrypt with a key that all nodes have",
        [this] { return tell(options_, "/v1/keys/use", "id", wanted_); })
        ->add_option("ID", wanted_, "as keys list shows it")
        ->required();
    add(keys, "remove", "forget a key that no node encrypts with",
        [this] { return tell(options_, "/v1/keys/remove", "id", wanted_); })
        ->add_option("ID", wanted_, "as keys list shows it")
        ->required();
  }

  void add_traffic() {
    auto* flows = add("flows", "connections through VIPs",
                      [this] { return show_flows(options_, filter_, limit_); });
    flows->add_option("--vip", filter_.vip, "only this VIP: ADDRESS or ADDRESS:PORT");
    flows->add_option("--backend", filter_.backend, "only this backend");
    flows->add_option("--client", filter_.client, "only this client");
    flows->add_option("--limit", limit_, "most flows to show; 0: all")->capture_default_str();
    auto* trace = add("trace", "new flows, refusals and drops as they happen", [this] {
      auto filter = find_trace_filter(options_, wanted_);
      if (!filter) return static_cast<int>(kFailure);
      filter->sample_every = sample_every_;
      return run_trace(options_, *filter, count_);
    });
    trace->add_option("VIP", wanted_, "only this VIP: name, ADDRESS or ADDRESS:PORT");
    trace->add_option("--sample", sample_every_, "show one event of so many")
        ->check(CLI::Range(1, 1'000'000));
    trace->add_option("--count", count_, "end after so many events");
    auto* explain = add("explain", "what each hook would do with a flow, and why",
                        [this] { return run_explain(options_, client_, wanted_, udp_); });
    explain->add_option("CLIENT", client_, "ADDRESS or ADDRESS:PORT")->required();
    explain->add_option("VIP", wanted_, "ADDRESS:PORT")->required();
    explain->add_flag("--udp", udp_, "a datagram, instead of a TCP connection");
  }

  CLI::App* add(const std::string& name, const std::string& help, std::function<int()> action) {
    return add(&app_, name, help, std::move(action));
  }

  CLI::App* add(CLI::App* parent, const std::string& name, const std::string& help,
                std::function<int()> action) {
    CLI::App* command = parent->add_subcommand(name, help);
    command->callback([this, action = std::move(action)] { chosen_ = action; });
    return command;
  }

  CLI::App app_{"Shows and explains what Viaduct does on this node."};
  Options options_;
  std::string output_ = "table";
  std::string wanted_;
  std::string type_ = "A";
  bool rejected_ = false;
  FlowFilter filter_;
  std::size_t limit_ = kDefaultFlowLimit;
  std::string client_;
  bool udp_ = false;
  std::uint32_t sample_every_ = 1;
  std::uint64_t count_ = 0;
  std::function<int()> chosen_;
};

}  // namespace

int run(int argc, char** argv) { return CommandLine().run(argc, argv); }

}  // namespace viaduct::ctl
