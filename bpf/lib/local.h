/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The pick for traffic from other machines among this machine's backends: the one that its slot
 * says, if that is here, as the machine that sent it saw it.
 */
#ifndef VIADUCT_BPF_LOCAL_H
#define VIADUCT_BPF_LOCAL_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>

#include "lib/dry.h"
#include "lib/flow_hash.h"
#include "lib/pkt.h"
#include "lib/select.h"

static __always_inline __u32 local_of(__u32 slot, __u32 service_id)
{
	__u32 id = vd_member_at(slot);
	struct vd_backend *b = vd_backend_open(id, service_id);

	return b && b->node_id == 0 ? id : 0;
}

/* A function of its own, and of numbers alone: the verifier walks it once. */
__attribute__((noinline)) __u32 pick_local_id(__u32 offset, __u32 count, __u32 service_id,
					      __u32 hash)
{
	__u32 id;

	for (__u32 i = 0; i < VD_PICK_TRIES; i++) {
		id = local_of(offset + vd_hash_slot(vd_hash_again(hash, i), count), service_id);
		if (id)
			return id;
	}
	for (__u32 i = 0; i < VD_MEMBERS_MAX; i++) {
		if (i >= count)
			break;
		id = local_of(offset + count + i, service_id);
		if (id)
			return id;
	}
	return 0;
}

/* Step: one of this machine's backends. */
static __always_inline enum vd_reason pick_local(struct pkt *p)
{
	struct vd_service *s = p->choice.service;
	__u32 hash = steady_hash(p, s);

	if (s->slot_count == 0)
		return VD_NO_BACKEND;
	if (vd_dry)
		vd_tell_found(VD_FOUND_PICK, steady_rule(s));
	p->choice.backend_id = pick_local_id(s->slot_offset, s->slot_count, s->id, hash);
	p->choice.backend = vd_backend_open(p->choice.backend_id, s->id);
	return p->choice.backend ? VD_NEXT : VD_NO_LOCAL_BACKEND;
}

#endif
