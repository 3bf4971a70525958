/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Addresses of both families in one form: IPv4 is ::ffff:a.b.c.d. Calls no kernel helper. */
#ifndef VIADUCT_BPF_ADDR_H
#define VIADUCT_BPF_ADDR_H

#include <stdbool.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/address.h>

#define VD_AF_INET 2
#define VD_AF_INET6 10
#define VD_V4_MAPPED bpf_htonl(0x0000ffff) /* third word of ::ffff:0:0/96 */

static __always_inline struct vd_addr vd_addr_v4(__be32 addr)
{
	return (struct vd_addr){.words = {0, 0, VD_V4_MAPPED, addr}};
}

static __always_inline bool vd_addr_is_v4(const struct vd_addr *a)
{
	return a->words[0] == 0 && a->words[1] == 0 && a->words[2] == VD_V4_MAPPED;
}

static __always_inline bool vd_addr_equal(const struct vd_addr *a, const struct vd_addr *b)
{
	return a->words[3] == b->words[3] && a->words[2] == b->words[2] &&
	       a->words[1] == b->words[1] && a->words[0] == b->words[0];
}

#endif
