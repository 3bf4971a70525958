/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The hash by which traffic from other machines finds its slot: of the flow, or of the client alone
 * if that is what the service's policy looks at. Equal on every machine.
 */
#ifndef VIADUCT_BPF_FLOW_HASH_H
#define VIADUCT_BPF_FLOW_HASH_H

#include <viaduct/abi/service.h>

#include "lib/hash.h"
#include "lib/pkt.h"

static __always_inline enum vd_pick steady_rule(const struct vd_service *s)
{
	return s->packet_pick == VD_PICK_SOURCE || s->affinity_by != VD_AFFINITY_NONE
		       ? VD_PICK_SOURCE
		       : VD_PICK_HASH;
}

static __always_inline __u32 steady_hash(const struct pkt *p, const struct vd_service *s)
{
	const struct vd_flow_key *t = &p->tuple;

	if (steady_rule(s) == VD_PICK_SOURCE)
		return vd_hash_client(&t->src, &t->dst, t->dport, t->proto);
	return vd_hash_flow(&t->src, t->sport, &t->dst, t->dport, t->proto);
}

#endif
