/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * New flows have a table of their own, a smaller one, so that whoever invents clients evicts new
 * flows and no settled ones. A flow is settled, and moves to the large table, by a packet of the
 * client that follows an answer of the backend: the client then is where it says it is, and the
 * backend serves it. TCP proves that by acknowledging what the answer said. UDP has no such proof;
 * there a second datagram has to do, which also keeps a single question and its answer out.
 *
 * Functions of their own: new flows are rare, and the verifier walks these once. With more than 64
 * bytes of stack they do not fit under the programs on Linux 6.1.
 */
#ifndef VIADUCT_BPF_NEW_FLOW_H
#define VIADUCT_BPF_NEW_FLOW_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/reason.h>

#include "lib/clock.h"
#include "lib/dry.h"
#include "lib/finish.h"
#include "lib/health.h"
#include "lib/parse.h"
#include "lib/twin.h"
#include "maps.h"

#define VD_PORT_TRIES 8 /* source ports tried for one flow */
#define VD_PORT_MIN 32768 /* chosen ports are VD_PORT_MIN..65535 */
#define VD_ACK_WINDOW (1 << 20) /* bytes from an answer to what acknowledges it */
#define VD_NEW_FLAGS (VD_FLOW_NEW | VD_FLOW_ANSWERED)

/* Takes the twin's place among new flows, unless another flow that is alive has it in either
 * table. */
static __always_inline enum vd_reason take_place(struct vd_twin *t)
{
	struct vd_flow *f = bpf_map_lookup_elem(&vd_flow_v1, &t->key);
	__u32 now_s = t->entry.flow.last_seen_s;
	long rc;

	if (is_taken(t, f, now_s))
		return VD_NO_PORT;
	if (f && !vd_dry && !is_twin(t, f))
		bpf_map_delete_elem(&vd_flow_v1, &t->key);
	rc = vd_dry ? -EEXIST
		    : bpf_map_update_elem(&vd_flow_new_v1, &t->key, &t->entry, BPF_NOEXIST);
	if (rc == 0)
		return VD_NEXT;
	if (rc != -EEXIST)
		return VD_FLOW_TABLE_FULL;
	f = bpf_map_lookup_elem(&vd_flow_new_v1, &t->key);
	if (is_taken(t, f, now_s))
		return VD_NO_PORT;
	if (vd_dry)
		return VD_NEXT;
	rc = bpf_map_update_elem(&vd_flow_new_v1, &t->key, &t->entry, BPF_ANY);
	return rc ? VD_FLOW_TABLE_FULL : VD_NEXT;
}

static __always_inline enum vd_reason store_request(struct vd_twin *t, const struct vd_flow *nat)
{
	struct vd_load *load = vd_load_at(nat->backend_id);

	if (vd_dry)
		return VD_NEXT;
	t->entry.flow = *nat;
	if (bpf_map_update_elem(&vd_flow_new_v1, &t->tuple, &t->entry, BPF_ANY)) {
		bpf_map_delete_elem(&vd_flow_new_v1, &t->key);
		return VD_FLOW_TABLE_FULL;
	}
	if (load)
		__sync_fetch_and_add(&load->flows, 1);
	return VD_NEXT;
}

/*
 * Stores a flow's two entries, the reply's first: no request that cannot be answered. If its source
 * port is in use towards the backend, nat->sport becomes one that is not. @return enum vd_reason.
 */
__attribute__((noinline)) int store_new_flow(struct vd_flow_key *tuple, struct vd_flow *nat)
{
	if (!tuple || !nat)
		return VD_FLOW_TABLE_FULL;
	for (int i = 0; i < VD_PORT_TRIES; i++) {
		struct vd_twin *t = make_twin(tuple, nat);
		enum vd_reason reason = t ? take_place(t) : VD_FLOW_TABLE_FULL;

		if (t && reason == VD_NEXT)
			return store_request(t, nat);
		if (reason != VD_NO_PORT)
			return reason;
		nat->sport = bpf_htons(VD_PORT_MIN + bpf_get_prandom_u32() % (65536 - VD_PORT_MIN));
	}
	return VD_NO_PORT;
}

/* The other direction's entry follows this one, and comes back if the table had no room for it. */
static __always_inline void write_new_twin(struct vd_twin *t, struct vd_flow_new *f)
{
	if (!f) {
		bpf_map_update_elem(&vd_flow_new_v1, &t->key, &t->entry, BPF_NOEXIST);
	} else {
		f->flow.last_seen_s = t->entry.flow.last_seen_s;
		f->flow.flags = t->entry.flow.flags;
		f->answer_seq = t->entry.answer_seq;
	}
}

/* Moves a flow's entries to the large table, if they have a place there. */
static __always_inline void settle(struct vd_twin *t, struct vd_flow *nat)
{
	struct vd_flow *f = bpf_map_lookup_elem(&vd_flow_v1, &t->key);
	struct vd_load *load = vd_load_at(nat->backend_id);

	if (is_taken(t, f, nat->last_seen_s))
		return;
	t->entry.flow.flags &= ~VD_NEW_FLAGS;
	if (bpf_map_update_elem(&vd_flow_v1, &t->key, &t->entry.flow, BPF_ANY))
		return;
	nat->flags &= ~VD_NEW_FLAGS;
	t->entry.flow = *nat;
	if (bpf_map_update_elem(&vd_flow_v1, &t->tuple, &t->entry.flow, BPF_ANY))
		return;
	bpf_map_delete_elem(&vd_flow_new_v1, &t->key);
	bpf_map_delete_elem(&vd_flow_new_v1, &t->tuple);
	if (t->tuple.proto != IPPROTO_TCP)
		return;
	vd_count(VD_HOOK_HEALTH, VD_CONNECTED);
	if (load)
		vd_note_success(load);
}

/* The segment's own sequence number and the one it acknowledges; 0 without a TCP header. */
struct vd_numbers {
	__u32 seq;
	__u32 ack;
};

static __always_inline struct vd_numbers read_numbers(struct __sk_buff *skb, __u32 l4,
						      __u32 tcp_flags)
{
	__be32 raw[2] = {};

	if (tcp_flags)
		bpf_skb_load_bytes(skb, l4 + __builtin_offsetof(struct tcphdr, seq), raw,
				   sizeof(raw));
	return (struct vd_numbers){bpf_ntohl(raw[0]), bpf_ntohl(raw[1])};
}

/* Notes that the backend serves the flow. A SYN-ACK with another number replaces an older one. */
static __always_inline void note_answer(struct vd_flow_new *own, struct vd_flow *nat, __u32 seq,
					__u32 tcp_flags)
{
	if (!(nat->flags & VD_FLOW_ANSWERED) || tcp_flags & VD_TCP_SYN)
		own->answer_seq = seq;
	own->flow.flags |= VD_FLOW_ANSWERED;
	nat->flags |= VD_FLOW_ANSWERED;
}

/* Does this packet of the client show that the answer reached it? */
static __always_inline bool is_proof(__u8 proto, __u32 tcp_flags, __u32 ack, __u32 answer_seq)
{
	if (proto == IPPROTO_UDP)
		return true;
	return (tcp_flags & (VD_TCP_SYN | VD_TCP_RST | VD_TCP_ACK)) == VD_TCP_ACK &&
	       ack - answer_seq <= VD_ACK_WINDOW;
}

static __always_inline bool is_answer(__u8 proto, __u32 tcp_flags)
{
	return proto == IPPROTO_UDP || (tcp_flags & (VD_TCP_RST | VD_TCP_ACK)) == VD_TCP_ACK;
}

/*
 * A packet of the new flow tuple -> nat goes by. A backend that resets what it never answered ends
 * the flow.
 * @param tcp_flags  0: no TCP header.
 */
__attribute__((noinline)) int follow_new_flow(struct __sk_buff *skb, struct vd_flow_key *tuple,
					      struct vd_flow *nat, __u32 l4, __u32 tcp_flags)
{
	struct vd_numbers numbers = read_numbers(skb, l4, tcp_flags);
	struct vd_flow_new *own, *other;
	struct vd_twin *t;
	bool is_reply;

	if (!tuple || !nat)
		return -1;
	is_reply = nat->flags & VD_FLOW_REPLY;
	t = make_twin(tuple, nat);
	own = t ? bpf_map_lookup_elem(&vd_flow_new_v1, &t->tuple) : NULL;
	if (!t || !own)
		return -1;
	other = bpf_map_lookup_elem(&vd_flow_new_v1, &t->key);
	if (other && !is_twin(t, &other->flow))
		return -1;
	if (is_reply && is_answer(tuple->proto, tcp_flags))
		note_answer(own, nat, numbers.seq, tcp_flags);
	t->entry.flow.flags = nat->flags ^ VD_FLOW_REPLY;
	t->entry.answer_seq = own->answer_seq;
	if (!(nat->flags & VD_FLOW_ANSWERED) && is_reply && tcp_flags & VD_TCP_RST) {
		bpf_map_delete_elem(&vd_flow_new_v1, &t->key);
		bpf_map_delete_elem(&vd_flow_new_v1, &t->tuple);
	} else if (nat->flags & VD_FLOW_ANSWERED && !is_reply &&
		   is_proof(tuple->proto, tcp_flags, numbers.ack, own->answer_seq)) {
		settle(t, nat);
	} else {
		write_new_twin(t, other);
	}
	return 0;
}

#endif
