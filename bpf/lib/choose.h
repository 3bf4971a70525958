/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* From a system call's destination to a backend. */
#ifndef VIADUCT_BPF_CHOOSE_H
#define VIADUCT_BPF_CHOOSE_H

#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>

#include "lib/affinity.h"
#include "lib/call.h"
#include "lib/dry.h"
#include "lib/finish.h"
#include "lib/hash.h"
#include "lib/select.h"

static __always_inline enum vd_reason check_protocol(struct call *c)
{
	return c->proto == IPPROTO_TCP || c->proto == IPPROTO_UDP ? VD_NEXT : VD_NOT_L4;
}

static __always_inline enum vd_reason find_service(struct call *c)
{
	struct vd_service *service = vd_find_service(&c->addr, c->port, c->proto);

	if (!service)
		return VD_NOT_VIP;
	c->choice.service = service;
	return VD_NEXT;
}

/* A call without a context has no socket: another one's hash may differ. */
static __always_inline __u32 hash_of_socket(struct call *c)
{
	__u64 cookie = c->ctx ? bpf_get_socket_cookie(c->ctx) : 0;

	return vd_hash_socket(cookie, &c->addr, c->port, c->proto);
}

static __always_inline enum vd_reason pick_backend(struct call *c)
{
	__u64 netns = c->ctx ? bpf_get_netns_cookie(c->ctx) : c->netns_cookie;
	struct vd_addr client = vd_client_of_netns(netns);
	__u8 pick = c->choice.service->sock_pick;
	struct vd_load *load;

	if (pick == VD_PICK_HASH)
		c->choice.hash = hash_of_socket(c);
	else if (pick == VD_PICK_SOURCE)
		c->choice.hash = vd_hash_client(&client, &c->addr, c->port, c->proto);
	VD_TRY(vd_pick_backend(&c->choice, pick, &client));
	load = vd_load_at(c->choice.backend_id);
	if (load && !vd_dry)
		__sync_fetch_and_add(&load->connects, 1);
	return VD_NEXT;
}

#endif
