/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The flow table. A flow has two entries, one a direction, and either holds all that the other
 * says: request  client:cport > vip:vport        becomes  source:sport > backend:bport reply
 * backend:bport > source:sport    becomes  vip:vport > client:cport `source` is the client, or the
 * VIP in a hairpin. `sport` is a neighbour of the client's port: the client may use its own to talk
 * to the backend itself, and such packets have no entry.
 */
#ifndef VIADUCT_BPF_FLOW_H
#define VIADUCT_BPF_FLOW_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/reason.h>

#include "lib/clock.h"
#include "lib/dry.h"
#include "lib/parse.h"
#include "lib/pkt.h"
#include "maps.h"

#define VD_PORT_TRIES 8 /* source ports tried for one flow */
#define VD_PORT_MIN 32768 /* chosen ports are VD_PORT_MIN..65535 */
#define VD_CLOSING_IDLE_S 60 /* a closed TCP flow silent for longer is over */

static __always_inline struct vd_flow *find_flow(struct pkt *p)
{
	return bpf_map_lookup_elem(&vd_flow_v1, &p->tuple);
}

/* The flow's other entry: where it stands and what it says. */
struct vd_twin {
	struct vd_flow_key key;
	struct vd_flow flow;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vd_twin);
} vd_twin_scratch SEC(".maps");

/* The twin of the entry p->tuple -> p->nat. @return never NULL, but the verifier asks. */
static __always_inline struct vd_twin *make_twin(struct pkt *p)
{
	__u32 zero = 0;
	struct vd_twin *t = bpf_map_lookup_elem(&vd_twin_scratch, &zero);

	if (!t)
		return NULL;
	t->key = (struct vd_flow_key){
		.src = p->nat.dst,
		.dst = p->nat.src,
		.sport = p->nat.dport,
		.dport = p->nat.sport,
		.proto = p->tuple.proto,
	};
	t->flow = p->nat;
	t->flow.src = p->tuple.dst;
	t->flow.dst = p->tuple.src;
	t->flow.sport = p->tuple.dport;
	t->flow.dport = p->tuple.sport;
	t->flow.flags ^= VD_FLOW_REPLY;
	t->flow.packets = 0;
	return t;
}

/* Is the entry found in the twin's place the twin, or another flow's? */
static __always_inline bool is_twin(const struct vd_twin *t, const struct vd_flow *f)
{
	return f->sport == t->flow.sport && f->dport == t->flow.dport &&
	       vd_addr_equal(&f->src, &t->flow.src) && vd_addr_equal(&f->dst, &t->flow.dst);
}

static __always_inline bool is_alive(const struct pkt *p, const struct vd_flow *f)
{
	__u32 idle_s = p->now_s - f->last_seen_s;

	if (p->tuple.proto == IPPROTO_UDP)
		return idle_s <= VD_UDP_IDLE_S;
	return !(f->flags & VD_FLOW_CLOSING) || idle_s <= VD_CLOSING_IDLE_S;
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

/* The other direction's entry follows this one, and comes back if the table had no room for it. */
static __always_inline void write_twin(struct pkt *p)
{
	struct vd_twin *t = make_twin(p);
	struct vd_flow *f;

	if (!t)
		return;
	f = bpf_map_lookup_elem(&vd_flow_v1, &t->key);
	if (!f) {
		bpf_map_update_elem(&vd_flow_v1, &t->key, &t->flow, BPF_NOEXIST);
	} else if (is_twin(t, f)) {
		f->last_seen_s = t->flow.last_seen_s;
		f->flags = t->flow.flags;
	}
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
	if (changed)
		write_twin(p);
}

/* The client's next packet is picked anew; late packets of the old backend no longer reach it. */
static __always_inline void forget_flow(struct pkt *p, struct vd_flow *f)
{
	struct vd_flow *other;
	struct vd_twin *t;

	p->nat = *f;
	t = make_twin(p);
	if (vd_dry) {
		p->nat.backend_id = 0;
		return;
	}
	if (t) {
		other = bpf_map_lookup_elem(&vd_flow_v1, &t->key);
		if (other && is_twin(t, other))
			bpf_map_delete_elem(&vd_flow_v1, &t->key);
	}
	bpf_map_delete_elem(&vd_flow_v1, &p->tuple);
	p->nat.backend_id = 0;
}

/*
 * A container connects to a backend itself, on a port that a finished flow of its had there: that
 * flow's entries go, or the answers would bear the VIP.
 */
static __always_inline void forget_finished(struct pkt *p)
{
	struct vd_flow_key reply = {
		.src = p->tuple.dst,
		.dst = p->tuple.src,
		.sport = p->tuple.dport,
		.dport = p->tuple.sport,
		.proto = p->tuple.proto,
	};
	struct vd_flow *f = bpf_map_lookup_elem(&vd_flow_v1, &reply);
	struct vd_flow_key request;

	if (vd_dry || !f || !(f->flags & VD_FLOW_REPLY) || !(f->flags & VD_FLOW_CLOSING))
		return;
	request = (struct vd_flow_key){
		.src = f->dst,
		.dst = f->src,
		.sport = f->dport,
		.dport = f->sport,
		.proto = p->tuple.proto,
	};
	bpf_map_delete_elem(&vd_flow_v1, &request);
	bpf_map_delete_elem(&vd_flow_v1, &reply);
}

/* Takes the twin's place in the table, unless another flow that is alive has it. */
static __always_inline enum vd_reason take_place(struct pkt *p, struct vd_twin *t)
{
	struct vd_flow *f;
	long rc =
		vd_dry ? -EEXIST : bpf_map_update_elem(&vd_flow_v1, &t->key, &t->flow, BPF_NOEXIST);

	if (rc == 0)
		return VD_NEXT;
	if (rc != -EEXIST)
		return VD_FLOW_TABLE_FULL;
	f = bpf_map_lookup_elem(&vd_flow_v1, &t->key);
	if (f && !is_twin(t, f) && is_alive(p, f))
		return VD_NO_PORT;
	if (vd_dry)
		return VD_NEXT;
	rc = bpf_map_update_elem(&vd_flow_v1, &t->key, &t->flow, BPF_ANY);
	return rc ? VD_FLOW_TABLE_FULL : VD_NEXT;
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

/* Finds a source port whose reply entry is free. */
static __always_inline enum vd_reason store_reply_entry(struct pkt *p)
{
	for (int i = 0; i < VD_PORT_TRIES; i++) {
		struct vd_twin *t = make_twin(p);
		enum vd_reason reason = t ? take_place(p, t) : VD_FLOW_TABLE_FULL;

		if (reason != VD_NO_PORT)
			return reason;
		p->nat.sport =
			bpf_htons(VD_PORT_MIN + bpf_get_prandom_u32() % (65536 - VD_PORT_MIN));
	}
	return VD_NO_PORT;
}

/* Step: remembers the choice. The reply entry comes first: no request that cannot be answered. */
static __always_inline enum vd_reason store_flow(struct pkt *p, __u32 flags)
{
	struct vd_load *load = vd_load_at(p->choice.backend_id);

	p->nat.src = flags & VD_FLOW_HAIRPIN ? p->tuple.dst : p->tuple.src;
	p->nat.dst = p->choice.backend->addr;
	p->nat.sport = first_port(p, flags);
	p->nat.dport = p->choice.backend->port;
	p->nat.flags = flags_after(p, flags);
	p->nat.backend_id = p->choice.backend_id;
	p->nat.backend_generation = p->choice.backend->generation;
	p->nat.created_s = p->now_s;
	p->nat.last_seen_s = p->now_s;
	p->nat.packets = 1;
	VD_TRY(store_reply_entry(p));
	if (vd_dry)
		return VD_NEXT;
	if (bpf_map_update_elem(&vd_flow_v1, &p->tuple, &p->nat, BPF_ANY)) {
		forget_flow(p, &p->nat);
		return VD_FLOW_TABLE_FULL;
	}
	if (load)
		__sync_fetch_and_add(&load->flows, 1);
	return VD_NEXT;
}

#endif
