/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * IP fragments follow their first one, which alone has the ports: it leaves them for the others.
 * One that overtakes its first is left to the kernel.
 */
#ifndef VIADUCT_BPF_FRAGMENT_H
#define VIADUCT_BPF_FRAGMENT_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/reason.h>

#include "lib/finish.h"
#include "lib/parse.h"
#include "lib/pkt.h"
#include "maps.h"

static __always_inline struct vd_fragment_key fragment_key(const struct pkt *p)
{
	return (struct vd_fragment_key){
		.src = p->tuple.src,
		.dst = p->tuple.dst,
		.id = p->fragment_id,
		.proto = p->tuple.proto,
	};
}

/* Step: the ports of a datagram whose first fragment was here. */
static __always_inline enum vd_reason find_ports(struct pkt *p)
{
	struct vd_fragment_key key = fragment_key(p);
	struct vd_fragment *f = bpf_map_lookup_elem(&vd_fragment_v1, &key);

	if (!f || vd_now_s() - f->seen_s > VD_FRAGMENT_S)
		return VD_FRAGMENT;
	p->tuple.sport = f->sport;
	p->tuple.dport = f->dport;
	return VD_NEXT;
}

/* A first fragment of a flow that is ours tells the others. */
static __always_inline void keep_ports(struct pkt *p)
{
	struct vd_fragment_key key = fragment_key(p);
	struct vd_fragment value = {
		.sport = p->tuple.sport,
		.dport = p->tuple.dport,
		.seen_s = vd_now_s(),
	};

	bpf_map_update_elem(&vd_fragment_v1, &key, &value, BPF_ANY);
}

#endif
