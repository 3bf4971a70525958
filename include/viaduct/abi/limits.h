/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds that kernel and user space agree on. Sizes marked "default" are settable in the
 * configuration. */
#ifndef VIADUCT_ABI_LIMITS_H
#define VIADUCT_ABI_LIMITS_H

#define VD_MAX_SERVICES 131072	 /* entries of each service map, default */
#define VD_MAX_BACKENDS 131072	 /* ids 0..VD_MAX_BACKENDS-1; id 0 is never a backend; default */
#define VD_SLOTS_PER_LINE 16	 /* slots in one element of the slot map */
#define VD_MAX_SLOT_LINES 720896 /* 11.5 million slots, 46 MB; default */
#define VD_MAX_FLOWS 131072	 /* entries of the flow table (two a flow), default */
#define VD_MAX_NEW_FLOWS 16384	 /* entries of the table of new flows, default */
#define VD_MAX_AFFINITIES 65536	 /* clients that are remembered by affinity, default */
#define VD_MAX_NODES 4096	 /* ids of other machines; id 0 is never one */
#define VD_FLOW_SETS 16384	 /* of VD_FLOW_WAYS flows each; a power of two */
#define VD_MAX_FRAGMENTS 8192	 /* datagrams in fragments that are followed at a time */
#define VD_FRAGMENT_S 30	 /* a fragment that comes later is not followed */
#define VD_UDP_BEFORE_S 30	 /* UDP heard of later after a change goes by the new slots */
#define VD_MEMBERS_MAX 64	 /* backends of a service that health looks at together */
#define VD_EVENT_BYTES 262144	 /* ring buffer of a trace: 2520 events */
#define VD_UDP_PEERS_MAX 16	 /* VIPs that one unconnected UDP socket can talk to at a time */
#define VD_IPV6_EXT_MAX 4	 /* IPv6 extension headers that are walked */
#define VD_UDP_IDLE_S 120	 /* a UDP flow silent for longer is picked anew */

#endif
