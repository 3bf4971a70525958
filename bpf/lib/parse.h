/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Steps that read headers. Whoever lies about a length is left to the kernel, which drops. */
#ifndef VIADUCT_BPF_PARSE_H
#define VIADUCT_BPF_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/limits.h>
#include <viaduct/abi/reason.h>

#include "lib/addr.h"
#include "lib/finish.h"
#include "lib/pkt.h"

#define VD_TCP_FIN 0x01
#define VD_TCP_SYN 0x02
#define VD_TCP_RST 0x04
#define VD_TCP_ACK 0x10
#define VD_IP_MF 0x2000 /* more fragments */
#define VD_IP_OFFSET 0x1fff /* of a fragment, in units of 8 bytes */
#define VD_IP6_OFFSET 0xfff8 /* the same in an IPv6 fragment header */

/* RFC 8200, 4.5 */
struct vd_ipv6_fragment {
	__u8 nexthdr;
	__u8 reserved;
	__be16 offset; /* and flags */
	__be32 id;
};

/* Sets the end of the IP packet. A length of 0 is a GSO packet of more than 64 KiB (BIG TCP). */
static __always_inline enum vd_reason set_end(struct pkt *p, __u32 ip_len, bool jumbo)
{
	p->end = VD_L3 + ip_len;
	if (jumbo && pkt_is_gso(p))
		p->end = pkt_len(p);
	return p->end <= pkt_len(p) ? VD_NEXT : VD_TRUNCATED;
}

static __always_inline enum vd_reason parse_ipv4(struct pkt *p)
{
	struct iphdr *ip = pkt_at(p, VD_L3, sizeof(*ip));

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return VD_TRUNCATED;
	p->is_v4 = true;
	p->tuple.src = vd_addr_v4(ip->saddr);
	p->tuple.dst = vd_addr_v4(ip->daddr);
	p->tuple.proto = ip->protocol;
	p->l4 = VD_L3 + ip->ihl * 4;
	if (ip->frag_off & bpf_htons(VD_IP_MF | VD_IP_OFFSET)) {
		p->fragment = ip->frag_off & bpf_htons(VD_IP_OFFSET) ? VD_FRAGMENT_LATER
								     : VD_FRAGMENT_FIRST;
		p->fragment_id = ip->id;
	}
	return set_end(p, bpf_ntohs(ip->tot_len), ip->tot_len == 0);
}

static __always_inline bool is_ipv6_ext(__u8 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS;
}

/* Atomic fragments (RFC 6946) have all and need no care. */
static __always_inline enum vd_reason skip_ipv6_fragment(struct pkt *p)
{
	struct vd_ipv6_fragment *f = pkt_at(p, p->l4, sizeof(*f));

	if (!f)
		return VD_TRUNCATED;
	p->tuple.proto = f->nexthdr;
	p->fragment_id = f->id;
	if (f->offset & bpf_htons(VD_IP6_OFFSET))
		p->fragment = VD_FRAGMENT_LATER;
	else if (f->offset & bpf_htons(1)) /* more fragments */
		p->fragment = VD_FRAGMENT_FIRST;
	p->l4 += sizeof(*f);
	return is_ipv6_ext(p->tuple.proto) ? VD_FRAGMENT : VD_NEXT;
}

/* Steps over extension headers that do not hide the ports. */
static __always_inline enum vd_reason skip_ipv6_ext(struct pkt *p)
{
	for (int i = 0; i < VD_IPV6_EXT_MAX; i++) {
		struct ipv6_opt_hdr *ext;

		if (!is_ipv6_ext(p->tuple.proto))
			break;
		ext = pkt_at(p, p->l4, sizeof(*ext));
		if (!ext)
			return VD_TRUNCATED;
		p->tuple.proto = ext->nexthdr;
		p->l4 += (ext->hdrlen + 1) * 8;
	}
	return p->tuple.proto == IPPROTO_FRAGMENT ? skip_ipv6_fragment(p) : VD_NEXT;
}

static __always_inline enum vd_reason parse_ipv6(struct pkt *p)
{
	struct ipv6hdr *ip = pkt_at(p, VD_L3, sizeof(*ip));

	if (!ip || ip->version != 6)
		return VD_TRUNCATED;
	__builtin_memcpy(&p->tuple.src, &ip->saddr, sizeof(p->tuple.src));
	__builtin_memcpy(&p->tuple.dst, &ip->daddr, sizeof(p->tuple.dst));
	p->tuple.proto = ip->nexthdr;
	p->l4 = VD_L3 + sizeof(*ip);
	VD_TRY(set_end(p, sizeof(*ip) + bpf_ntohs(ip->payload_len), ip->payload_len == 0));
	return skip_ipv6_ext(p);
}

static __always_inline enum vd_reason parse_l3(struct pkt *p)
{
	struct ethhdr *eth = pkt_at(p, 0, sizeof(*eth));

	if (!eth)
		return VD_NOT_IP;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return parse_ipv4(p);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(p);
	return VD_NOT_IP;
}

static __always_inline enum vd_reason parse_tcp(struct pkt *p)
{
	struct tcphdr *tcp = pkt_at(p, p->l4, sizeof(*tcp));

	if (!tcp || tcp->doff < 5 || p->l4 + tcp->doff * 4 > p->end)
		return VD_TRUNCATED;
	p->tuple.sport = tcp->source;
	p->tuple.dport = tcp->dest;
	p->tcp_flags = ((__u8 *)tcp)[13];
	return VD_NEXT;
}

static __always_inline enum vd_reason parse_udp(struct pkt *p)
{
	struct udphdr *udp = pkt_at(p, p->l4, sizeof(*udp));

	if (!udp || p->l4 + sizeof(*udp) > p->end)
		return VD_TRUNCATED;
	p->tuple.sport = udp->source;
	p->tuple.dport = udp->dest;
	return VD_NEXT;
}

static __always_inline enum vd_reason parse_l4(struct pkt *p)
{
	if (p->tuple.proto == IPPROTO_TCP)
		return parse_tcp(p);
	if (p->tuple.proto == IPPROTO_UDP)
		return parse_udp(p);
	return VD_NOT_L4;
}

#endif
