#include "tools/viaductctl/io/sockets.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>
#include <viaduct/abi/flow.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/io/fd.h"
#include "sock_flows.skel.h"
#include "tools/viaductctl/io/clock.h"

namespace viaduct::ctl {
namespace {

/// Flows taken from the kernel at a time.
constexpr std::size_t kBatch = 256;

/// Reads records until the iterator ends; one may arrive in parts.
base::Result<void> read_records(int fd, FlowList& list) {
  const std::uint32_t now_s = coarse_seconds();
  std::array<char, kBatch * sizeof(vd_sock_flow)> buffer;
  std::size_t held = 0;
  while (true) {
    const ssize_t got = ::read(fd, buffer.data() + held, buffer.size() - held);
    // The kernel pauses after a million sockets.
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return base::from_errno(errno, "read the sockets");
    if (got == 0) return {};
    held += static_cast<std::size_t>(got);
    std::size_t at = 0;
    for (; held - at >= sizeof(vd_sock_flow); at += sizeof(vd_sock_flow)) {
      vd_sock_flow flow;
      std::memcpy(&flow, buffer.data() + at, sizeof(flow));
      list.add(socket_flow(flow, now_s));
    }
    std::memmove(buffer.data(), buffer.data() + at, held - at);
    held -= at;
  }
}

}  // namespace

base::Result<void> read_socket_flows(const std::string& bpffs, FlowList& list) {
  const std::string path = bpffs + "/vd_sock_v1";
  const base::Fd map(bpf_obj_get(path.c_str()));
  if (!map) return base::from_errno(errno, "open pinned map " + path);
  const std::unique_ptr<sock_flows, void (*)(sock_flows*)> program(sock_flows::open_and_load(),
                                                                   sock_flows::destroy);
  if (!program) return base::from_errno(errno, "load the iterator over sockets");
  bpf_iter_link_info info{};
  info.map.map_fd = static_cast<__u32>(map.get());
  LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof(info));
  const std::unique_ptr<bpf_link, int (*)(bpf_link*)> link(
      bpf_program__attach_iter(program->progs.vd_sock_flows, &options), bpf_link__destroy);
  if (!link) return base::from_errno(errno, "attach the iterator over sockets");
  const base::Fd fd(bpf_iter_create(bpf_link__fd(link.get())));
  if (!fd) return base::from_errno(errno, "start the iterator over sockets");
  return read_records(fd.get(), list);
}

}  // namespace viaduct::ctl
