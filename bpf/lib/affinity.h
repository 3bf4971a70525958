/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* A client that stays with its backend: who the client is, and where it went last. */
#ifndef VIADUCT_BPF_AFFINITY_H
#define VIADUCT_BPF_AFFINITY_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>

#include "lib/clock.h"
#include "maps.h"

/* First word of the address that stands for a network namespace; 0100::/64 is the discard prefix
 * (RFC 6666), from which nobody sends. */
#define VD_NETNS_PREFIX bpf_htonl(0x01000000)

static __always_inline struct vd_addr vd_client_of_netns(__u64 cookie)
{
	return (struct vd_addr){
		.words = {VD_NETNS_PREFIX, 0, (__u32)(cookie >> 32), (__u32)cookie}};
}

/* A function of its own: its stack is not its caller's. */
__attribute__((noinline)) int vd_affinity_store(struct vd_addr *client, __u32 service_id,
						__u32 backend_id, __u32 generation)
{
	struct vd_affinity_key key = {.service_id = service_id};
	struct vd_affinity value = {
		.backend_id = backend_id,
		.backend_generation = generation,
		.last_used_s = vd_now_s(),
	};

	if (!client)
		return 0;
	key.client = *client;
	return bpf_map_update_elem(&vd_affinity_v1, &key, &value, BPF_ANY);
}

#endif
