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

/* Functions of their own: fragments are rare, and the verifier walks these once. */

static __always_inline void fill_key(struct vd_fragment_key *key, const struct vd_flow_key *tuple,
				     __u32 id)
{
	key->src = tuple->src;
	key->dst = tuple->dst;
	key->id = id;
	key->proto = tuple->proto;
}

/* @return whether the ports of the datagram's first fragment are known; they are in the tuple then.
 */
__attribute__((noinline)) int load_ports(struct vd_flow_key *tuple, __u32 id)
{
	struct vd_fragment_key key = {};
	struct vd_fragment *f;

	if (!tuple)
		return 0;
	fill_key(&key, tuple, id);
	f = bpf_map_lookup_elem(&vd_fragment_v1, &key);
	if (!f || vd_now_s() - f->seen_s > VD_FRAGMENT_S)
		return 0;
	tuple->sport = f->sport;
	tuple->dport = f->dport;
	return 1;
}

/* A first fragment of a flow that is ours tells the others. */
__attribute__((noinline)) int keep_ports(struct vd_flow_key *tuple, __u32 id)
{
	struct vd_fragment_key key = {};
	struct vd_fragment value = {};

	if (!tuple)
		return -1;
	fill_key(&key, tuple, id);
	value.sport = tuple->sport;
	value.dport = tuple->dport;
	value.seen_s = vd_now_s();
	return bpf_map_update_elem(&vd_fragment_v1, &key, &value, BPF_ANY);
}

/* Step: the ports of a datagram whose first fragment was here. */
static __always_inline enum vd_reason find_ports(struct pkt *p)
{
	return load_ports(&p->tuple, p->fragment_id) ? VD_NEXT : VD_FRAGMENT;
}

#endif
