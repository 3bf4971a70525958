/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* A system call on a socket as the cgroup hooks see it, in one form for both families. */
#ifndef VIADUCT_BPF_CALL_H
#define VIADUCT_BPF_CALL_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>

#include "lib/addr.h"
#include "lib/select.h"

struct call {
	struct bpf_sock_addr *ctx;
	struct vd_addr addr; /* destination, or source of what was received */
	__be16 port;
	__u8 proto;
	bool is_v6; /* constant per program: which fields of ctx exist */
	__u64 netns_cookie; /* of the client; read only without a ctx */
	bool evicted; /* a UDP peer made room for another one */
	struct vd_choice choice;
};

static __always_inline struct call call_from_v4(struct bpf_sock_addr *ctx)
{
	return (struct call){
		.ctx = ctx,
		.addr = vd_addr_v4(ctx->user_ip4),
		.port = (__be16)ctx->user_port,
		.proto = (__u8)ctx->protocol,
	};
}

static __always_inline struct call call_from_v6(struct bpf_sock_addr *ctx)
{
	return (struct call){
		.ctx = ctx,
		.addr = {.words = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
				   ctx->user_ip6[3]}},
		.port = (__be16)ctx->user_port,
		.proto = (__u8)ctx->protocol,
		.is_v6 = true,
	};
}

/* The call goes on with another address. VIP and backend are of one family: mapped stays mapped. */
static __always_inline void call_set_addr(struct call *c, const struct vd_addr *addr, __be16 port)
{
	if (c->is_v6) {
		c->ctx->user_ip6[0] = addr->words[0];
		c->ctx->user_ip6[1] = addr->words[1];
		c->ctx->user_ip6[2] = addr->words[2];
		c->ctx->user_ip6[3] = addr->words[3];
	} else {
		c->ctx->user_ip4 = addr->words[3];
	}
	c->ctx->user_port = port;
}

#endif
