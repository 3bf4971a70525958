/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the dry copies of the programs answer "what would you do with such a flow": they take the
 * same steps, store and count nothing, and leave what they decided in vd_explain_v1.
 */
#ifndef VIADUCT_ABI_EXPLAIN_H
#define VIADUCT_ABI_EXPLAIN_H

#include <linux/types.h>
#include <viaduct/abi/address.h>
#include <viaduct/abi/service.h>

/* How the backend was found. */
enum vd_found {
	VD_FOUND_NONE = 0,
	VD_FOUND_PICK = 1,     /* picked anew */
	VD_FOUND_FLOW = 2,     /* the flow table knows the flow */
	VD_FOUND_AFFINITY = 3, /* the client went there before */
	VD_FOUND_FORMER = 4,   /* the slots before the last change, for what may be older than it */
};

/* Element 0 of vd_explain_v1 (array). Whoever asks writes 0 first, and reads after the run. */
struct vd_explanation {
	__u32 reason;	    /* enum vd_reason */
	__u32 found;	    /* enum vd_found */
	__u32 pick;	    /* enum vd_pick, if picked anew */
	__u32 service_id;   /* 0: none */
	__u32 backend_id;   /* 0: none */
	__u32 compared[2];  /* the two backends of which the better one was taken; 0: none */
	__u32 ifindex;	    /* the device that the packet leaves by; 0: the routes decide */
	struct vd_addr src; /* what the packet becomes; src is 0 for a socket and for a tunnel */
	struct vd_addr dst;
	__be16 sport;
	__be16 dport;
	__u32 flags; /* enum vd_flow_flags */
};
VD_ASSERT_SIZE(vd_explanation, 72);

/* Context of vd_explain_socket (BPF_PROG_TYPE_SYSCALL): a connect() to be. */
struct vd_explain_call {
	struct vd_addr addr;
	__be16 port;
	__u8 proto;
	__u8 pad[5];	    /* always 0 */
	__u64 netns_cookie; /* of the client */
};
VD_ASSERT_SIZE(vd_explain_call, 32);

#endif
