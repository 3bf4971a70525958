#include "dataplane/io/socket_flows.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "sock_flows.skel.h"

namespace viaduct::dataplane {
namespace {

/// Sockets taken from the kernel at a time.
constexpr std::size_t kBatch = 256;

}  // namespace

base::Result<SocketFlows> SocketFlows::open(const std::string& bpffs) {
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
  base::Fd fd(fcntl(bpf_link__fd(link.get()), F_DUPFD_CLOEXEC, 0));
  if (!fd) return base::from_errno(errno, "keep the iterator over sockets");
  return SocketFlows(std::move(fd));
}

base::Result<void> SocketFlows::read(const std::function<void(const vd_sock_flow&)>& see) const {
  const base::Fd fd(bpf_iter_create(link_.get()));
  if (!fd) return base::from_errno(errno, "start the iterator over sockets");
  std::array<char, kBatch * sizeof(vd_sock_flow)> buffer;
  std::size_t held = 0;  // one may arrive in parts
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer.data() + held, buffer.size() - held);
    // The kernel pauses after a million sockets.
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return base::from_errno(errno, "read the sockets");
    if (got == 0) return {};
    held += static_cast<std::size_t>(got);
    std::size_t at = 0;
    for (; held - at >= sizeof(vd_sock_flow); at += sizeof(vd_sock_flow)) {
      vd_sock_flow flow;
      std::memcpy(&flow, buffer.data() + at, sizeof(flow));
      see(flow);
    }
    std::memmove(buffer.data(), buffer.data() + at, held - at);
    held -= at;
  }
}

}  // namespace viaduct::dataplane
