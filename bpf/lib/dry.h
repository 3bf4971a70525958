/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Dry copies of the programs, for `viaductctl explain`: the loader sets vd_dry before it loads an
 * object once more, and the verifier then removes the branches of the other kind from each copy.
 */
#ifndef VIADUCT_BPF_DRY_H
#define VIADUCT_BPF_DRY_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/explain.h>
#include <viaduct/abi/reason.h>

#include "maps.h"

/* 1: take every step, store and count nothing, and explain. */
const volatile __u8 vd_dry = 0;

/* What the steps of this run told; a variable costs the stack nothing. */
__u32 vd_told_found, vd_told_pick, vd_told_first, vd_told_second;

static __always_inline void vd_tell_found(enum vd_found found, __u32 pick)
{
	vd_told_found = found;
	vd_told_pick = pick;
}

static __always_inline void vd_tell_compared(__u32 first_id, __u32 second_id)
{
	vd_told_first = first_id;
	vd_told_second = second_id;
}

/*
 * The answer to be filled in: what the steps told is in it, and forgotten.
 * @return never NULL, but the verifier asks.
 */
static __always_inline struct vd_explanation *vd_explanation_start(enum vd_reason reason)
{
	__u32 zero = 0;
	struct vd_explanation *e = bpf_map_lookup_elem(&vd_explain_v1, &zero);

	if (!e)
		return NULL;
	e->reason = reason;
	e->found = vd_told_found;
	e->pick = vd_told_pick;
	e->compared[0] = vd_told_first;
	e->compared[1] = vd_told_second;
	vd_tell_found(VD_FOUND_NONE, 0);
	vd_tell_compared(0, 0);
	return e;
}

#endif
