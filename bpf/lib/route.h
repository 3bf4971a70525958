/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Where a packet of the host goes once its destination is a backend. */
#ifndef VIADUCT_BPF_ROUTE_H
#define VIADUCT_BPF_ROUTE_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>

#include "lib/pkt.h"

static __always_inline void set_neigh(struct pkt *p, const struct bpf_fib_lookup *fib)
{
	p->way = VD_WAY_NEIGH;
	p->neigh_ifindex = fib->ifindex;
	p->neigh = (struct bpf_redir_neigh){.nh_family = fib->family};
	if (fib->family == VD_AF_INET)
		p->neigh.ipv4_nh = fib->ipv4_dst;
	else
		__builtin_memcpy(p->neigh.ipv6_nh, fib->ipv6_dst, sizeof(fib->ipv6_dst));
}

/*
 * A packet that waits for its neighbour's address is sent by the route it carries, which is the
 * VIP's and would bring it back here. No helper drops a route; tunnel metadata takes its place, and
 * only tunnel devices look at that.
 */
static __always_inline void forget_route(struct pkt *p)
{
	__u32 none[2] = {}; /* the shortest bpf_tunnel_key: an id and an IPv4 address */

	bpf_skb_set_tunnel_key(p->skb, (struct bpf_tunnel_key *)none, sizeof(none), 0);
}

/*
 * Step: the way to `to` for a packet that comes in at `from_ifindex`: out of a device, or back into
 * the host if the address is its own. The kernel says the same where no route leads; the host then
 * answers with an ICMP error, which is translated.
 */
static __always_inline enum vd_reason find_route(struct pkt *p, const struct vd_addr *to,
						 __u32 from_ifindex)
{
	struct bpf_fib_lookup fib = {
		.family = p->is_v4 ? VD_AF_INET : VD_AF_INET6,
		.l4_protocol = p->tuple.proto,
		.ifindex = from_ifindex,
	};

	if (p->is_v4) {
		fib.ipv4_src = p->tuple.src.words[3];
		fib.ipv4_dst = to->words[3];
	} else {
		__builtin_memcpy(fib.ipv6_src, &p->tuple.src, sizeof(fib.ipv6_src));
		__builtin_memcpy(fib.ipv6_dst, to, sizeof(fib.ipv6_dst));
	}
	switch (bpf_fib_lookup(p->skb, &fib, sizeof(fib), 0)) {
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		p->way = VD_WAY_HOST;
		return VD_NEXT;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		forget_route(p);
		set_neigh(p, &fib);
		return VD_NEXT;
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		set_neigh(p, &fib);
		return VD_NEXT;
	default:
		return VD_NO_ROUTE;
	}
}

#endif
