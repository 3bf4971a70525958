// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * sockops: what becomes of TCP connects that sock_lb sent to a backend. Success and its time, and
 * failure: refused, unreachable, or not answered (each time the kernel repeats the SYN, from one
 * second on). Always returns 1.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/reason.h>

#include "lib/event.h"
#include "lib/finish.h"
#include "lib/health.h"
#include "lib/select.h"
#include "maps.h"

#define VD_AF_INET 2

/* Of the kernel's structs the fields that are read; libbpf finds their places when it loads. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct sock {
	int sk_err;
};
struct inet_sock {
	struct sock sk;
};
struct inet_connection_sock {
	struct inet_sock icsk_inet;
};
struct tcp_sock {
	struct inet_connection_sock inet_conn;
};
#pragma clang attribute pop

struct connecting {
	struct vd_sock *sock;
	struct vd_load *load;
	struct vd_service *service;
};

/* Step: the VIP and the backend of the socket. */
static __always_inline enum vd_reason find_connecting(struct bpf_sock_ops *ctx,
						      struct connecting *c)
{
	struct bpf_sock *sk = ctx->sk;
	struct vd_peer *p;

	c->sock = sk ? bpf_sk_storage_get(&vd_sock_v1, sk, NULL, 0) : NULL;
	if (!c->sock)
		return VD_NOT_VIP;
	p = &c->sock->peer;
	if (!vd_backend_kept(p->backend_id, p->backend_generation))
		return VD_BACKEND_GONE;
	c->load = vd_load_at(p->backend_id);
	c->service = vd_find_service(&p->vip, p->vip_port, IPPROTO_TCP);
	return c->load && c->service ? VD_NEXT : VD_NO_SERVICE;
}

/* Step: the kernel shall tell what becomes of this connect. */
static __always_inline enum vd_reason watch(struct bpf_sock_ops *ctx)
{
	struct connecting c;

	VD_TRY(find_connecting(ctx, &c));
	bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG |
					       BPF_SOCK_OPS_RTO_CB_FLAG);
	return VD_NEXT;
}

static __always_inline enum vd_reason succeed(struct bpf_sock_ops *ctx)
{
	struct connecting c;

	VD_TRY(find_connecting(ctx, &c));
	vd_note_success(c.load);
	vd_note_time(c.load, (__u32)((bpf_ktime_get_ns() - c.sock->connected_ns) / 1000),
		     vd_now_s());
	return VD_CONNECTED;
}

static __always_inline enum vd_reason fail(struct bpf_sock_ops *ctx, __u32 error)
{
	struct connecting c;

	VD_TRY(find_connecting(ctx, &c));
	return vd_note_failure(c.service, c.load, error);
}

/* The socket's pending error; 0: its owner gave up by himself. */
static __always_inline __u32 socket_error(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct tcp_sock *tcp = sk ? bpf_skc_to_tcp_sock(sk) : NULL;

	return tcp ? (__u32)tcp->inet_conn.icsk_inet.sk.sk_err : 0;
}

static __always_inline enum vd_reason state_changed(struct bpf_sock_ops *ctx)
{
	__u32 error;

	if (ctx->args[0] != BPF_TCP_SYN_SENT || ctx->args[1] != BPF_TCP_CLOSE)
		return VD_NEXT;
	error = socket_error(ctx);
	return error ? fail(ctx, error) : VD_NEXT;
}

static __always_inline enum vd_reason health(struct bpf_sock_ops *ctx)
{
	switch (ctx->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		return watch(ctx);
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		return succeed(ctx);
	case BPF_SOCK_OPS_STATE_CB:
		return state_changed(ctx);
	case BPF_SOCK_OPS_RTO_CB:
		return ctx->state == BPF_TCP_SYN_SENT ? fail(ctx, ETIMEDOUT) : VD_NEXT;
	default:
		return VD_NEXT;
	}
}

static __always_inline void set_client(struct vd_event *e, struct bpf_sock_ops *ctx)
{
	__be32 v4 = ctx->local_ip4;

	/* clang may add the offset to the context first, which the verifier refuses. */
	asm volatile("" : "+r"(v4));
	e->client_port = bpf_htons(ctx->local_port);
	if (ctx->family == VD_AF_INET)
		e->client = vd_addr_v4(v4);
	else
		e->client = (struct vd_addr){.words = {ctx->local_ip6[0], ctx->local_ip6[1],
						       ctx->local_ip6[2], ctx->local_ip6[3]}};
}

/* A trace sees connects that fail, and what comes of it. */
static __always_inline void tell(struct bpf_sock_ops *ctx, enum vd_reason reason)
{
	struct vd_choice choice = {};
	struct connecting c;
	struct vd_event *e;

	if (reason < VD_CONNECT_FAILED || find_connecting(ctx, &c) != VD_NEXT)
		return;
	e = vd_event_start(VD_HOOK_HEALTH, reason, &c.sock->peer.vip, c.sock->peer.vip_port,
			   IPPROTO_TCP);
	if (!e)
		return;
	set_client(e, ctx);
	e->error = c.load->last_error;
	choice.backend_id = c.sock->peer.backend_id;
	choice.backend = vd_backend_at(choice.backend_id);
	vd_event_end(e, &choice);
}

SEC("sockops")
int vd_sock_health(struct bpf_sock_ops *ctx)
{
	enum vd_reason reason = health(ctx);

	if (reason != VD_NEXT) {
		vd_count(VD_HOOK_HEALTH, reason);
		tell(ctx, reason);
	}
	return 1;
}

/* bpf_skc_to_tcp_sock is open to GPL-compatible programs only; the sources are under either
 * licence. */
char vd_license[] SEC("license") = "GPL";
