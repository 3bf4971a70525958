/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service as the kernel sees it: exact key -> slot region -> backend.
 * Layout of the maps: vd_service4_v1 and vd_service6_v1 (hash), vd_slot_v1, vd_backend_v1,
 * vd_load_v1 (mmapable arrays).
 */
#ifndef VIADUCT_ABI_SERVICE_H
#define VIADUCT_ABI_SERVICE_H

#include <linux/types.h>
#include <viaduct/abi/address.h>
#include <viaduct/abi/limits.h>
#include <viaduct/abi/size.h>

struct vd_service4_key {
	__be32 addr;
	__be16 port;
	__u8 proto; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 scope; /* always 0 */
};
VD_ASSERT_SIZE(vd_service4_key, 8);

struct vd_service6_key {
	struct vd_addr addr;
	__be16 port;
	__u8 proto;
	__u8 scope; /* always 0 */
};
VD_ASSERT_SIZE(vd_service6_key, 20);

/* How a backend is picked from a service's slots. */
enum vd_pick {
	VD_PICK_HASH = 0,   /* slot[hash of the flow]: Maglev */
	VD_PICK_RANDOM = 1, /* a random slot */
	VD_PICK_LEAST_LOADED =
	    2,		    /* of two random slots the one with fewer open connections per weight */
	VD_PICK_SOURCE = 3, /* slot[hash of the client] */
	VD_PICK_ROUND_ROBIN = 4, /* the slots in turn; user space deals them out by weight */
	VD_PICK_PEAK_EWMA =
	    5, /* of two random slots the lower smoothed connect time x open connections */
};

/* What makes two connections one client's. A socket has no address yet when it connects: its
 * network namespace stands for it. */
enum vd_affinity_by {
	VD_AFFINITY_NONE = 0,
	VD_AFFINITY_CLIENT = 1,
	VD_AFFINITY_NETNS = 2, /* for packets the same as VD_AFFINITY_CLIENT */
};

/* Value of both service maps. Written last when a service appears or changes, so that what it names
 * exists. */
struct vd_service {
	__u32 id;	     /* >= 1, unique while the service exists */
	__u32 slot_offset;   /* first slot of the region, counted in slots */
	__u32 slot_count;    /* 0: nobody takes new connections, they are refused */
	__u8 sock_pick;	     /* enum vd_pick for connect() and sendmsg() */
	__u8 packet_pick;    /* enum vd_pick for packets */
	__u8 affinity_by;    /* enum vd_affinity_by */
	__u8 pad0;	     /* always 0 */
	__u32 affinity_s;    /* a client silent for longer is picked anew */
	__u32 turn;	     /* round robin's next slot; kernel counts, user space writes 0 */
	__u32 before_offset; /* the region that this one replaced, as long as its flows matter */
	__u32 before_count;  /* 0: none */
	__u32 before_s;	     /* CLOCK_MONOTONIC when that was */
	__u32 pad1;	     /* always 0 */
};
VD_ASSERT_SIZE(vd_service, 40);

/*
 * A service's region: its slots, then its members, vd_member_room(slot_count) of them: the ids of
 * its backends that take new connections, each once, 0 where there are no more. More backends than
 * room: a sample.
 */
static inline __u32 vd_member_room(__u32 slot_count)
{
	return slot_count < VD_MEMBERS_MAX ? slot_count : VD_MEMBERS_MAX;
}

/* Element of vd_slot_v1: slot s is lines[s / 16].backend[s % 16]; a backend id, 0 = none. */
struct vd_slot_line {
	__u32 backend[VD_SLOTS_PER_LINE];
};
VD_ASSERT_SIZE(vd_slot_line, 64);

/*
 * Element of vd_backend_v1 at the backend's id. A backend belongs to exactly one service.
 * weight 0: drained, existing flows live on. generation changes whenever the id is given to a
 * backend or taken from it, so whoever remembers id and generation sees that his backend is gone.
 * service_id 0: the id is free.
 */
struct vd_backend {
	struct vd_addr addr; /* same family as the VIP */
	__be16 port;
	__u16 weight;
	__u32 generation;
	__u32 service_id;
	__u32 node_id; /* element of vd_node_v1; 0: on this machine, or reached without a tunnel */
};
VD_ASSERT_SIZE(vd_backend, 32);

/* Element of vd_load_v1 at the backend's id. Kernel counts, user space zeroes when it hands the id
 * out. */
struct vd_load {
	__u32 open;	/* sockets connected through a socket hook and not yet released */
	__u32 failing;	/* failed connects since the last one that succeeded */
	__u64 connects; /* picks by a socket hook */
	__u64 flows;	/* flows created by a packet hook */
	__u64 packets;	/* packets forwarded by a packet hook, towards the backend */
	__u64 failures; /* failed connects */
	__u32
	    ejected_until_s; /* CLOCK_MONOTONIC_COARSE; no new connections before that. 0: never */
	__u32 ejections;     /* in a row, without a connect that succeeded: doubles the time */
	__u32 ejected_total;
	__u32 last_error; /* errno of the last failed connect */
	__u32 ewma_us;	  /* smoothed time of a TCP connect; 0: not known */
	__u32 ewma_at_s;  /* CLOCK_MONOTONIC_COARSE of its last sample */
};
VD_ASSERT_SIZE(vd_load, 64);

#endif
