#include "tools/viaductctl/io/explain.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <viaduct/abi/reason.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/io/fd.h"
#include "dataplane/io/explain_programs.h"
#include "dataplane/io/maps.h"
#include "tools/viaductctl/doctor.h"
#include "tools/viaductctl/io/facts.h"

namespace viaduct::ctl {
namespace {

constexpr std::size_t kRoomForAnswer = 512;  // a refusal may be longer than what it refuses

vd_addr to_abi(const base::Address& address) {
  vd_addr raw{};
  std::ranges::copy(address.mapped(), raw.bytes);
  return raw;
}

/// Of the namespace that this process is in; 0 before Linux 5.14.
std::uint64_t netns_cookie() {
  constexpr int kSoNetnsCookie = 71;  // SO_NETNS_COOKIE, which Debian 12's headers do not have yet
  const base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::uint64_t cookie = 0;
  socklen_t length = sizeof(cookie);
  getsockopt(fd.get(), SOL_SOCKET, kSoNetnsCookie, &cookie, &length);
  return cookie;
}

/// The pinned copies and the map that they answer in, for one process at a time.
class Asking {
 public:
  static base::Result<Asking> start(const std::string& bpffs) {
    Asking asking;
    asking.folder_ = bpffs + "/programs/";
    asking.lock_ = base::Fd(::open(asking.folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!asking.lock_) return base::from_errno(errno, "open " + asking.folder_);
    if (flock(asking.lock_.get(), LOCK_EX) != 0)
      return base::from_errno(errno, "lock " + asking.folder_);
    const std::string map = bpffs + "/vd_explain_v1";
    asking.map_ = base::Fd(bpf_obj_get(map.c_str()));
    if (!asking.map_) return base::from_errno(errno, "open pinned map " + map);
    return asking;
  }

  base::Result<vd_explanation> run(const char* name, bpf_test_run_opts& options) const {
    const std::string path = folder_ + name;
    const base::Fd program(bpf_obj_get(path.c_str()));
    if (!program) return base::from_errno(errno, "open " + path);
    const std::uint32_t zero = 0;
    vd_explanation said{};
    if (const int rc = bpf_map_update_elem(map_.get(), &zero, &said, BPF_ANY); rc != 0)
      return base::from_errno(rc, "write vd_explain_v1");
    if (const int rc = bpf_prog_test_run_opts(program.get(), &options); rc != 0)
      return base::from_errno(rc, "run " + path);
    if (const int rc = bpf_map_lookup_elem(map_.get(), &zero, &said); rc != 0)
      return base::from_errno(rc, "read vd_explain_v1");
    return said;
  }

  base::Result<vd_explanation> connect(const Question& question) const {
    vd_explain_call call{};
    call.addr = to_abi(question.vip.address);
    call.port = htons(question.vip.port);
    call.proto = static_cast<__u8>(question.protocol);
    call.netns_cookie = netns_cookie();
    LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &call, .ctx_size_in = sizeof(call));
    return run(dataplane::kExplainSocket, options);
  }

  /// @param uplink  device that the XDP program receives the packet from; 0 for other programs.
  base::Result<vd_explanation> send(const char* name, const Question& question, bool is_ack,
                                    std::uint32_t uplink) const {
    const auto in = packet_of(question, is_ack);
    std::vector<std::uint8_t> out(in.size() + kRoomForAnswer);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in.data(), .data_out = out.data(),
                .data_size_in = static_cast<__u32>(in.size()),
                .data_size_out = static_cast<__u32>(out.size()));
    xdp_md context{};
    context.data_end = options.data_size_in;
    context.ingress_ifindex = uplink;
    if (uplink != 0) {
      options.ctx_in = &context;
      options.ctx_size_in = sizeof(context);
    }
    return run(name, options);
  }

  /// A connection that is known goes on with an ACK; any other begins with a SYN.
  base::Result<vd_explanation> packet(const char* name, const Question& question,
                                      std::uint32_t uplink = 0) const {
    if (question.port_given && question.protocol == base::Protocol::tcp) {
      auto known = send(name, question, true, uplink);
      if (!known || known->found == VD_FOUND_FLOW || known->reason == VD_BACKEND_GONE) return known;
    }
    return send(name, question, false, uplink);
  }

 private:
  std::string folder_;
  base::Fd lock_;
  base::Fd map_;
};

/// Why the socket hook does not meet the question's system call; empty: it does.
std::string missing_socket_hook(const Facts& facts, const Question& question) {
  if (!facts.cgroup) return "no cgroup v2 is mounted";
  if (const auto why = lacking(facts, "socket hooks")) return *why;
  const bool v4 = question.vip.address.is_v4();
  const auto pin = facts.sock_pins.find(v4 ? "connect4" : "connect6");
  return pin == facts.sock_pins.end() ? "no link" : pin->second;
}

std::string missing_container_hook(const Facts& facts) {
  std::vector<std::string> bare;
  bool any = false;
  for (const LinkFacts& link : facts.links) {
    const auto matches = [&](const std::string& pattern) {
      return link.name != facts.link && matches_pattern(link.name, pattern);
    };
    if (std::ranges::none_of(facts.container_links, matches)) continue;
    any = true;
    if (!link.programs.contains("ingress")) bare.push_back(link.name);
  }
  if (!any) return "there is no container link";
  return bare.empty() ? "" : "no program on " + some_of(bare);
}

std::string missing_host_hook(const Facts& facts) {
  const auto link = std::ranges::find(facts.links, facts.link, &LinkFacts::name);
  if (link == facts.links.end()) return "there is no device " + facts.link;
  return link->programs.contains("egress") ? "" : "no program on " + facts.link;
}

constexpr const char* kNoUplink =
    "there is no uplink: no default route, and dataplane.uplinks names none";

std::string missing_uplink_hook(const Facts& facts) {
  const bool any = std::ranges::any_of(
      facts.links, [&](const LinkFacts& link) { return is_uplink(facts, link); });
  return any ? "" : kNoUplink;
}

/// The uplink that the XDP program is asked about: one that has it, if any does.
const LinkFacts* tunnel_uplink(const Facts& facts) {
  const LinkFacts* found = nullptr;
  for (const LinkFacts& link : facts.links)
    if (is_uplink(facts, link) && (!found || found->tunnel_program.empty())) found = &link;
  return found;
}

/// Why viaductd did not attach the XDP program there, as it told.
std::string why_no_tunnel(const Facts& facts, const LinkFacts& uplink) {
  auto why = lacking(facts, "tunnel program");
  if (!why) why = lacking(facts, "xdp on " + uplink.name);
  return uplink.name + ": " + why.value_or("viaductd does not say why");
}

std::string missing_tunnel_hook(const Facts& facts, const LinkFacts* uplink) {
  if (!uplink) return kNoUplink;
  return uplink->tunnel_program.empty() ? why_no_tunnel(facts, *uplink) : "";
}

}  // namespace

base::Result<std::vector<HookAnswer>> explain(const std::string& socket,
                                              const std::optional<std::string>& bpffs,
                                              const Question& question) {
  const Facts facts = gather_attachments(socket, bpffs);
  auto asking = Asking::start(facts.bpffs);
  if (!asking) return asking.error();
  const auto maps = dataplane::Maps::open(facts.bpffs, dataplane::Access::read);
  if (!maps) return maps.error();
  std::vector<HookAnswer> answers;
  const auto add = [&](const char* hook, const std::string& who, std::string not_attached,
                       const base::Result<vd_explanation>& said) {
    HookAnswer answer{hook, who, std::move(not_attached)};
    if (!said) {
      answer.error = said.error().message();
    } else {
      answer.said = *said;
      answer.open = maps->load(said->backend_id).open;
      const bool first = said->compared[0] != said->backend_id;
      answer.open_compared = maps->load(said->compared[first ? 0 : 1]).open;
      if (const auto node = maps->node_of(said->backend_id)) answer.node = node->to_string();
    }
    answers.push_back(std::move(answer));
  };
  add("socket", "connect() and sendmsg() of processes in " + facts.cgroup.value_or("a cgroup v2"),
      missing_socket_hook(facts, question), asking->connect(question));
  add("container", "packets of a container that no socket hook saw", missing_container_hook(facts),
      asking->packet(dataplane::kExplainRequest, question));
  add("host", "packets of this host that no socket hook saw, at " + facts.link,
      missing_host_hook(facts), asking->packet(dataplane::kExplainHost, question));
  const LinkFacts* uplink = tunnel_uplink(facts);
  const std::string at = uplink ? uplink->name : "an uplink";
  add("xdp",
      "packets of other machines at " + at +
          (uplink && !uplink->tunnel_program.empty() ? ", " + uplink->tunnel_program + " XDP" : ""),
      missing_tunnel_hook(facts, uplink),
      asking->packet(dataplane::kExplainXdp, question,
                     uplink ? ::if_nametoindex(uplink->name.c_str()) : 0));
  add("uplink", "packets of other machines at " + at + " that XDP leaves, or takes out of a tunnel",
      missing_uplink_hook(facts), asking->packet(dataplane::kExplainUplink, question));
  return answers;
}

}  // namespace viaduct::ctl
