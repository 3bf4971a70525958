/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The pick for traffic from other machines: of the slots alone, so that every machine makes the
 * same one without knowing of the others, and no flow need be stored. Health does not count here:
 * it differs from machine to machine.
 *
 * After a change the region before it stays known for a while. A flow whose slot says the same in
 * both needs nothing. Where they differ, a flow that begins gets the new backend, and one that is
 * not stored began before and keeps the old one; either is stored then, for the next change.
 */
#ifndef VIADUCT_BPF_STEADY_H
#define VIADUCT_BPF_STEADY_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/node.h>
#include <viaduct/abi/reason.h>

#include "lib/dry.h"
#include "lib/flow_hash.h"
#include "lib/parse.h"
#include "lib/pkt.h"
#include "lib/select.h"
#include "maps.h"

static __always_inline struct vd_flow_set *flow_set_of(__u64 tag)
{
	__u32 index = tag & (VD_FLOW_SETS - 1);

	return bpf_map_lookup_elem(&vd_flow_set_v1, &index);
}

/*
 * A flow keeps its place; one without gets that of the new ones. Two CPUs may write one set: a torn
 * entry names no backend of its generation, or is not found.
 */
static __always_inline void store(struct vd_flow_set *set, __u64 tag, __u32 id, __u32 generation)
{
	__u32 at = VD_FLOW_WAY_NEW;

	for (int i = 0; i < VD_FLOW_WAY_NEW; i++)
		if (set->way[i].tag == tag)
			at = i;
	set->way[at] = (struct vd_flow_way){tag, id, generation};
}

/* The second packet of a flow: it leaves the place of the new ones, which a flood may overwrite. */
static __always_inline void promote(struct vd_flow_set *set)
{
	struct vd_flow_way known = set->way[VD_FLOW_WAY_NEW];

	set->way[2] = set->way[1];
	set->way[1] = set->way[0];
	set->way[0] = known;
	set->way[VD_FLOW_WAY_NEW].tag = 0;
}

/* @return the backend of a flow that is stored; 0: it is not, or its backend is gone. */
static __always_inline __u32 find_stored(struct vd_flow_set *set, __u64 tag)
{
	for (int i = 0; i < VD_FLOW_WAYS; i++) {
		struct vd_flow_way *w = &set->way[i];
		__u32 id = w->backend_id;

		if (w->tag != tag)
			continue;
		if (!vd_backend_kept(id, w->backend_generation))
			return 0;
		if (i == VD_FLOW_WAY_NEW && !vd_dry)
			promote(set);
		return id;
	}
	return 0;
}

static __always_inline bool begins(const struct pkt *p)
{
	return (p->tcp_flags & (VD_TCP_SYN | VD_TCP_ACK)) == VD_TCP_SYN;
}

/* What a flow is that is not stored. */
enum vd_unstored {
	VD_UNSTORED_OLD, /* it began before the change */
	VD_UNSTORED_NEW, /* it begins */
	VD_UNSTORED_LATE, /* it may be either, long after the change */
};

/* UDP does not show where a flow begins: those that are heard of soon after the change are old. */
static __always_inline enum vd_unstored age_of(const struct pkt *p, const struct vd_service *s)
{
	if (p->tuple.proto == IPPROTO_TCP)
		return begins(p) ? VD_UNSTORED_NEW : VD_UNSTORED_OLD;
	return vd_now_s() - s->before_s <= VD_UDP_BEFORE_S ? VD_UNSTORED_OLD : VD_UNSTORED_LATE;
}

/*
 * Which of the two that the slots say, before and now; either is stored, so that the flow stays
 * over the next change too. A function of its own, and of numbers alone: only changed slots need
 * it.
 */
__attribute__((noinline)) __u32 settle(__u64 tag, __u32 age, __u32 before, __u32 now)
{
	struct vd_flow_set *set = flow_set_of(tag);
	__u32 stored, id = age == VD_UNSTORED_OLD ? before : now;
	struct vd_backend *b = vd_backend_at(id);

	if (!set || !b)
		return id;
	stored = age == VD_UNSTORED_NEW ? 0 : find_stored(set, tag);
	if (vd_dry && stored)
		vd_tell_found(VD_FOUND_FLOW, 0);
	else if (vd_dry && age == VD_UNSTORED_OLD)
		vd_tell_found(VD_FOUND_FORMER, 0);
	if (stored)
		return stored;
	if (age != VD_UNSTORED_LATE && !vd_dry)
		store(set, tag, id, b->generation);
	return id;
}

/* Of both directions' hashes, so that it says more than the slot does. */
static __always_inline __u64 tag_of(const struct pkt *p, __u32 hash)
{
	const struct vd_flow_key *t = &p->tuple;

	return (__u64)vd_hash_flow(&t->dst, t->dport, &t->src, t->sport, t->proto) << 32 | hash;
}

/* @return NULL: no backend of the service; one that drains still is. */
static __always_inline struct vd_backend *backend_of(__u32 id, __u32 service_id)
{
	struct vd_backend *b = id ? vd_backend_at(id) : NULL;

	return b && b->service_id == service_id ? b : NULL;
}

/* Step: p->choice gets the backend that every machine gives this flow. */
static __always_inline enum vd_reason pick_steady(struct pkt *p)
{
	struct vd_service *s = p->choice.service;
	__u32 hash = steady_hash(p, s);
	__u32 id = vd_member_at(s->slot_offset + vd_hash_slot(hash, s->slot_count));

	if (s->slot_count == 0)
		return VD_NO_BACKEND;
	if (vd_dry)
		vd_tell_found(VD_FOUND_PICK, steady_rule(s));
	if (s->before_count) {
		__u32 before = vd_member_at(s->before_offset + vd_hash_slot(hash, s->before_count));

		if (before != id && backend_of(before, s->id))
			id = settle(tag_of(p, hash), age_of(p, s), before, id);
	}
	p->choice.backend = backend_of(id, s->id);
	if (!p->choice.backend) {
		id = vd_pick_id(s->slot_offset, s->slot_count, s->id, hash, VD_PICK_HASH);
		p->choice.backend = backend_of(id, s->id);
	}
	p->choice.backend_id = id;
	return p->choice.backend ? VD_NEXT : VD_NO_BACKEND;
}

#endif
