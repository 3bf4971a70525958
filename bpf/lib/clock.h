/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Coarse time for ages: a few nanoseconds a read, as exact as the kernel's tick. */
#ifndef VIADUCT_BPF_CLOCK_H
#define VIADUCT_BPF_CLOCK_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include "lib/dry.h"

/* CLOCK_MONOTONIC_COARSE in seconds. */
static __always_inline __u32 vd_now_s(void)
{
	/* A program of type syscall, which is dry, has no coarse clock. */
	__u64 now_ns = vd_dry ? bpf_ktime_get_ns() : bpf_ktime_get_coarse_ns();

	return (__u32)(now_ns / 1000000000);
}

#endif
