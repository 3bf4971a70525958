/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* From a VIP to one of its backends. The same steps serve connect() and packets. */
#ifndef VIADUCT_BPF_SELECT_H
#define VIADUCT_BPF_SELECT_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/limits.h>
#include <viaduct/abi/reason.h>
#include <viaduct/abi/service.h>

#include "lib/addr.h"
#include "lib/affinity.h"
#include "lib/dry.h"
#include "lib/hash.h"
#include "lib/health.h"
#include "maps.h"

/* Slots tried before refusing: while the maps change, one may name a backend that takes nobody. */
#define VD_PICK_TRIES 16

struct vd_choice {
	struct vd_service *service;
	struct vd_backend *backend;
	__u32 backend_id;
	__u32 hash; /* of the flow or of the client; only picks by hash look */
};

/* The one place that knows of two service maps. @return NULL: not a VIP. */
static __always_inline struct vd_service *vd_find_service(const struct vd_addr *vip, __be16 port,
							  __u8 proto)
{
	if (vd_addr_is_v4(vip)) {
		struct vd_service4_key key = {.addr = vip->words[3], .port = port, .proto = proto};

		return bpf_map_lookup_elem(&vd_service4_v1, &key);
	}
	struct vd_service6_key key = {.addr = *vip, .port = port, .proto = proto};

	return bpf_map_lookup_elem(&vd_service6_v1, &key);
}

/* @return NULL: the id is out of range. */
static __always_inline struct vd_backend *vd_backend_at(__u32 id)
{
	return bpf_map_lookup_elem(&vd_backend_v1, &id);
}

/* The backend that existing traffic was given, drained ones included. @return NULL: it is gone. */
static __always_inline struct vd_backend *vd_backend_kept(__u32 id, __u32 generation)
{
	struct vd_backend *b;

	if (id == 0)
		return NULL;
	b = vd_backend_at(id);
	return b && b->service_id != 0 && b->generation == generation ? b : NULL;
}

/* The backend if new traffic of this service may go there. */
static __always_inline struct vd_backend *vd_backend_open(__u32 id, __u32 service_id)
{
	struct vd_backend *b;

	if (id == 0)
		return NULL;
	b = vd_backend_at(id);
	if (!b || b->service_id != service_id || b->weight == 0)
		return NULL;
	return b;
}

/* @return the backend in that slot if it takes new traffic of the service; 0: it does not. */
static __always_inline __u32 vd_slot_open(__u32 slot, __u32 service_id)
{
	__u32 id = vd_member_at(slot);

	return vd_backend_open(id, service_id) ? id : 0;
}

/* The same without those that are ejected; they are noted as `spare`. */
static __always_inline __u32 vd_slot_healthy(__u32 slot, __u32 service_id, __u32 now_s,
					     __u32 *spare)
{
	__u32 id = vd_slot_open(slot, service_id);
	struct vd_load *l = vd_load_at(id);

	if (!id || !l || !vd_is_ejected(l, now_s))
		return id;
	*spare = id;
	return 0;
}

/* Times the weight. Idle backends cost alike whatever their weights: the slots say those. */
static __always_inline __u64 vd_cost(const struct vd_load *l, __u32 weight, __u32 pick, __u32 now_s)
{
	if (pick == VD_PICK_LEAST_LOADED)
		return l->open;
	return (vd_ewma_now_us(l, now_s) + 1) * (l->open + weight);
}

/* The lower cost per weight, without a division. A tie keeps the first: it is random already. */
static __always_inline __u32 vd_cheaper(__u32 first_id, __u32 second_id, __u32 pick, __u32 now_s)
{
	struct vd_load *first_load = vd_load_at(first_id);
	struct vd_load *second_load = vd_load_at(second_id);
	struct vd_backend *first = vd_backend_at(first_id);
	struct vd_backend *second = vd_backend_at(second_id);

	if (!first_load || !second_load || !first || !second)
		return first_id;
	return vd_cost(second_load, second->weight, pick, now_s) * first->weight <
			       vd_cost(first_load, first->weight, pick, now_s) * second->weight
		       ? second_id
		       : first_id;
}

/* The n-th slot that is tried. `start`: a hash, or round robin's turn; for the others any number.
 */
static __always_inline __u32 vd_slot_index(__u32 start, __u32 count, __u32 pick, __u32 n)
{
	if (pick == VD_PICK_HASH)
		return vd_hash_slot(vd_hash_again(start, n), count);
	if (pick == VD_PICK_ROUND_ROBIN)
		return (start + n) % count;
	return vd_hash_slot(bpf_get_prandom_u32(), count);
}

/* The better one of two random slots. Loops of their own: fewer variables at a time on the stack.
 */
static __always_inline __u32 vd_pick_of_two(__u32 offset, __u32 count, __u32 service_id, __u32 pick,
					    __u32 now_s)
{
	__u32 spare = 0;

	for (__u32 i = 0; i < VD_PICK_TRIES; i++) {
		__u32 slot = offset + vd_hash_slot(bpf_get_prandom_u32(), count);
		__u32 id = vd_slot_healthy(slot, service_id, now_s, &spare);
		__u32 other;

		slot = offset + vd_hash_slot(bpf_get_prandom_u32(), count);
		other = vd_slot_healthy(slot, service_id, now_s, &spare);
		if (vd_dry)
			vd_tell_compared(id, other);
		if (id && other)
			return vd_cheaper(id, other, pick, now_s);
		if (id || other)
			return id ? id : other;
	}
	return spare;
}

static __always_inline __u32 vd_pick_of_one(__u32 offset, __u32 count, __u32 service_id,
					    __u32 start, __u32 pick, __u32 now_s)
{
	__u32 spare = 0;

	for (__u32 i = 0; i < VD_PICK_TRIES; i++) {
		__u32 slot = offset + vd_slot_index(start, count, pick, i);
		__u32 id = vd_slot_healthy(slot, service_id, now_s, &spare);

		if (id)
			return id;
	}
	return spare;
}

/*
 * A backend id for new traffic, 0: none takes it. One that is ejected only if no other is found.
 * VD_PICK_HASH gives one flow the same backend as long as the slots do not change. A function of
 * its own, and of numbers alone: the verifier walks it once, and not once for every way to get
 * here.
 */
__attribute__((noinline)) __u32 vd_pick_id(__u32 offset, __u32 count, __u32 service_id, __u32 start,
					   __u32 pick)
{
	__u32 now_s = vd_now_s();

	if (count == 0)
		return 0;
	if (pick == VD_PICK_LEAST_LOADED || pick == VD_PICK_PEAK_EWMA)
		return vd_pick_of_two(offset, count, service_id, pick, now_s);
	return vd_pick_of_one(offset, count, service_id, start, pick, now_s);
}

/*
 * @return the backend that the client stays with, 0: none, or it was silent for longer than
 * `limit_s`. A function of its own: its stack is not its caller's.
 */
__attribute__((noinline)) __u32 vd_follow_affinity(struct vd_addr *client, __u32 service_id,
						   __u32 limit_s)
{
	struct vd_affinity_key key = {.service_id = service_id};
	__u32 now_s = vd_now_s();
	struct vd_affinity *a;
	struct vd_backend *b;
	struct vd_load *l;

	if (!client)
		return 0;
	key.client = *client;
	a = bpf_map_lookup_elem(&vd_affinity_v1, &key);
	if (!a || now_s - a->last_used_s > limit_s)
		return 0;
	b = vd_backend_kept(a->backend_id, a->backend_generation);
	l = vd_load_at(a->backend_id);
	if (!b || !l || b->weight == 0 || vd_is_ejected(l, now_s))
		return 0;
	if (a->last_used_s != now_s && !vd_dry)
		a->last_used_s = now_s;
	if (vd_dry)
		vd_tell_found(VD_FOUND_AFFINITY, 0);
	return a->backend_id;
}

/* Step: c->service gives new traffic to a backend. `client`: only affinity looks. */
static __always_inline enum vd_reason vd_pick_backend(struct vd_choice *c, __u8 pick,
						      struct vd_addr *client)
{
	struct vd_service *s = c->service;
	__u32 start = c->hash;

	if (s->slot_count == 0)
		return VD_NO_BACKEND;
	if (s->affinity_by != VD_AFFINITY_NONE) {
		c->backend_id = vd_follow_affinity(client, s->id, s->affinity_s);
		c->backend = vd_backend_open(c->backend_id, s->id);
		if (c->backend)
			return VD_NEXT;
	}
	if (vd_dry)
		vd_tell_found(VD_FOUND_PICK, pick);
	if (pick == VD_PICK_ROUND_ROBIN)
		start = vd_dry ? s->turn : __sync_fetch_and_add(&s->turn, 1);
	if (pick == VD_PICK_SOURCE)
		pick = VD_PICK_HASH;
	c->backend_id = vd_pick_id(s->slot_offset, s->slot_count, s->id, start, pick);
	c->backend = vd_backend_open(c->backend_id, s->id);
	if (!c->backend)
		return VD_NO_BACKEND;
	if (s->affinity_by != VD_AFFINITY_NONE && !vd_dry)
		vd_affinity_store(client, s->id, c->backend_id, c->backend->generation);
	return VD_NEXT;
}

#endif
