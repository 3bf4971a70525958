/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The maps of tc_dns, pinned by name in the daemon's bpffs folder. They are apart from maps.h, for
 * an object makes all maps that it names: a kernel that cannot make these loses tc_dns alone.
 */
#ifndef VIADUCT_BPF_DNS_MAPS_H
#define VIADUCT_BPF_DNS_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/dns.h>

#include "lib/dns_parse.h"

/* What an inner map looks like; a real one has more elements. Sizes instead of types, as clang 14
 * leaves the latter out of an inner map's BTF. */
struct vd_dns_index_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct vd_dns_bucket));
};

struct vd_dns_slot_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct vd_dns_slot));
};

/* written by viaductd, its inner map through mmap; read by tc_dns. Empty while a table is swapped.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__array(values, struct vd_dns_index_map);
} vd_dns_index_v1 SEC(".maps");

/* written by viaductd, its inner map through mmap; read by tc_dns */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__array(values, struct vd_dns_slot_map);
} vd_dns_slot_v1 SEC(".maps");

/* written by viaductd through mmap; read by tc_dns */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VD_DNS_MAX_ZONES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct vd_dns_zone);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_dns_zone_v1 SEC(".maps");

/* written by viaductd through mmap; read by tc_dns */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct vd_dns_control);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_dns_state_v1 SEC(".maps");

/* written by viaductd; read by tc_dns */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VD_DNS_MAX_SERVERS);
	__type(key, struct vd_dns_server_key);
	__type(value, __u32); /* unused */
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_dns_addr_v1 SEC(".maps");

/* written by viaductd; read by tc_dns */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, VD_DNS_MAX_SKIPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vd_dns_skip_key);
	__type(value, __u32); /* unused */
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_dns_skip_v1 SEC(".maps");

/* written by tc_dns, an element for each enum vd_dns_outcome; read by viaductd */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VD_DNS_OUTCOME_MAX);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_dns_count_v1 SEC(".maps");

#define VD_DNS_COPY_WORDS 32 /* of a slot or a zone */

/* What does not fit the stack. Its arrays are longer than what they hold by as much as the verifier
 * believes an offset or a length to be. */
struct vd_dns_scratch {
	union vd_dns_message query;
	union {
		__u64 words[VD_DNS_COPY_WORDS];
		struct vd_dns_slot slot;
		struct vd_dns_zone zone;
		__u8 octets[1032];
	} copy;
	__u8 tail[520];
};

/* written and read by tc_dns within one packet */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vd_dns_scratch);
} vd_dns_scratch SEC(".maps");

#endif
