/* SPDX-License-Identifier: Apache-2.0 */
/* Other machines, as the kernel sends to them, and what it remembers of flows on the way there. */
#ifndef VIADUCT_ABI_NODE_H
#define VIADUCT_ABI_NODE_H

#include <linux/types.h>
#include <viaduct/abi/address.h>
#include <viaduct/abi/service.h>

/* Element of vd_node_v1 at the node's id, id >= 1. Written once before a backend names it. */
struct vd_node {
	struct vd_addr addr; /* where tunnelled packets go; all zero: the id is free */
};
VD_ASSERT_SIZE(vd_node, 16);

/* Of a flow whose slot says another backend than before: the one it has. */
struct vd_flow_way {
	__u64 tag; /* a hash of the flow's tuple; 0: free */
	__u32 backend_id;
	__u32 backend_generation;
};

#define VD_FLOW_WAYS 4
#define VD_FLOW_WAY_NEW                                                                            \
	3 /* flows of which only the first packet was seen; others have the rest                   \
	   */

/* Element of vd_flow_set_v1: one cache line. */
struct vd_flow_set {
	struct vd_flow_way way[VD_FLOW_WAYS];
};
VD_ASSERT_SIZE(vd_flow_set, 64);

#endif
