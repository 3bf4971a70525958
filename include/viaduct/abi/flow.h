/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel remembers of a client: packet flows (vd_flow_v1, vd_flow_new_v1) and sockets
 * (vd_sock_v1, vd_sock_udp_v1). */
#ifndef VIADUCT_ABI_FLOW_H
#define VIADUCT_ABI_FLOW_H

#include <linux/types.h>
#include <viaduct/abi/address.h>
#include <viaduct/abi/limits.h>
#include <viaduct/abi/service.h>

/* A packet as it arrives. Replies are found by the rewritten tuple, reversed. */
struct vd_flow_key {
	struct vd_addr src;
	struct vd_addr dst;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 pad[3]; /* always 0 */
};
VD_ASSERT_SIZE(vd_flow_key, 40);

enum vd_flow_flags {
	VD_FLOW_REPLY = 1, /* this entry rewrites backend -> client packets */
	VD_FLOW_HOST =
	    2, /* the client is this host itself: replies are delivered through viaduct0 */
	VD_FLOW_HAIRPIN =
	    4, /* client and backend share an address: the VIP stands in as the source */
	VD_FLOW_CLOSING = 8, /* a FIN or RST was seen */
	VD_FLOW_UPLINK = 16, /* the client is on another machine; the answer leaves by an uplink */
	VD_FLOW_NEW = 32,    /* an entry of vd_flow_new_v1 */
	VD_FLOW_ANSWERED = 64, /* new, and the backend has answered */
};

/* What such a packet becomes: all four fields at once, so DNAT, SNAT and hairpin are one rule. */
struct vd_flow {
	struct vd_addr src;
	struct vd_addr dst;
	__be16 sport;
	__be16 dport;
	__u32 flags; /* enum vd_flow_flags */
	__u32 backend_id;
	__u32 backend_generation;
	__u32 created_s; /* CLOCK_MONOTONIC_COARSE, seconds */
	__u32 last_seen_s;
	__u64 packets;
};
VD_ASSERT_SIZE(vd_flow, 64);

/* Value of vd_flow_new_v1: a flow whose client has not followed an answer of the backend yet. */
struct vd_flow_new {
	struct vd_flow flow;
	__u32 answer_seq; /* TCP: sequence number of the answer, host order */
	__u32 pad;	  /* always 0 */
};
VD_ASSERT_SIZE(vd_flow_new, 72);

/* Key of vd_fragment_v1: a datagram in fragments (RFC 791, RFC 8200). */
struct vd_fragment_key {
	struct vd_addr src;
	struct vd_addr dst;
	__be32 id; /* IPv4: 16 bits */
	__u8 proto;
	__u8 pad[3]; /* always 0 */
};
VD_ASSERT_SIZE(vd_fragment_key, 40);

/* The ports, which only the first fragment has. */
struct vd_fragment {
	__be16 sport;
	__be16 dport;
	__u32 seen_s; /* CLOCK_MONOTONIC_COARSE, seconds */
};
VD_ASSERT_SIZE(vd_fragment, 8);

/* Key of vd_affinity_v1: a client of a service. */
struct vd_affinity_key {
	struct vd_addr client; /* an address, or VD_NETNS_PREFIX and a network namespace's cookie */
	__u32 service_id;
	__u32 pad; /* always 0 */
};
VD_ASSERT_SIZE(vd_affinity_key, 24);

/* The backend that the client stays with. */
struct vd_affinity {
	__u32 backend_id;
	__u32 backend_generation;
	__u32 last_used_s; /* CLOCK_MONOTONIC_COARSE, seconds */
	__u32 pad;	   /* always 0 */
};
VD_ASSERT_SIZE(vd_affinity, 16);

/* One VIP that a socket talks to. */
struct vd_peer {
	struct vd_addr vip;
	struct vd_addr backend;
	__be16 vip_port;
	__be16 backend_port;
	__u32 backend_id; /* 0: the entry is free */
	__u32 backend_generation;
	__u32 last_used_s; /* CLOCK_MONOTONIC_COARSE, seconds */
};
VD_ASSERT_SIZE(vd_peer, 48);

/* vd_sock_v1, socket storage: the VIP that a TCP or UDP socket is connected to. */
struct vd_sock {
	struct vd_peer peer;
	__u64 connected_ns; /* CLOCK_MONOTONIC when connect() was called */
	__u32 counted;	    /* 1: counted in vd_load.open of peer.backend_id */
	__u32 proto;
};
VD_ASSERT_SIZE(vd_sock, 64);

/* vd_sock_udp_v1, socket storage: the VIPs of an unconnected UDP socket, the latest ones. */
struct vd_sock_udp {
	struct vd_peer peers[VD_UDP_PEERS_MAX];
};

/* What sock_flows writes, one after the other: a socket of vd_sock_v1 that is connected to a VIP,
 * or about to be. */
struct vd_sock_flow {
	struct vd_addr local;
	__be16 local_port;
	__u16 pad;	     /* always 0 */
	__u32 netns;	     /* inode number of the socket's network namespace */
	__u64 cookie;	     /* SO_COOKIE */
	__u64 inode;	     /* as in /proc/PID/fd; 0: no process holds the socket any more */
	__u32 bound_ifindex; /* SO_BINDTODEVICE; 0: any device */
	__u32 pad1;	     /* always 0 */
	struct vd_sock sock;
};
VD_ASSERT_SIZE(vd_sock_flow, 112);

#endif
