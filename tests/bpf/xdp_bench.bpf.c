// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * What the XDP bench measures with: the kernel repeats a run on one buffer, so vd_bench_run puts
 * the packet back as it was, may change its client, and then calls the program. vd_bench_none and
 * vd_bench_resize are the measuring itself; vd_bench_floor is the least that a balancer does.
 */
#include <linux/bpf.h>

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/tcp.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_endian.h>

#define SOURCE_AT 26 /* offset of an IPv4 packet's source address */
#define HEAD 64      /* bytes at the packet's begin that are put back */

struct settings {
  __u32 len;         /* of the packet as it shall be */
  __u32 client_mask; /* bits of an IPv4 source address that change from run to run; 0: none */
  __u8 head[HEAD];
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct settings);
} settings SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} target SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, __u64);
} floor_service SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, __u64);
} floor_backend SEC(".maps");

__u32 turn;

SEC("xdp")
int vd_bench_run(struct xdp_md* ctx) {
  __u32 zero = 0, now = ctx->data_end - ctx->data;
  struct settings* s = bpf_map_lookup_elem(&settings, &zero);
  __u8* data;

  if (!s) return XDP_ABORTED;
  if (now != s->len && bpf_xdp_adjust_head(ctx, (int)(now - s->len))) return XDP_ABORTED;
  data = (void*)(long)ctx->data;
  if (data + HEAD > (__u8*)(long)ctx->data_end) return XDP_ABORTED;
  __builtin_memcpy(data, s->head, HEAD);
  if (s->client_mask) *(__u32*)(data + SOURCE_AT) ^= (turn++ * 2654435761U) & s->client_mask;
  bpf_tail_call(ctx, &target, 0);
  return XDP_ABORTED;
}

SEC("xdp")
int vd_bench_none(struct xdp_md* ctx) { return XDP_PASS; }

/* Twice the cost of moving the packet's head: once here, once to put it back. */
SEC("xdp")
int vd_bench_resize(struct xdp_md* ctx) {
  return bpf_xdp_adjust_head(ctx, -20) ? XDP_ABORTED : XDP_PASS;
}

static __always_inline void change(__u16* check, __u32 from, __u32 to) {
  __u32 sum =
      (__u16) ~*check + (~from & 0xffff) + (~from >> 16 & 0xffff) + (to & 0xffff) + (to >> 16);

  sum = (sum & 0xffff) + (sum >> 16);
  *check = ~((sum & 0xffff) + (sum >> 16));
}

/* Parse, a service and a backend looked up by their addresses, new destination, checksums, link. */
SEC("xdp")
int vd_bench_floor(struct xdp_md* ctx) {
  void *data = (void*)(long)ctx->data, *end = (void*)(long)ctx->data_end;
  struct ethhdr* eth = data;
  struct iphdr* ip = (void*)(eth + 1);
  struct tcphdr* tcp = (void*)(ip + 1);
  __u64 key, *service, *link;

  if ((void*)(tcp + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5)
    return XDP_PASS;
  key = (__u64)ip->daddr << 32 | (__u32)tcp->dest << 16 | ip->protocol;
  service = bpf_map_lookup_elem(&floor_service, &key);
  if (!service) return XDP_PASS;
  key = *service;
  link = bpf_map_lookup_elem(&floor_backend, &key);
  if (!link) return XDP_PASS;
  change(&ip->check, ip->daddr, key >> 32);
  change(&tcp->check, ip->daddr, key >> 32);
  change(&tcp->check, tcp->dest, (__u16)key);
  ip->daddr = key >> 32;
  tcp->dest = (__u16)key;
  __builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
  __builtin_memcpy(eth->h_dest, link, ETH_ALEN);
  return XDP_TX;
}

char vd_license[] SEC("license") = "GPL";
