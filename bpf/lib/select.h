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
#define VD_PICK_TRIES 8

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
	return b && b->generation == generation ? b : NULL;
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

/* @return the backend id in the service's slot for this hash; 0: none. */
static __always_inline __u32 vd_slot_read(const struct vd_service *service, __u32 hash)
{
	__u32 slot = service->slot_offset + vd_hash_slot(hash, service->slot_count);
	__u32 line = slot / VD_SLOTS_PER_LINE;
	struct vd_slot_line *l = bpf_map_lookup_elem(&vd_slot_v1, &line);

	return l ? l->backend[slot % VD_SLOTS_PER_LINE] : 0;
}

/* Open connections per weight, without a division. A tie keeps the first: it is random already. */
static __always_inline bool vd_less_loaded(__u32 id, const struct vd_backend *b, __u32 than_id,
					   const struct vd_backend *than)
{
	struct vd_load *load = vd_load_at(id);
	struct vd_load *than_load = vd_load_at(than_id);

	if (!load || !than_load)
		return false;
	return (__u64)load->open * than->weight < (__u64)than_load->open * b->weight;
}

static __always_inline void vd_take(struct vd_choice *c, __u32 id, struct vd_backend *b)
{
	c->backend_id = id;
	c->backend = b;
}

static __always_inline void vd_try_slot(struct vd_choice *c, __u32 hash)
{
	__u32 id = vd_slot_read(c->service, hash);
	struct vd_backend *b = vd_backend_open(id, c->service->id);

	if (b && (!c->backend || vd_less_loaded(id, b, c->backend_id, c->backend)))
		vd_take(c, id, b);
}

/*
 * Step: a backend for new traffic.
 * VD_PICK_HASH gives one flow the same backend as long as the slots do not change.
 */
static __always_inline enum vd_reason vd_pick_backend(struct vd_choice *c, __u8 pick)
{
	vd_take(c, 0, NULL);
	if (c->service->slot_count == 0)
		return VD_NO_BACKEND;
	for (__u32 i = 0; i < VD_PICK_TRIES; i++) {
		vd_try_slot(c, pick == VD_PICK_HASH ? vd_hash_again(c->hash, i)
						    : bpf_get_prandom_u32());
		if (pick == VD_PICK_LEAST_LOADED)
			vd_try_slot(c, bpf_get_prandom_u32());
		if (c->backend)
			return VD_NEXT;
	}
	return VD_NO_BACKEND;
}

#endif
