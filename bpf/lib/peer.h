/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What a socket remembers of the VIPs it talks to. Every hook but the last runs under the socket's
 * lock, so entries need no other.
 */
#ifndef VIADUCT_BPF_PEER_H
#define VIADUCT_BPF_PEER_H

#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>

#include "lib/addr.h"
#include "lib/clock.h"
#include "lib/select.h"

static __always_inline struct vd_peer vd_peer_of(const struct vd_choice *c,
						 const struct vd_addr *vip, __be16 vip_port)
{
	return (struct vd_peer){
		.vip = *vip,
		.backend = c->backend->addr,
		.vip_port = vip_port,
		.backend_port = c->backend->port,
		.backend_id = c->backend_id,
		.backend_generation = c->backend->generation,
		.last_used_s = vd_now_s(),
	};
}

static __always_inline bool vd_peer_is_vip(const struct vd_peer *p, const struct vd_addr *vip,
					   __be16 port)
{
	return p->backend_id != 0 && p->vip_port == port && vd_addr_equal(&p->vip, vip);
}

static __always_inline bool vd_peer_is_backend(const struct vd_peer *p, const struct vd_addr *addr,
					       __be16 port)
{
	return p->backend_id != 0 && p->backend_port == port && vd_addr_equal(&p->backend, addr);
}

/*
 * May traffic of this peer stay with its backend? A drained backend keeps who is talking to it,
 * and loses who was silent for VD_UDP_IDLE_S.
 */
static __always_inline bool vd_peer_valid(const struct vd_peer *p, __u32 now_s)
{
	struct vd_backend *b = vd_backend_kept(p->backend_id, p->backend_generation);

	return b && (b->weight != 0 || now_s - p->last_used_s <= VD_UDP_IDLE_S);
}

/* Counts the socket out of its backend, once. An id that was handed out again is no longer its. */
static __always_inline void vd_sock_uncount(struct vd_sock *s)
{
	struct vd_load *load;

	if (!s->counted)
		return;
	s->counted = 0;
	if (!vd_backend_kept(s->peer.backend_id, s->peer.backend_generation))
		return;
	load = vd_load_at(s->peer.backend_id);
	if (load)
		__sync_fetch_and_add(&load->open, -1);
}

#endif
