/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Passive health: what connects through a VIP say of their backend. One that fails again and again
 * is ejected: it gets no new connections for a while, longer each time, as long as enough others
 * are left. Nobody else decides, so it works without the daemon.
 */
#ifndef VIADUCT_BPF_HEALTH_H
#define VIADUCT_BPF_HEALTH_H

#include <stdbool.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>
#include <viaduct/abi/service.h>

#include "lib/clock.h"
#include "maps.h"

const volatile __u32 vd_health_failures = 3; /* failed connects in a row; 0: nobody is ejected */
const volatile __u32 vd_health_backoff_s = 5;
const volatile __u32 vd_health_backoff_max_s = 60;
const volatile __u32 vd_health_max_percent =
	50; /* of a service's backends; one is always allowed */

#define VD_BACKOFF_DOUBLINGS_MAX 12
#define VD_EWMA_HALF_LIFE_S 4 /* an old connect time counts for half as much after that time */

static __always_inline struct vd_load *vd_load_at(__u32 id)
{
	return bpf_map_lookup_elem(&vd_load_v1, &id);
}

/* 1 or 0, without a branch: the verifier need not follow both. */
static __always_inline __u32 vd_is_ejected(const struct vd_load *l, __u32 now_s)
{
	return (now_s - l->ejected_until_s) >> 31;
}

/* The smoothed connect time as of now: without samples it is forgotten, so that a backend that was
 * slow gets its chance. */
static __always_inline __u64 vd_ewma_now_us(const struct vd_load *l, __u32 now_s)
{
	__u32 halvings = (now_s - l->ewma_at_s) / VD_EWMA_HALF_LIFE_S;

	return halvings < 32 ? l->ewma_us >> halvings : 0;
}

/* Peak EWMA: a time above the average replaces it, one below pulls it down by a quarter. */
static __always_inline void vd_note_time(struct vd_load *l, __u32 time_us, __u32 now_s)
{
	__u32 smoothed = (__u32)vd_ewma_now_us(l, now_s);

	l->ewma_us = time_us >= smoothed ? time_us : smoothed - (smoothed - time_us) / 4;
	l->ewma_at_s = now_s;
}

static __always_inline void vd_note_success(struct vd_load *l)
{
	if (l->failing)
		l->failing = 0;
	if (l->ejections)
		l->ejections = 0;
}

/* The backend id of a member of a service's region. */
static __always_inline __u32 vd_member_at(__u32 index)
{
	__u32 line = index / VD_SLOTS_PER_LINE;
	struct vd_slot_line *l = bpf_map_lookup_elem(&vd_slot_v1, &line);

	return l ? l->backend[index % VD_SLOTS_PER_LINE] : 0;
}

/*
 * May one more member be ejected? A function of its own, and of numbers alone: the verifier walks
 * it once.
 */
__attribute__((noinline)) __u32 vd_may_eject(__u32 first, __u32 room, __u32 max_percent,
					     __u32 now_s)
{
	__u32 members = 0, ejected = 0;

	for (__u32 i = 0; i < VD_MEMBERS_MAX; i++) {
		__u32 id;
		struct vd_load *l;

		if (i >= room)
			break;
		id = vd_member_at(first + i);
		l = vd_load_at(id);
		if (id == 0 || !l)
			break;
		members++;
		ejected += vd_is_ejected(l, now_s);
	}
	if (ejected + 1 >= members)
		return 0;
	return ejected == 0 || (ejected + 1) * 100 <= members * max_percent;
}

static __always_inline void vd_eject(struct vd_load *l, __u32 now_s)
{
	__u32 doublings =
		l->ejections < VD_BACKOFF_DOUBLINGS_MAX ? l->ejections : VD_BACKOFF_DOUBLINGS_MAX;
	__u32 backoff_s = vd_health_backoff_s << doublings;

	if (backoff_s > vd_health_backoff_max_s)
		backoff_s = vd_health_backoff_max_s;
	l->ejected_until_s = now_s + backoff_s;
	l->ejections += 1;
	l->ejected_total += 1;
	l->failing = vd_health_failures - 1; /* when it is back, one more failure is enough */
}

/* A connect failed. @param error  an errno. @return what came of it. */
static __always_inline enum vd_reason vd_note_failure(const struct vd_service *s, struct vd_load *l,
						      __u32 error)
{
	__u32 now_s = vd_now_s();

	l->last_error = error;
	__sync_fetch_and_add(&l->failures, 1);
	if (vd_health_failures == 0 ||
	    __sync_fetch_and_add(&l->failing, 1) + 1 < vd_health_failures ||
	    vd_is_ejected(l, now_s))
		return VD_CONNECT_FAILED;
	if (!vd_may_eject(s->slot_offset + s->slot_count, vd_member_room(s->slot_count),
			  vd_health_max_percent, now_s))
		return VD_EJECT_CAPPED;
	vd_eject(l, now_s);
	return VD_EJECTED;
}

#endif
