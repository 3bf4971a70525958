/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The only place that counts a reason and the only macro that returns. */
#ifndef VIADUCT_BPF_FINISH_H
#define VIADUCT_BPF_FINISH_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>

#include "lib/dry.h"
#include "maps.h"

/* Leaves the caller with the step's reason unless the step says "go on". */
#define VD_TRY(step)                                                                               \
	do {                                                                                       \
		enum vd_reason vd_try_reason = (step);                                             \
		if (vd_try_reason != VD_NEXT)                                                      \
			return vd_try_reason;                                                      \
	} while (0)

enum vd_verdict { VD_VERDICT_PASS, VD_VERDICT_REFUSE, VD_VERDICT_DROP };

/* One bit for each reason with that verdict. */
#define VD_REFUSE_BIT(name, verdict, help)                                                         \
	((VD_VERDICT_##verdict == VD_VERDICT_REFUSE ? 1ULL : 0) << VD_##name) |
#define VD_DROP_BIT(name, verdict, help)                                                           \
	((VD_VERDICT_##verdict == VD_VERDICT_DROP ? 1ULL : 0) << VD_##name) |
#define VD_REFUSE_MASK (VD_REASONS(VD_REFUSE_BIT) 0)
#define VD_DROP_MASK (VD_REASONS(VD_DROP_BIT) 0)

static __always_inline enum vd_verdict vd_verdict_of(enum vd_reason reason)
{
	if (VD_REFUSE_MASK >> reason & 1)
		return VD_VERDICT_REFUSE;
	return VD_DROP_MASK >> reason & 1 ? VD_VERDICT_DROP : VD_VERDICT_PASS;
}

static __always_inline void vd_count(enum vd_hook hook, enum vd_reason reason)
{
	__u32 index = hook * VD_REASON_MAX + reason;
	__u64 *count = bpf_map_lookup_elem(&vd_counter_v1, &index);

	if (count && !vd_dry)
		*count += 1;
}

#endif
