/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * ICMP errors (RFC 792, RFC 4443) about a packet of a flow. The error travels the other way than
 * the packet that it quotes, so the quoted tuple, reversed, is a tuple of the error's own
 * direction.
 */
#ifndef VIADUCT_BPF_ICMP_QUOTE_H
#define VIADUCT_BPF_ICMP_QUOTE_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>

#include "lib/finish.h"
#include "lib/icmp.h"
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

#endif
