/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Whether an address is a VIP, whatever the port: its route leads into viaduct0. */
#ifndef VIADUCT_BPF_VIP_H
#define VIADUCT_BPF_VIP_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/addr.h"
#include "lib/pkt.h"

/* A function of its own: only what has no ports asks. @return 1 or 0; 0 too where the link does not
 * forward. */
__attribute__((noinline)) int is_vip_route(vd_context *ctx, struct vd_addr *to, __u32 link,
					   __u32 viaduct0)
{
	struct bpf_fib_lookup fib = {.ifindex = link};

	if (!to)
		return 0;
	if (vd_addr_is_v4(to)) {
		fib.family = VD_AF_INET;
		fib.ipv4_dst = to->words[3];
	} else {
		fib.family = VD_AF_INET6;
		__builtin_memcpy(fib.ipv6_dst, to, sizeof(*to));
	}
	switch (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return fib.ifindex == viaduct0;
	default:
		return 0;
	}
}

#endif
