/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Tells a running trace of a new flow, a refusal, a drop or a failed connect. Without one this
 * costs a look at one word, and nothing for packets of known flows.
 */
#ifndef VIADUCT_BPF_EVENT_H
#define VIADUCT_BPF_EVENT_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/event.h>
#include <viaduct/abi/reason.h>

#include "lib/addr.h"
#include "lib/clock.h"
#include "lib/select.h"
#include "maps.h"

static __always_inline bool vd_trace_wants(const struct vd_trace *t, const struct vd_addr *vip,
					   __be16 port)
{
	const struct vd_addr any = {};

	if (t->until_s == 0 || vd_now_s() > t->until_s)
		return false;
	if (!vd_addr_equal(&t->vip, &any) && !vd_addr_equal(&t->vip, vip))
		return false;
	return t->port == 0 || t->port == port;
}

/*
 * @return a record to be filled in and given to vd_event_end(); NULL: nobody wants it, or there is
 * no room.
 */
static __always_inline struct vd_event *vd_event_start(enum vd_hook hook, enum vd_reason reason,
						       const struct vd_addr *vip, __be16 port,
						       __u8 proto)
{
	__u32 zero = 0;
	struct vd_trace *t = bpf_map_lookup_elem(&vd_trace_v1, &zero);
	struct vd_event *e;
	__u64 before;

	if (!t || !vd_trace_wants(t, vip, port))
		return NULL;
	before = __sync_fetch_and_add(&t->matched, 1);
	if (t->sample_every > 1 && before % t->sample_every != 0)
		return NULL;
	e = bpf_ringbuf_reserve(&vd_event_v1, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&t->lost, 1);
		return NULL;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->time_ns = bpf_ktime_get_ns();
	e->vip = *vip;
	e->vip_port = port;
	e->proto = proto;
	e->hook = hook;
	e->reason = reason;
	return e;
}

static __always_inline void vd_event_end(struct vd_event *e, const struct vd_choice *c)
{
	if (c->backend) {
		e->backend = c->backend->addr;
		e->backend_port = c->backend->port;
		e->backend_id = c->backend_id;
	}
	bpf_ringbuf_submit(e, 0);
}

#endif
