/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Entries of the flow tables. A flow has two, one a direction, and either holds all that the other
 * says:
 *   request  client:cport > vip:vport         becomes  source:sport > backend:bport
 *   reply    backend:bport > source:sport     becomes  vip:vport > client:cport
 * `source` is the client, or the VIP in a hairpin. `sport` is a neighbour of the client's port: the
 * client may use its own to talk to the backend itself, and such packets have no entry.
 */
#ifndef VIADUCT_BPF_TWIN_H
#define VIADUCT_BPF_TWIN_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>

#include "lib/addr.h"
#include "maps.h"

#define VD_CLOSING_IDLE_S 60 /* a TCP flow that is closed, or new, silent for longer is over */

/* An entry's place, and the flow's other entry: where it stands and what it says. */
struct vd_twin {
	struct vd_flow_key tuple; /* Linux 6.1 takes no argument of a function as a map's key */
	struct vd_flow_key key;
	struct vd_flow_new entry;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vd_twin);
} vd_twin_scratch SEC(".maps");

/* The entry of a tuple, in either table. One look for settled flows, which are most. */
static __always_inline struct vd_flow *find_entry(const struct vd_flow_key *tuple)
{
	struct vd_flow *f = bpf_map_lookup_elem(&vd_flow_v1, tuple);

	return f ? f : bpf_map_lookup_elem(&vd_flow_new_v1, tuple);
}

/* The twin of the entry tuple -> nat. @return never NULL, but the verifier asks. */
static __always_inline struct vd_twin *make_twin(const struct vd_flow_key *tuple,
						 const struct vd_flow *nat)
{
	__u32 zero = 0;
	struct vd_twin *t = bpf_map_lookup_elem(&vd_twin_scratch, &zero);

	if (!t)
		return NULL;
	t->tuple = *tuple;
	t->key.src = nat->dst;
	t->key.dst = nat->src;
	t->key.sport = nat->dport;
	t->key.dport = nat->sport;
	t->key.proto = tuple->proto;
	t->entry.flow = *nat;
	t->entry.flow.src = tuple->dst;
	t->entry.flow.dst = tuple->src;
	t->entry.flow.sport = tuple->dport;
	t->entry.flow.dport = tuple->sport;
	t->entry.flow.flags ^= VD_FLOW_REPLY;
	t->entry.flow.packets = 0;
	t->entry.answer_seq = 0;
	return t;
}

/* Is the entry found in the twin's place the twin, or another flow's? */
static __always_inline bool is_twin(const struct vd_twin *t, const struct vd_flow *f)
{
	const struct vd_flow *own = &t->entry.flow;

	return f->sport == own->sport && f->dport == own->dport &&
	       vd_addr_equal(&f->src, &own->src) && vd_addr_equal(&f->dst, &own->dst);
}

static __always_inline bool is_alive(const struct vd_flow *f, __u8 proto, __u32 now_s)
{
	__u32 idle_s = now_s - f->last_seen_s;

	if (proto == IPPROTO_UDP)
		return idle_s <= VD_UDP_IDLE_S;
	return !(f->flags & (VD_FLOW_CLOSING | VD_FLOW_NEW)) || idle_s <= VD_CLOSING_IDLE_S;
}

/* Does a flow other than the twin's hold its place, and live? */
static __always_inline bool is_taken(const struct vd_twin *t, const struct vd_flow *f, __u32 now_s)
{
	return f && !is_twin(t, f) && is_alive(f, t->key.proto, now_s);
}

#endif
