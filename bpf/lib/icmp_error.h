/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The step that translates an ICMP error: what a flow's entry would do to source and destination of
 * a packet is done to the quoted packet's destination and source.
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
#include "lib/icmp.h"
#include "lib/icmp_quote.h"
#include "lib/nat.h"
#include "lib/pkt.h"

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
