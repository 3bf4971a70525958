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
#include "lib/hash.h"
#include "maps.h"

/* Slots tried before refusing: while the maps change, one may name a backend that takes nobody. */
#define VD_PICK_TRIES 16

struct vd_choice {
	struct vd_service *service;
	struct vd_backend *backend;
	__u32 backend_id;
	__u32 hash; /* of the flow; only VD_PICK_HASH looks */
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

static __always_inline struct vd_load *vd_load_at(__u32 id)
{
	return bpf_map_lookup_elem(&vd_load_v1, &id);
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

/* @return the backend id in one of `count` slots from `offset` on; 0: none. */
static __always_inline __u32 vd_slot_read(__u32 offset, __u32 count, __u32 hash)
{
	__u32 slot = offset + vd_hash_slot(hash, count);
	__u32 line = slot / VD_SLOTS_PER_LINE;
	struct vd_slot_line *l = bpf_map_lookup_elem(&vd_slot_v1, &line);

	return l ? l->backend[slot % VD_SLOTS_PER_LINE] : 0;
}

/* Open connections per weight, without a division. A tie keeps the first: it is random already. */
static __always_inline __u32 vd_less_loaded(__u32 first_id, __u32 second_id)
{
	struct vd_load *first_load = vd_load_at(first_id);
	struct vd_load *second_load = vd_load_at(second_id);
	struct vd_backend *first = vd_backend_at(first_id);
	struct vd_backend *second = vd_backend_at(second_id);

	if (!first_load || !second_load || !first || !second)
		return first_id;
	return (__u64)second_load->open * first->weight < (__u64)first_load->open * second->weight
		       ? second_id
		       : first_id;
}

/* @return the backend in that slot if it takes new traffic of the service; 0: it does not. */
static __always_inline __u32 vd_slot_open(__u32 offset, __u32 count, __u32 service_id, __u32 hash)
{
	__u32 id = vd_slot_read(offset, count, hash);

	return vd_backend_open(id, service_id) ? id : 0;
}

/*
 * A backend id for new traffic, 0: none takes it. VD_PICK_HASH gives one flow the same backend as
 * long as the slots do not change. A function of its own, and of numbers alone: the verifier walks
 * it once, and not once for every way to get here.
 */
__attribute__((noinline)) __u32 vd_pick_id(__u32 offset, __u32 count, __u32 service_id, __u32 hash,
					   __u32 pick)
{
	for (__u32 i = 0; i < VD_PICK_TRIES; i++) {
		__u32 at = pick == VD_PICK_HASH ? vd_hash_again(hash, i) : bpf_get_prandom_u32();
		__u32 id = vd_slot_open(offset, count, service_id, at);
		__u32 other;

		if (pick == VD_PICK_LEAST_LOADED) {
			other = vd_slot_open(offset, count, service_id, bpf_get_prandom_u32());
			if (id && other)
				id = vd_less_loaded(id, other);
			else if (other)
				id = other;
		}
		if (id)
			return id;
	}
	return 0;
}

/* Step: c->service gives new traffic to a backend. */
static __always_inline enum vd_reason vd_pick_backend(struct vd_choice *c, __u8 pick)
{
	struct vd_service *s = c->service;

	if (s->slot_count == 0)
		return VD_NO_BACKEND;
	c->backend_id = vd_pick_id(s->slot_offset, s->slot_count, s->id, c->hash, pick);
	c->backend = vd_backend_open(c->backend_id, s->id);
	return c->backend ? VD_NEXT : VD_NO_BACKEND;
}

#endif
