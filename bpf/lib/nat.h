/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The step that rewrites addresses and ports. */
#ifndef VIADUCT_BPF_NAT_H
#define VIADUCT_BPF_NAT_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>

#include "lib/csum.h"
#include "lib/pkt.h"

/*
 * bpf_l4_csum_replace: the packet has no checksummed IP header, so an address and the transport
 * checksum cancel out in skb->csum. Since Linux 6.16 and stable kernels of 2025; the UAPI of Linux
 * 6.1.0 has no name for it.
 */
#define VD_F_CSUM_IPV6 (1ULL << 7)

static __always_inline __u64 addr_diff(const struct pkt *p)
{
	__u64 sum;

	if (p->is_v4) {
		sum = vd_csum_swap(0, p->tuple.src.words[3], p->nat.src.words[3]);
		return vd_csum_swap(sum, p->tuple.dst.words[3], p->nat.dst.words[3]);
	}
	sum = vd_csum_swap_addr(0, &p->tuple.src, &p->nat.src);
	return vd_csum_swap_addr(sum, &p->tuple.dst, &p->nat.dst);
}

static __always_inline __u64 port_diff(const struct pkt *p)
{
	__u64 sum = vd_csum_swap(0, p->tuple.sport, p->nat.sport);

	return vd_csum_swap(sum, p->tuple.dport, p->nat.dport);
}

static __always_inline long replace_pseudo(struct pkt *p, __u32 field, __u32 diff, __u64 flags)
{
	long rc;

	flags |= BPF_F_PSEUDO_HDR;
	if (p->is_v4)
		return bpf_l4_csum_replace(p->skb, field, 0, diff, flags);
	rc = bpf_l4_csum_replace(p->skb, field, 0, diff, flags | VD_F_CSUM_IPV6);
	if (rc == -EINVAL)
		rc = bpf_l4_csum_replace(p->skb, field, 0, diff, flags);
	return rc;
}

/* Addresses count in the pseudo header, which offloaded checksums hold already; ports do not. */
static __always_inline long replace_l4_csum(struct pkt *p, __u32 addrs)
{
	bool is_tcp = p->tuple.proto == IPPROTO_TCP;
	__u32 field = p->l4 + (is_tcp ? __builtin_offsetof(struct tcphdr, check)
				      : __builtin_offsetof(struct udphdr, check));
	__u64 flags = is_tcp ? 0 : BPF_F_MARK_MANGLED_0; /* UDP: 0 means none and stays */
	long rc = replace_pseudo(p, field, addrs, flags);

	if (rc || (p->tuple.sport == p->nat.sport && p->tuple.dport == p->nat.dport))
		return rc;
	return bpf_l4_csum_replace(p->skb, field, 0, vd_csum_fold32(port_diff(p)), flags);
}

static __always_inline long store_addrs(struct pkt *p, __u32 addrs)
{
	__be32 pair[2] = {p->nat.src.words[3], p->nat.dst.words[3]};
	long rc;

	if (!p->is_v4)
		return bpf_skb_store_bytes(p->skb,
					   VD_L3 + __builtin_offsetof(struct ipv6hdr, saddr),
					   &p->nat.src, sizeof(p->nat.src) + sizeof(p->nat.dst), 0);
	rc = bpf_l3_csum_replace(p->skb, VD_L3 + __builtin_offsetof(struct iphdr, check), 0, addrs,
				 0);
	if (rc)
		return rc;
	return bpf_skb_store_bytes(p->skb, VD_L3 + __builtin_offsetof(struct iphdr, saddr), pair,
				   sizeof(pair), 0);
}

/*
 * Step: the packet's tuple becomes p->nat. Right for offloaded checksums and GSO too. The checksum
 * of a datagram in fragments is in the first one and covers them all.
 */
static __always_inline enum vd_reason rewrite_packet(struct pkt *p)
{
	__u32 addrs = vd_csum_fold32(addr_diff(p));

	if (p->fragment == VD_FRAGMENT_LATER)
		return store_addrs(p, addrs) ? VD_REWRITE_FAILED : VD_NEXT;
	if (replace_l4_csum(p, addrs) || store_addrs(p, addrs))
		return VD_REWRITE_FAILED;
	if (bpf_skb_store_bytes(p->skb, p->l4, &p->nat.sport, sizeof(__be32), 0))
		return VD_REWRITE_FAILED;
	return VD_NEXT;
}

#endif
