/* SPDX-License-Identifier: Apache-2.0 */
/* What a running trace gets to see: vd_trace_v1 says whether and what, vd_event_v1 carries it. */
#ifndef VIADUCT_ABI_EVENT_H
#define VIADUCT_ABI_EVENT_H

#include <linux/types.h>
#include <viaduct/abi/address.h>
#include <viaduct/abi/service.h>

#define VD_COMM_BYTES 16

/* Record of vd_event_v1 (ring buffer): a new flow, a refusal, a drop, or a
 * connect that failed. */
struct vd_event {
	__u64 time_ns;	       /* CLOCK_MONOTONIC */
	struct vd_addr client; /* all 0: a socket that has no address yet */
	struct vd_addr vip;
	struct vd_addr backend; /* all 0: none was picked */
	__be16 client_port;	/* 0: as above */
	__be16 vip_port;
	__be16 backend_port;
	__u8 proto;
	__u8 hook; /* enum vd_hook */
	__u32 backend_id;
	__u32 pid;		  /* of the process whose system call it is; 0: a packet */
	__u8 reason;		  /* enum vd_reason */
	__u8 error;		  /* errno of a connect that failed */
	__u8 pad[6];		  /* always 0 */
	char comm[VD_COMM_BYTES]; /* of that process */
};
VD_ASSERT_SIZE(vd_event, 96);

/* Element 0 of vd_trace_v1 (mmapable array): the trace that is running. */
struct vd_trace {
	__u32 until_s; /* CLOCK_MONOTONIC_COARSE; nothing is written after that. 0: at no time */
	__u32 sample_every; /* one of so many events is written; 0 and 1: each */
	struct vd_addr vip; /* only what concerns this address; all 0: any */
	__be16 port;	    /* and this port; 0: any */
	__u16 pad0;	    /* always 0 */
	__u32 pid;	    /* of the tracer, for people */
	__u64 matched;	    /* events that the filter lets through; programs count */
	__u64 lost;	    /* those for which the ring buffer had no room; programs count */
	__u64 pad1[2];	    /* one cache line */
};
VD_ASSERT_SIZE(vd_trace, 64);

#endif
