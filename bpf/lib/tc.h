/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the tc programs share: steps along a flow, and the ways out. */
#ifndef VIADUCT_BPF_TC_H
#define VIADUCT_BPF_TC_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/reason.h>

#include "lib/dry.h"
#include "lib/event.h"
#include "lib/finish.h"
#include "lib/flow.h"
#include "lib/fragment.h"
#include "lib/icmp_error.h"
#include "lib/nat.h"
#include "lib/parse.h"
#include "lib/pkt.h"
#include "lib/refuse.h"
#include "lib/select.h"
#include "maps.h"

const volatile __u32 vd_viaduct0_ifindex = 0;
const volatile __u8 vd_viaduct0_mac[ETH_ALEN] = {};

/* Step: ports from the packet itself, from its first fragment, or from the packet that an ICMP
 * error quotes. */
static __always_inline enum vd_reason parse_ports(struct pkt *p)
{
	enum vd_reason reason;

	if (p->fragment == VD_FRAGMENT_LATER)
		return find_ports(p);
	reason = parse_l4(p);
	return reason == VD_NOT_L4 ? parse_icmp_error(p) : reason;
}

static __always_inline enum vd_reason rewrite(struct pkt *p)
{
	return p->quoted ? rewrite_icmp_error(p) : rewrite_packet(p);
}

static __always_inline bool is_known(const struct pkt *p)
{
	return p->nat.backend_id != 0;
}

/*
 * Step: a known request goes where it went. TCP cannot move to another backend, so its client is
 * told; a new connection on the same ports, and UDP, are picked anew.
 */
static __always_inline enum vd_reason follow_request(struct pkt *p, struct vd_flow *f)
{
	struct vd_backend *b = vd_backend_kept(f->backend_id, f->backend_generation);
	bool usable = b;

	if (p->quoted) {
		p->nat = *f;
		return VD_NEXT;
	}
	if (p->tuple.proto == IPPROTO_UDP)
		usable = b && p->now_s - f->last_seen_s <= VD_UDP_IDLE_S;
	else if (is_syn(p))
		usable = b && b->weight != 0;
	else if (!b)
		return VD_BACKEND_GONE;
	if (usable)
		use_flow(p, f);
	else
		forget_flow(p, f);
	return VD_NEXT;
}

static __always_inline enum vd_reason follow_reply(struct pkt *p, struct vd_flow *f,
						   enum vd_way way)
{
	use_flow(p, f);
	p->way = way;
	if (p->fragment == VD_FRAGMENT_FIRST)
		keep_ports(&p->tuple, p->fragment_id);
	VD_TRY(rewrite(p));
	return p->quoted ? VD_ICMP_FORWARDED : VD_REPLIED;
}

static __always_inline enum vd_reason find_service(struct pkt *p)
{
	p->choice.service = vd_find_service(&p->tuple.dst, p->tuple.dport, p->tuple.proto);
	return p->choice.service ? VD_NEXT : VD_NOT_VIP;
}

static __always_inline enum vd_reason pick_backend(struct pkt *p)
{
	__u8 pick = p->choice.service->packet_pick;

	if (pick == VD_PICK_SOURCE)
		p->choice.hash = vd_hash_client(&p->tuple.src, &p->tuple.dst, p->tuple.dport,
						p->tuple.proto);
	else if (pick == VD_PICK_HASH)
		p->choice.hash = vd_hash_flow(&p->tuple.src, p->tuple.sport, &p->tuple.dst,
					      p->tuple.dport, p->tuple.proto);
	return vd_pick_backend(&p->choice, pick, &p->tuple.src);
}

static __always_inline enum vd_reason forward(struct pkt *p)
{
	struct vd_load *load = vd_load_at(p->nat.backend_id);

	if (p->fragment == VD_FRAGMENT_FIRST)
		keep_ports(&p->tuple, p->fragment_id);
	VD_TRY(rewrite(p));
	if (p->quoted)
		return VD_ICMP_FORWARDED;
	if (load && !vd_dry)
		__sync_fetch_and_add(&load->packets, 1);
	return p->nat.flags & VD_FLOW_HAIRPIN ? VD_HAIRPINNED : VD_FORWARDED;
}

static __always_inline int go_back(struct pkt *p)
{
	__u8 macs[2][ETH_ALEN];

	if (bpf_skb_load_bytes(p->skb, 0, macs[1], ETH_ALEN) ||
	    bpf_skb_load_bytes(p->skb, ETH_ALEN, macs[0], ETH_ALEN) ||
	    bpf_skb_store_bytes(p->skb, 0, macs, sizeof(macs), 0))
		return TC_ACT_SHOT;
	return bpf_redirect(p->skb->ifindex, 0);
}

static __always_inline int go_to_host(struct pkt *p)
{
	__u8 mac[ETH_ALEN];

	for (int i = 0; i < ETH_ALEN; i++)
		mac[i] = vd_viaduct0_mac[i];
	if (bpf_skb_store_bytes(p->skb, 0, mac, sizeof(mac), 0))
		return TC_ACT_SHOT;
	return bpf_redirect(vd_viaduct0_ifindex, BPF_F_INGRESS);
}

static __always_inline int go(struct pkt *p)
{
	switch (p->way) {
	case VD_WAY_BACK:
		return go_back(p);
	case VD_WAY_HOST:
		return go_to_host(p);
	case VD_WAY_LINK:
		return bpf_redirect_neigh(p->skb->ifindex, NULL, 0, 0);
	case VD_WAY_NEIGH:
		return bpf_redirect_neigh(p->neigh_ifindex, &p->neigh, sizeof(p->neigh), 0);
	default:
		return TC_ACT_UNSPEC;
	}
}

/* A trace sees which flow was given a backend, and which was refused. */
static __always_inline void tell(struct pkt *p, enum vd_hook hook, enum vd_verdict verdict,
				 enum vd_reason reason)
{
	struct vd_event *e;

	if (verdict == VD_VERDICT_PASS && !p->choice.backend)
		return;
	e = vd_event_start(hook, reason, &p->tuple.dst, p->tuple.dport, p->tuple.proto);
	if (!e)
		return;
	e->client = p->tuple.src;
	e->client_port = p->tuple.sport;
	vd_event_end(e, &p->choice);
}

/* A dry run ends here. */
static __always_inline int explain(struct pkt *p, enum vd_reason reason)
{
	struct vd_explanation *e = vd_explanation_start(reason);

	if (!e)
		return TC_ACT_UNSPEC;
	if (p->choice.service)
		e->service_id = p->choice.service->id;
	if (!is_known(p))
		return TC_ACT_UNSPEC;
	if (!p->choice.backend)
		e->found = VD_FOUND_FLOW;
	e->backend_id = p->nat.backend_id;
	e->src = p->nat.src;
	e->dst = p->nat.dst;
	e->sport = p->nat.sport;
	e->dport = p->nat.dport;
	e->flags = p->nat.flags;
	e->ifindex = p->way == VD_WAY_NEIGH ? p->neigh_ifindex : 0;
	return TC_ACT_UNSPEC;
}

/* `back`: how the answer to a refused packet reaches its client. */
static __always_inline int tc_finish(struct pkt *p, enum vd_hook hook, enum vd_way back,
				     enum vd_reason reason)
{
	enum vd_verdict verdict = vd_verdict_of(reason);

	if (vd_dry)
		return explain(p, reason);
	vd_count(hook, reason);
	tell(p, hook, verdict, reason);
	if (verdict == VD_VERDICT_DROP)
		return TC_ACT_SHOT;
	if (verdict == VD_VERDICT_REFUSE) {
		/* An error is never answered with an error, nor a fragment without a header. */
		if (p->quoted || p->fragment == VD_FRAGMENT_LATER || refuse(p))
			return TC_ACT_SHOT;
		p->way = back;
	}
	return go(p);
}

#endif
