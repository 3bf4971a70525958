/* SPDX-License-Identifier: Apache-2.0 */
/* The answer table: what names exist and what is answered about them. One thread of viaductd writes
 * it through mmap; its DNS workers and tc_dns read it. Without BPF it lies in plain memory. */
#ifndef VIADUCT_ABI_DNS_H
#define VIADUCT_ABI_DNS_H

#include <linux/types.h>
#include <viaduct/abi/address.h>
#include <viaduct/abi/size.h>

#define VD_DNS_BUCKET_ENTRIES 8
#define VD_DNS_SLOT_DATA 240 /* octets of a slot behind its head */
#define VD_DNS_MAX_NAME 255
#define VD_DNS_MAX_ZONES 64
#define VD_DNS_NEGATIVE_MAX 240
#define VD_DNS_SLOT_SETS                                                                           \
	6 /* most record sets in a slot; names with more are answered elsewhere                    \
	   */

/*
 * Hash of a folded wire name: h = seed ^ octets; for each word of 8 octets (little endian, the last
 * one filled up with zeros): h = (h ^ word) * VD_DNS_HASH_FACTOR, h ^= h >> 32. A name stands in
 * one of two buckets: (h & mask) and (((h >> 20) * VD_DNS_HASH_FACTOR >> 32) & mask).
 */
#define VD_DNS_HASH_FACTOR 0x9fb21c651e98df25ULL

/* Element 0 of vd_dns_index_v1. */
struct vd_dns_index_head {
	__u64 seed;
	__u64 mask; /* buckets - 1; bucket b is element b + 1 */
	__u64 unused[6];
};
VD_ASSERT_SIZE(vd_dns_index_head, 64);

/* Another element of vd_dns_index_v1: one cache line. */
struct vd_dns_bucket {
	__u64 entries[VD_DNS_BUCKET_ENTRIES]; /* upper half of the hash << 32 | slot + 1; 0: free */
};
VD_ASSERT_SIZE(vd_dns_bucket, 64);

#define VD_DNS_ELSEWHERE 0x01 /* the sets do not fit: only user space answers */

/* Element of vd_dns_slot_v1: a name, and its record sets if they fit. */
struct vd_dns_slot {
	__u32 seq;	  /* odd while the slot is written; readers copy, then look again */
	__u32 below;	  /* names right below this one that exist; for the writer */
	__u8 name_octets; /* of the wire form; 0: the slot is free */
	__u8 zone;	  /* element of vd_dns_zone_v1 */
	__u8 sets;	  /* record sets in `data`; 0: only names below exist */
	__u8 flags;
	__u16 data_octets; /* in use */
	__u16 unused;
	/* The folded name filled up with zeros to 8 octets, then each set: struct vd_dns_set, its
	 * body, zeros up to 8 octets. */
	__u8 data[VD_DNS_SLOT_DATA];
};
VD_ASSERT_SIZE(vd_dns_slot, 256);

/* What stands before a record set's body. */
struct vd_dns_set {
	__u16 type;
	__u16 records;
	__u16 unit_octets; /* of one record, if there are several and all are as long; else 0 */
	__u16 body_octets; /* the answer section: every owner is the pointer to the question */
};
VD_ASSERT_SIZE(vd_dns_set, 8);

/* Element of vd_dns_zone_v1: the authority section of negative answers. */
struct vd_dns_zone {
	__u32 seq;  /* as of a slot */
	__u8 ready; /* 0: what exists is not known, user space answers SERVFAIL */
	__u8 apex_octets;
	__u16 negative_octets; /* the SOA; its owner is to be the pointer 0xc000 | (12 + octets of
				  the question's name - apex_octets) */
	__u8 negative[VD_DNS_NEGATIVE_MAX];
	__u16 flags; /* that its answers have besides those of all */
	__u8 unused[6];
};
VD_ASSERT_SIZE(vd_dns_zone, 256);

#define VD_DNS_RECURSION 0x0080 /* the flag RA, as it stands in a header in host order */

/* Element 0 of vd_dns_state_v1. */
struct vd_dns_control {
	__u64 alive_ns; /* CLOCK_MONOTONIC, when viaductd last said that it lives */
	__u16 flags;	/* that all answers have besides those of the question */
	__u8 enabled;	/* 0: every query goes to user space */
	__u8 skips;	/* vd_dns_skip_v1 has entries */
	__be16 port;	/* of every server; 0: they differ */
	__u8 unused[2];
};
VD_ASSERT_SIZE(vd_dns_control, 16);

#define VD_DNS_ALIVE_NS 4000000000ULL /* older than that: every query goes to user space */

/* Key of vd_dns_addr_v1: an address that DNS is answered on. */
struct vd_dns_server_key {
	struct vd_addr address;
	__be16 port;
	__u16 unused;
};
VD_ASSERT_SIZE(vd_dns_server_key, 20);

#define VD_DNS_MAX_SERVERS 256
#define VD_DNS_MAX_SKIPS 4096

/* Key of vd_dns_skip_v1: clients that only user space answers. */
struct vd_dns_skip_key {
	__u32 prefix_bits; /* of the 128 that are compared */
	struct vd_addr client;
};
VD_ASSERT_SIZE(vd_dns_skip_key, 20);

/*
 * What tc_dns does with a packet to a server; an element of vd_dns_count_v1 each, which counts them
 * per CPU. All but the first three and the last go up to user space untouched. X(NAME, help)
 */
#define VD_DNS_OUTCOMES(X)                                                                         \
	X(NEXT, "goes on; never counted")                                                          \
	X(ANSWERED, "answered with records")                                                       \
	X(NO_DATA, "answered: the name has no record of that type")                                \
	X(FOREIGN, "no plain UDP packet to a server; never counted")                               \
	X(OFF, "the kernel's answers are off")                                                     \
	X(STALE, "viaductd has not said for too long that it lives")                               \
	X(SKIPPED, "the client is one of dns.kernel_skip")                                         \
	X(ODD, "not one plain question, or a long name, or SRV")                                   \
	X(UNKNOWN, "the table does not have the name")                                             \
	X(LONG, "the name's records do not fit the table's slot")                                  \
	X(NOT_READY, "the zone is not complete, or another one lies within it")                    \
	X(BUSY, "the name was being written")                                                      \
	X(NO_ROOM, "the packet could not be made longer")                                          \
	X(BROKEN, "dropped: the answer could not be written")

#define VD_DNS_OUTCOME(name, help) VD_DNS_##name,
enum vd_dns_outcome { VD_DNS_OUTCOMES(VD_DNS_OUTCOME) VD_DNS_OUTCOME_COUNT };
#undef VD_DNS_OUTCOME
#define VD_DNS_OUTCOME_MAX 32 /* elements of vd_dns_count_v1 */

#endif
