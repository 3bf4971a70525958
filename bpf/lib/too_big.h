/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Turns a packet that does not fit into the tunnel into the answer that says what does: ICMP
 * "fragmentation needed" (RFC 1191) or ICMPv6 "packet too big" (RFC 8201), from the VIP to the
 * client. For XDP.
 */
#ifndef VIADUCT_BPF_TOO_BIG_H
#define VIADUCT_BPF_TOO_BIG_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lib/xdp_pkt.h"

#include "lib/csum.h"
#include "lib/icmp.h"

#define VD_ICMP_TTL 64

/* What is quoted: the IP header without more and 8 bytes, so a chain of headers is cut. */
#define VD_QUOTE4 (sizeof(struct iphdr) + VD_QUOTE_L4)
#define VD_QUOTE6 (sizeof(struct ipv6hdr) + VD_QUOTE_L4)

struct vd_too_big4 {
	struct iphdr ip;
	struct vd_icmp icmp;
	__u8 quote[VD_QUOTE4];
};

struct vd_too_big6 {
	struct ipv6hdr ip;
	struct vd_icmp icmp;
	__u8 quote[VD_QUOTE6];
};

static __always_inline struct ethhdr turned(const struct ethhdr *eth)
{
	struct ethhdr out = {.h_proto = eth->h_proto};

	__builtin_memcpy(out.h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(out.h_source, eth->h_dest, ETH_ALEN);
	return out;
}

/*
 * Room for the new headers in front, no more than the quote behind them, and the link addresses
 * turned round.
 */
static __always_inline long make_room(struct pkt *p, __u32 quote, __u32 headers)
{
	int tail = (int)(VD_L3 + quote) - (int)pkt_len(p);
	struct ethhdr *eth = pkt_at(p, 0, sizeof(*eth));
	struct ethhdr answer;

	if (!eth || tail > 0)
		return -1;
	answer = turned(eth);
	if (bpf_xdp_adjust_tail(p->skb, tail) || bpf_xdp_adjust_head(p->skb, -(int)headers))
		return -1;
	eth = pkt_at(p, 0, sizeof(*eth));
	if (!eth)
		return -1;
	*eth = answer;
	return 0;
}

static __always_inline long answer_too_big4(struct pkt *p)
{
	struct vd_too_big4 *out;

	if (make_room(p, VD_QUOTE4, sizeof(struct iphdr) + sizeof(struct vd_icmp)))
		return -1;
	out = pkt_at(p, VD_L3, sizeof(*out));
	if (!out)
		return -1;
	out->ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = bpf_htons(sizeof(*out)),
		.ttl = VD_ICMP_TTL,
		.protocol = IPPROTO_ICMP,
		.saddr = p->tuple.dst.words[3],
		.daddr = p->tuple.src.words[3],
	};
	out->ip.check = vd_csum_end(vd_csum_words(0, (__u32 *)&out->ip, sizeof(out->ip) / 4));
	out->icmp = (struct vd_icmp){
		.type = VD_ICMP_UNREACHABLE,
		.code = VD_ICMP_FRAGMENTATION_NEEDED,
		.rest = bpf_htonl(p->mtu),
	};
	out->icmp.check = vd_csum_end(vd_csum_words(0, (__u32 *)&out->icmp,
						    (sizeof(out->icmp) + sizeof(out->quote)) / 4));
	return 0;
}

static __always_inline long answer_too_big6(struct pkt *p)
{
	__u16 len = sizeof(struct vd_icmp) + VD_QUOTE6;
	struct vd_too_big6 *out;
	__u64 sum;

	if (make_room(p, VD_QUOTE6, sizeof(struct ipv6hdr) + sizeof(struct vd_icmp)))
		return -1;
	out = pkt_at(p, VD_L3, sizeof(*out));
	if (!out)
		return -1;
	out->ip = (struct ipv6hdr){
		.version = 6,
		.payload_len = bpf_htons(len),
		.nexthdr = IPPROTO_ICMPV6,
		.hop_limit = VD_ICMP_TTL,
	};
	__builtin_memcpy(&out->ip.saddr, &p->tuple.dst, sizeof(p->tuple.dst));
	__builtin_memcpy(&out->ip.daddr, &p->tuple.src, sizeof(p->tuple.src));
	out->icmp = (struct vd_icmp){.type = VD_ICMP6_TOO_BIG, .rest = bpf_htonl(p->mtu)};
	sum = (__u64)bpf_htons(IPPROTO_ICMPV6) + bpf_htons(len);
	sum = vd_csum_words(sum, (__u32 *)&out->ip.saddr, 8);
	out->icmp.check = vd_csum_end(vd_csum_words(sum, (__u32 *)&out->icmp,
						    (sizeof(out->icmp) + sizeof(out->quote)) / 4));
	return 0;
}

/* @return 0: the packet is now its own answer; else nothing may be sent. */
static __always_inline long answer_too_big(struct pkt *p)
{
	return p->is_v4 ? answer_too_big4(p) : answer_too_big6(p);
}

#endif
