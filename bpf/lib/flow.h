/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The steps that find, use, forget and begin flows. lib/twin.h says what a flow's entries are. */
#ifndef VIADUCT_BPF_FLOW_H
#define VIADUCT_BPF_FLOW_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/reason.h>

#include "lib/dry.h"
#include "lib/new_flow.h"
#include "lib/parse.h"
#include "lib/pkt.h"
#include "lib/twin.h"
#include "maps.h"

static __always_inline struct vd_flow *find_flow(struct pkt *p)
{
	return find_entry(&p->tuple);
}

static __always_inline bool is_syn(const struct pkt *p)
{
	return (p->tcp_flags & (VD_TCP_SYN | VD_TCP_ACK)) == VD_TCP_SYN;
}

static __always_inline __u32 flags_after(const struct pkt *p, __u32 flags)
{
	if (p->tcp_flags & (VD_TCP_FIN | VD_TCP_RST))
		return flags | VD_FLOW_CLOSING;
	return is_syn(p) ? flags & ~VD_FLOW_CLOSING : flags;
}

/*
 * The other direction's entry follows this one, and comes back if the table had no room for it.
 * Functions of their own here and below: rare, and their stack is not their caller's.
 */
__attribute__((noinline)) int write_twin(struct vd_flow_key *tuple, struct vd_flow *nat)
{
	struct vd_flow *f;
	struct vd_twin *t;

	if (!tuple || !nat)
		return -1;
	t = make_twin(tuple, nat);
	if (!t)
		return -1;
	f = bpf_map_lookup_elem(&vd_flow_v1, &t->key);
	if (!f)
		return bpf_map_update_elem(&vd_flow_v1, &t->key, &t->entry.flow, BPF_NOEXIST);
	if (is_twin(t, f)) {
		f->last_seen_s = t->entry.flow.last_seen_s;
		f->flags = t->entry.flow.flags;
	}
	return 0;
}

/* This packet uses the entry. Once a second, and when TCP's state changes, both are written. */
static __always_inline void use_flow(struct pkt *p, struct vd_flow *f)
{
	__u32 flags = flags_after(p, f->flags);
	bool changed = f->last_seen_s != p->now_s || f->flags != flags;

	if (vd_dry) {
		p->nat = *f;
		return;
	}
	f->packets += 1; /* two CPUs may lose one: a figure for people */
	if (changed) {
		f->last_seen_s = p->now_s;
		f->flags = flags;
	}
	p->nat = *f;
	if (flags & VD_FLOW_NEW) {
		if (!p->quoted)
			follow_new_flow(p->skb, &p->tuple, &p->nat, p->l4, p->tcp_flags);
	} else if (changed) {
		write_twin(&p->tuple, &p->nat);
	}
}

static __always_inline void delete_entry(struct vd_flow_key *tuple)
{
	bpf_map_delete_elem(&vd_flow_v1, tuple);
	bpf_map_delete_elem(&vd_flow_new_v1, tuple);
}

/* Deletes the entry tuple -> nat and its twin. */
__attribute__((noinline)) int delete_flow(struct vd_flow_key *tuple, struct vd_flow *nat)
{
	struct vd_flow *other;
	struct vd_twin *t;

	if (!tuple || !nat)
		return -1;
	t = make_twin(tuple, nat);
	if (!t)
		return -1;
	other = find_entry(&t->key);
	if (other && is_twin(t, other))
		delete_entry(&t->key);
	delete_entry(&t->tuple);
	return 0;
}

/* The client's next packet is picked anew; late packets of the old backend no longer reach it. */
static __always_inline void forget_flow(struct pkt *p, struct vd_flow *f)
{
	p->nat = *f;
	if (!vd_dry)
		delete_flow(&p->tuple, &p->nat);
	p->nat.backend_id = 0;
}

/*
 * A container connects to a backend itself, on a port that a finished flow of its had there: that
 * flow's entries go, or the answers would bear the VIP.
 */
__attribute__((noinline)) int forget_finished(struct vd_flow_key *tuple)
{
	struct vd_flow_key reply = {};
	struct vd_flow *f;
	struct vd_twin *t;

	if (!tuple)
		return -1;
	reply.src = tuple->dst;
	reply.dst = tuple->src;
	reply.sport = tuple->dport;
	reply.dport = tuple->sport;
	reply.proto = tuple->proto;
	f = find_entry(&reply);
	if (vd_dry || !f || !(f->flags & VD_FLOW_REPLY) || !(f->flags & VD_FLOW_CLOSING))
		return 0;
	t = make_twin(&reply, f);
	if (t)
		delete_entry(&t->key);
	delete_entry(&reply);
	return 0;
}

/*
 * The port that a client's flow gets first. Linux gives connect() even ports and bind() odd ones
 * (inet_hash_connect(), since 4.2), so the neighbour of a port in use is the least likely one to be
 * in use towards the same backend. One client port maps to one port: flows of one VIP never meet.
 * A hairpin's source is the VIP, which no other packet has.
 */
static __always_inline __be16 first_port(const struct pkt *p, __u32 flags)
{
	__be16 neighbour = p->tuple.sport ^ bpf_htons(1);

	return flags & VD_FLOW_HAIRPIN || neighbour == 0 ? p->tuple.sport : neighbour;
}

/* Step: remembers the choice. */
static __always_inline enum vd_reason store_flow(struct pkt *p, __u32 flags)
{
	p->nat.src = flags & VD_FLOW_HAIRPIN ? p->tuple.dst : p->tuple.src;
	p->nat.dst = p->choice.backend->addr;
	p->nat.sport = first_port(p, flags);
	p->nat.dport = p->choice.backend->port;
	p->nat.flags = flags_after(p, flags | VD_FLOW_NEW);
	p->nat.backend_id = p->choice.backend_id;
	p->nat.backend_generation = p->choice.backend->generation;
	p->nat.created_s = p->now_s;
	p->nat.last_seen_s = p->now_s;
	p->nat.packets = 1;
	return store_new_flow(&p->tuple, &p->nat);
}

#endif
