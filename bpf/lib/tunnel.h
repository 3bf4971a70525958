/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * IP in IP (RFC 2003, RFC 2473, RFC 4213), any of the two versions in any: VIP traffic on its way
 * to a backend's machine. For XDP.
 */
#ifndef VIADUCT_BPF_TUNNEL_H
#define VIADUCT_BPF_TUNNEL_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/node.h>
#include <viaduct/abi/reason.h>

#include "lib/xdp_pkt.h"

#include "lib/addr.h"
#include "lib/clock.h"
#include "lib/csum.h"
#include "lib/finish.h"
#include "lib/parse.h"
#include "maps.h"

#define VD_TUNNEL_TTL 64
#define VD_HOP_NS 1000000000 /* the way to a node is looked up again after this time */

/* This machine's own ends of tunnels; all zero: none of that version. */
const volatile __be32 vd_own4 = 0;
const volatile __be32 vd_own6[4] = {};

/* The way to a node, as its last packet found it on this CPU. */
struct vd_hop {
	struct ethhdr eth;
	__u16 mtu;
	__u32 ifindex;
	__u64 found_ns; /* CLOCK_MONOTONIC_COARSE; 0: never */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VD_MAX_NODES);
	__type(key, __u32);
	__type(value, struct vd_hop);
} vd_hop_scratch SEC(".maps");

static __always_inline struct vd_addr own_of(bool is_v4)
{
	if (is_v4)
		return vd_addr_v4(vd_own4);
	return (struct vd_addr){.words = {vd_own6[0], vd_own6[1], vd_own6[2], vd_own6[3]}};
}

static __always_inline void fill_lookup(struct bpf_fib_lookup *fib, const struct vd_addr *to,
					bool is_v4)
{
	struct vd_addr own = own_of(is_v4);

	if (is_v4) {
		fib->family = VD_AF_INET;
		fib->ipv4_src = own.words[3];
		fib->ipv4_dst = to->words[3];
		return;
	}
	fib->family = VD_AF_INET6;
	__builtin_memcpy(fib->ipv6_src, &own, sizeof(own));
	__builtin_memcpy(fib->ipv6_dst, to, sizeof(*to));
}

/* Asks the kernel's routes and neighbours. A function of its own: once a second and CPU. */
__attribute__((noinline)) int find_hop(struct xdp_md *ctx, struct vd_node *n, struct vd_hop *h)
{
	struct bpf_fib_lookup fib = {.ifindex = ctx->ingress_ifindex, .tot_len = 1};
	bool is_v4;

	if (!n || !h)
		return -1;
	is_v4 = vd_addr_is_v4(&n->addr);
	fill_lookup(&fib, &n->addr, is_v4);
	/* With a length the answer has the route's MTU in its place. */
	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return -1;
	__builtin_memcpy(h->eth.h_dest, fib.dmac, ETH_ALEN);
	__builtin_memcpy(h->eth.h_source, fib.smac, ETH_ALEN);
	h->eth.h_proto = is_v4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	h->mtu = fib.mtu_result;
	h->ifindex = fib.ifindex;
	h->found_ns = bpf_ktime_get_coarse_ns();
	return 0;
}

/* @return NULL: nobody knows the way. */
static __always_inline struct vd_hop *hop_to(struct pkt *p, __u32 node_id, struct vd_node *n)
{
	struct vd_hop *h = bpf_map_lookup_elem(&vd_hop_scratch, &node_id);

	if (!h)
		return NULL;
	if (bpf_ktime_get_coarse_ns() - h->found_ns > VD_HOP_NS && find_hop(p->skb, n, h))
		return NULL;
	return h;
}

static __always_inline void write_outer_ipv4(struct iphdr *ip, const struct pkt *p,
					     const struct vd_node *n, __u16 len)
{
	struct iphdr outer = {
		.version = 4,
		.ihl = 5,
		.tot_len = bpf_htons(len),
		.frag_off = bpf_htons(0x4000), /* do not fragment */
		.ttl = VD_TUNNEL_TTL,
		.protocol = p->is_v4 ? IPPROTO_IPIP : IPPROTO_IPV6,
		.saddr = vd_own4,
		.daddr = n->addr.words[3],
	};

	outer.check = vd_csum_end(vd_csum_words(0, (__u32 *)&outer, sizeof(outer) / 4));
	*ip = outer;
}

static __always_inline void write_outer_ipv6(struct ipv6hdr *ip, const struct pkt *p,
					     const struct vd_node *n, __u16 len)
{
	struct vd_addr own = own_of(false);

	*(__be32 *)ip = bpf_htonl(0x60000000);
	ip->payload_len = bpf_htons(len);
	ip->nexthdr = p->is_v4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	ip->hop_limit = VD_TUNNEL_TTL;
	__builtin_memcpy(&ip->saddr, &own, sizeof(own));
	__builtin_memcpy(&ip->daddr, &n->addr, sizeof(n->addr));
}

/* Puts the outer headers in front. Ethernet padding behind the packet goes along. */
static __always_inline enum vd_reason wrap(struct pkt *p, const struct vd_node *n,
					   const struct vd_hop *h, bool outer_v4)
{
	__u32 overhead = outer_v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	__u16 ip_len = p->end - VD_L3;
	struct ethhdr *eth;
	void *ip;

	if (bpf_xdp_adjust_head(p->skb, -(int)overhead))
		return VD_REWRITE_FAILED;
	eth = pkt_at(p, 0, sizeof(*eth) + sizeof(struct ipv6hdr));
	if (!eth)
		return VD_REWRITE_FAILED;
	*eth = h->eth;
	ip = eth + 1;
	if (outer_v4)
		write_outer_ipv4(ip, p, n, ip_len + sizeof(struct iphdr));
	else
		write_outer_ipv6(ip, p, n, ip_len);
	return VD_ENCAPSULATED;
}

/* Step: to the machine of the backend that was picked. */
static __always_inline enum vd_reason encapsulate(struct pkt *p)
{
	__u32 node_id = p->choice.backend->node_id;
	struct vd_node *n = bpf_map_lookup_elem(&vd_node_v1, &node_id);
	struct vd_hop *h = n ? hop_to(p, node_id, n) : NULL;
	bool outer_v4;
	__u32 overhead;

	if (!h)
		return VD_NO_NEIGHBOUR;
	outer_v4 = vd_addr_is_v4(&n->addr);
	overhead = outer_v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	p->mtu = h->mtu - overhead;
	if (p->end - VD_L3 > p->mtu)
		return VD_TOO_BIG;
	p->neigh_ifindex = h->ifindex;
	p->way = h->ifindex == p->skb->ingress_ifindex ? VD_WAY_BACK : VD_WAY_NEIGH;
	return outer_v4 ? wrap(p, n, h, true) : wrap(p, n, h, false);
}

static __always_inline bool is_tunnelled(const struct pkt *p)
{
	return p->tuple.proto == IPPROTO_IPIP || p->tuple.proto == IPPROTO_IPV6;
}

/* Whether the packet is addressed to this machine's end of tunnels. */
static __always_inline bool is_for_us(const struct pkt *p)
{
	struct vd_addr own = own_of(p->is_v4);

	return own.words[3] && vd_addr_equal(&p->tuple.dst, &own);
}

/* Step: takes the outer headers off; the inner packet begins as if it had come so. */
static __always_inline enum vd_reason unwrap(struct pkt *p)
{
	bool inner_v4 = p->tuple.proto == IPPROTO_IPIP;
	__u32 overhead = p->l4 - VD_L3;
	struct ethhdr *eth = pkt_at(p, 0, sizeof(*eth));
	struct ethhdr kept;

	if (!eth || overhead < sizeof(struct iphdr))
		return VD_TRUNCATED;
	kept = *eth;
	kept.h_proto = inner_v4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	if (bpf_xdp_adjust_head(p->skb, overhead))
		return VD_TRUNCATED;
	eth = pkt_at(p, 0, sizeof(*eth));
	if (!eth)
		return VD_REWRITE_FAILED;
	*eth = kept;
	return VD_NEXT;
}

#endif
