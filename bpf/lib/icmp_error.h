/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * ICMP errors (RFC 792, RFC 4443) about a packet of a known flow. The error travels the other way
 * than the packet that it quotes, so the quoted tuple, reversed, finds the entry whose direction is
 * the error's own; what the entry would do to source and destination of a packet is done to the
 * quoted packet's destination and source.
 */
#ifndef VIADUCT_BPF_ICMP_ERROR_H
#define VIADUCT_BPF_ICMP_ERROR_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>

#include "lib/csum.h"
#include "lib/finish.h"
#include "lib/icmp.h"
#include "lib/nat.h"
#include "lib/parse.h"
#include "lib/pkt.h"

static __always_inline bool is_icmp(const struct pkt *p)
{
	return p->tuple.proto == (p->is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static __always_inline enum vd_reason read_icmp_type(struct pkt *p)
{
	struct vd_icmp *icmp = pkt_at(p, p->l4, sizeof(*icmp));

	if (!icmp || p->l4 + sizeof(*icmp) > p->end)
		return VD_TRUNCATED;
	p->icmp_type = icmp->type;
	return VD_NEXT;
}

/* A redirect (5) speaks of the way and not of the flow. */
static __always_inline bool is_icmp_error(const struct pkt *p)
{
	if (!p->is_v4)
		return p->icmp_type < VD_ICMP6_ECHO;
	return p->icmp_type == VD_ICMP_UNREACHABLE || p->icmp_type == VD_ICMP_TIME_EXCEEDED ||
	       p->icmp_type == VD_ICMP_PARAMETER;
}

/* Sets the quoted addresses, reversed, and where the quoted ports are. */
static __always_inline enum vd_reason read_quoted_ipv4(struct pkt *p)
{
	struct iphdr *ip = pkt_at(p, p->quoted, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return VD_TRUNCATED;
	if (ip->frag_off & bpf_htons(0x1fff)) /* a later fragment has no ports */
		return VD_NOT_L4;
	p->tuple.src = vd_addr_v4(ip->daddr);
	p->tuple.dst = vd_addr_v4(ip->saddr);
	p->tuple.proto = ip->protocol;
	p->quoted_l4 = p->quoted + ip->ihl * 4;
	return VD_NEXT;
}

static __always_inline enum vd_reason read_quoted_ipv6(struct pkt *p)
{
	struct ipv6hdr *ip = pkt_at(p, p->quoted, sizeof(*ip));

	if (!ip || ip->version != 6)
		return VD_TRUNCATED;
	__builtin_memcpy(&p->tuple.src, &ip->daddr, sizeof(p->tuple.src));
	__builtin_memcpy(&p->tuple.dst, &ip->saddr, sizeof(p->tuple.dst));
	p->tuple.proto = ip->nexthdr;
	p->quoted_l4 = p->quoted + sizeof(*ip);
	return VD_NEXT;
}

/* Step: an ICMP error takes the tuple of the flow it speaks of, in the direction it travels. */
static __always_inline enum vd_reason parse_icmp_error(struct pkt *p)
{
	struct vd_addr receiver = p->tuple.dst;
	__be16 *ports;

	if (!is_icmp(p))
		return VD_NOT_L4;
	VD_TRY(read_icmp_type(p));
	if (!is_icmp_error(p))
		return VD_NOT_L4;
	p->quoted = p->l4 + sizeof(struct vd_icmp);
	p->sender = p->tuple.src;
	VD_TRY(p->is_v4 ? read_quoted_ipv4(p) : read_quoted_ipv6(p));
	ports = pkt_at(p, p->quoted_l4, 2 * sizeof(*ports));
	if (!ports || p->quoted_l4 + VD_QUOTE_L4 > p->end)
		return VD_TRUNCATED;
	p->tuple.sport = ports[1];
	p->tuple.dport = ports[0];
	if (p->tuple.proto != IPPROTO_TCP && p->tuple.proto != IPPROTO_UDP)
		return VD_NOT_L4;
	return vd_addr_equal(&receiver, &p->tuple.dst) ? VD_NEXT : VD_NOT_L4;
}

/* The quoted packet as its sender knows it. Its transport checksum stays: it may be cut off. */
static __always_inline long rewrite_quote(struct pkt *p)
{
	__be16 ports[2] = {p->nat.dport, p->nat.sport};
	__be32 pair[2] = {p->nat.dst.words[3], p->nat.src.words[3]};
	__u32 at = p->quoted;

	if (bpf_skb_store_bytes(p->skb, p->quoted_l4, ports, sizeof(ports), 0))
		return -1;
	if (p->is_v4)
		return bpf_l3_csum_replace(p->skb, at + __builtin_offsetof(struct iphdr, check), 0,
					   vd_csum_fold32(addr_diff(p)), 0) ||
		       bpf_skb_store_bytes(p->skb, at + __builtin_offsetof(struct iphdr, saddr),
					   pair, sizeof(pair), 0);
	return bpf_skb_store_bytes(p->skb, at + __builtin_offsetof(struct ipv6hdr, saddr),
				   &p->nat.dst, sizeof(p->nat.dst), 0) ||
	       bpf_skb_store_bytes(p->skb, at + __builtin_offsetof(struct ipv6hdr, daddr),
				   &p->nat.src, sizeof(p->nat.src), 0);
}

/*
 * The peer appears under the name that the receiver knows. A router keeps its own, unless the error
 * enters the host through viaduct0, where reverse path filters take nothing but a VIP.
 */
static __always_inline struct vd_addr new_sender(const struct pkt *p)
{
	bool is_peer = vd_addr_equal(&p->sender, &p->tuple.src);

	return is_peer || p->way == VD_WAY_HOST ? p->nat.src : p->sender;
}

/*
 * The quoted IPv4 header and its checksum cancel out in the ICMP checksum. IPv6 counts the quoted
 * addresses, and those of the packet in the pseudo header.
 */
static __always_inline enum vd_reason rewrite_icmp_error(struct pkt *p)
{
	struct vd_addr sender = new_sender(p);
	__u64 outer = vd_csum_swap_addr(0, &p->sender, &sender);
	__u64 sum = port_diff(p);

	outer = vd_csum_swap_addr(outer, &p->tuple.dst, &p->nat.dst);
	if (!p->is_v4)
		sum += outer + addr_diff(p);
	if (rewrite_quote(p) ||
	    bpf_l4_csum_replace(p->skb, p->l4 + __builtin_offsetof(struct vd_icmp, check), 0,
				vd_csum_fold32(sum), 0))
		return VD_REWRITE_FAILED;
	p->nat.src = sender;
	return store_addrs(p, vd_csum_fold32(outer)) ? VD_REWRITE_FAILED : VD_NEXT;
}

#endif
