/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* ICMP echo to a VIP is answered in its name. */
#ifndef VIADUCT_BPF_ECHO_H
#define VIADUCT_BPF_ECHO_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>

#include "lib/icmp.h"
#include "lib/nat.h"
#include "lib/pkt.h"

/* An echo reply is the request with another type and the addresses exchanged. */
static __always_inline enum vd_reason answer_echo(struct pkt *p, __u8 type)
{
	__u32 field = p->l4 + __builtin_offsetof(struct vd_icmp, check);

	if (bpf_l4_csum_replace(p->skb, field, p->icmp_type, type, 2) ||
	    bpf_skb_store_bytes(p->skb, p->l4, &type, sizeof(type), 0))
		return VD_REWRITE_FAILED;
	p->nat.src = p->tuple.dst;
	p->nat.dst = p->tuple.src;
	if (store_addrs(p, 0))
		return VD_REWRITE_FAILED;
	p->way = VD_WAY_HOST;
	return VD_ECHOED;
}

#endif
