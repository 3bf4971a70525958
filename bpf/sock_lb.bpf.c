// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * cgroup v2 socket hooks: connect() and sendmsg() to a VIP become connect() and sendmsg() to one of
 * its backends, so that packets need no translation afterwards. recvmsg() and getpeername() show
 * the VIP again. TCP and UDP, IPv4, IPv6 and IPv4-mapped addresses. Verdicts: 1 lets the call go
 * on; 0 fails it, with ECONNREFUSED where no backend takes it.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>

#include "lib/call.h"
#include "lib/choose.h"
#include "lib/event.h"
#include "lib/finish.h"
#include "lib/peer.h"
#include "lib/select.h"
#include "maps.h"

/* bpf_set_retval exists since Linux 5.18; without it the call fails with EPERM. */
const volatile __u8 vd_has_set_retval = 1;

static __always_inline struct vd_sock *sock_of(struct call *c, __u64 flags)
{
	struct bpf_sock *sk = c->ctx->sk;

	return sk ? bpf_sk_storage_get(&vd_sock_v1, sk, NULL, flags) : NULL;
}

static __always_inline struct vd_sock_udp *sock_udp_of(struct call *c, __u64 flags)
{
	struct bpf_sock *sk = c->ctx->sk;

	return sk ? bpf_sk_storage_get(&vd_sock_udp_v1, sk, NULL, flags) : NULL;
}

/* The socket has another destination from now on. */
static __always_inline void forget(struct call *c)
{
	struct bpf_sock *sk = c->ctx->sk;
	struct vd_sock *s = sock_of(c, 0);

	if (!s || !sk)
		return;
	vd_sock_uncount(s);
	bpf_sk_storage_delete(&vd_sock_v1, sk);
}

/*
 * The socket's VIP while it is connected. connect(AF_UNSPEC) runs no hook: it shows in a
 * destination port of 0, and is honoured by the first call that looks.
 */
static __always_inline struct vd_sock *connected_sock(struct call *c)
{
	struct vd_sock *s = sock_of(c, 0);
	struct bpf_sock *sk = c->ctx->sk;

	if (!s || !sk)
		return NULL;
	if (sk->dst_port != 0)
		return s;
	forget(c);
	return NULL;
}

static __always_inline enum vd_reason remember_connected(struct call *c)
{
	struct vd_sock *s = sock_of(c, BPF_SK_STORAGE_GET_F_CREATE);
	struct vd_load *load = vd_load_at(c->choice.backend_id);

	if (!s || !load)
		return VD_FLOW_TABLE_FULL;
	vd_sock_uncount(s);
	s->peer = vd_peer_of(&c->choice, &c->addr, c->port);
	s->connected_ns = bpf_ktime_get_ns(); /* sock_health measures from here */
	s->proto = c->proto;
	s->counted = 1;
	__sync_fetch_and_add(&load->open, 1);
	return VD_NEXT;
}

static __always_inline enum vd_reason rewrite(struct call *c)
{
	call_set_addr(c, &c->choice.backend->addr, c->choice.backend->port);
	return VD_FORWARDED;
}

/* A refused connect() leaves a UDP socket connected as it was: its VIP is forgotten after that. */
static __always_inline enum vd_reason connect(struct call *c)
{
	enum vd_reason reason;

	VD_TRY(check_protocol(c));
	reason = find_service(c);
	if (reason != VD_NEXT) {
		forget(c);
		return reason;
	}
	VD_TRY(pick_backend(c));
	VD_TRY(remember_connected(c));
	return rewrite(c);
}

/* A connected UDP socket that names its own VIP once more stays with its backend. */
static __always_inline enum vd_reason follow_connected(struct call *c)
{
	struct vd_sock *s = connected_sock(c);

	if (!s || !vd_peer_is_vip(&s->peer, &c->addr, c->port))
		return VD_NEXT;
	call_set_addr(c, &s->peer.backend, s->peer.backend_port);
	return VD_FORWARDED;
}

static __always_inline enum vd_reason follow_peer(struct call *c)
{
	struct vd_sock_udp *s = sock_udp_of(c, 0);
	__u32 now_s = vd_now_s();

	if (!s)
		return VD_NEXT;
	for (int i = 0; i < VD_UDP_PEERS_MAX; i++) {
		struct vd_peer *p = &s->peers[i];

		if (!vd_peer_is_vip(p, &c->addr, c->port))
			continue;
		if (!vd_peer_valid(p, now_s))
			return VD_NEXT;
		p->last_used_s = now_s;
		call_set_addr(c, &p->backend, p->backend_port);
		return VD_FORWARDED;
	}
	return VD_NEXT;
}

/* The place for this VIP: its old one, else a free one, else the least recently used. */
static __always_inline __u32 peer_place(struct call *c, struct vd_sock_udp *s)
{
	__u32 place = 0, age_s = 0, now_s = vd_now_s();

	c->evicted = true;
	for (__u32 i = 0; i < VD_UDP_PEERS_MAX; i++) {
		struct vd_peer *p = &s->peers[i];

		if (vd_peer_is_vip(p, &c->addr, c->port)) {
			c->evicted = false;
			return i;
		}
		if (p->backend_id == 0) {
			if (c->evicted)
				place = i;
			c->evicted = false;
		} else if (c->evicted && now_s - p->last_used_s >= age_s) {
			place = i;
			age_s = now_s - p->last_used_s;
		}
	}
	return place;
}

static __always_inline enum vd_reason remember_peer(struct call *c)
{
	struct vd_sock_udp *s = sock_udp_of(c, BPF_SK_STORAGE_GET_F_CREATE);
	__u32 place;

	if (!s)
		return VD_FLOW_TABLE_FULL;
	place = peer_place(c, s);
	if (place >= VD_UDP_PEERS_MAX)
		return VD_FLOW_TABLE_FULL;
	s->peers[place] = vd_peer_of(&c->choice, &c->addr, c->port);
	return VD_NEXT;
}

static __always_inline enum vd_reason sendmsg(struct call *c)
{
	VD_TRY(check_protocol(c));
	VD_TRY(find_service(c));
	VD_TRY(follow_connected(c));
	VD_TRY(follow_peer(c));
	VD_TRY(pick_backend(c));
	VD_TRY(remember_peer(c));
	return rewrite(c);
}

static __always_inline enum vd_reason show_connected(struct call *c)
{
	struct vd_sock *s = connected_sock(c);

	if (!s || !vd_peer_is_backend(&s->peer, &c->addr, c->port))
		return VD_NEXT;
	call_set_addr(c, &s->peer.vip, s->peer.vip_port);
	return VD_REPLIED;
}

/* Two VIPs may share a backend: then the one that was used last is being answered. */
static __always_inline enum vd_reason show_peer(struct call *c)
{
	struct vd_sock_udp *s = sock_udp_of(c, 0);
	struct vd_peer *best = NULL;

	if (!s)
		return VD_NOT_VIP;
	for (int i = 0; i < VD_UDP_PEERS_MAX; i++) {
		struct vd_peer *p = &s->peers[i];

		if (!vd_peer_is_backend(p, &c->addr, c->port))
			continue;
		if (!best || p->last_used_s >= best->last_used_s)
			best = p;
	}
	if (!best)
		return VD_NOT_VIP;
	best->last_used_s = vd_now_s();
	call_set_addr(c, &best->vip, best->vip_port);
	return VD_REPLIED;
}

static __always_inline enum vd_reason recvmsg(struct call *c)
{
	VD_TRY(check_protocol(c));
	VD_TRY(show_connected(c));
	return show_peer(c);
}

static __always_inline enum vd_reason getpeername(struct call *c)
{
	VD_TRY(check_protocol(c));
	VD_TRY(show_connected(c));
	return VD_NOT_VIP;
}

/* A socket that connects has an address only if it was bound. */
static __always_inline void set_client(struct vd_event *e, const struct call *c)
{
	struct bpf_sock *sk = c->ctx->sk;

	if (!sk || sk->src_port == 0)
		return;
	e->client_port = bpf_htons(sk->src_port);
	if (c->is_v6)
		e->client = (struct vd_addr){
			.words = {sk->src_ip6[0], sk->src_ip6[1], sk->src_ip6[2], sk->src_ip6[3]}};
	else
		e->client = vd_addr_v4(sk->src_ip4);
}

/* A trace sees who was given a backend, and who was refused. */
static __always_inline void tell(struct call *c, enum vd_verdict verdict, enum vd_reason reason)
{
	struct vd_event *e;

	if (verdict == VD_VERDICT_PASS && !c->choice.backend)
		return;
	e = vd_event_start(VD_HOOK_SOCK, reason, &c->addr, c->port, c->proto);
	if (!e)
		return;
	set_client(e, c);
	e->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	vd_event_end(e, &c->choice);
}

/* Verdict of a hook that may refuse. */
static __always_inline int call_finish(struct call *c, enum vd_reason reason)
{
	enum vd_verdict verdict = vd_verdict_of(reason);

	vd_count(VD_HOOK_SOCK, reason);
	if (c->evicted)
		vd_count(VD_HOOK_SOCK, VD_UDP_PEER_EVICTED);
	tell(c, verdict, reason);
	if (verdict == VD_VERDICT_PASS)
		return 1;
	if (vd_has_set_retval)
		bpf_set_retval(verdict == VD_VERDICT_REFUSE ? -ECONNREFUSED : -ENOBUFS);
	return 0;
}

/* Verdict of a hook that only shows addresses: the verifier takes nothing but 1. */
static __always_inline int show_finish(enum vd_reason reason)
{
	vd_count(VD_HOOK_SOCK, reason);
	return 1;
}

SEC("cgroup/connect4")
int vd_connect4(struct bpf_sock_addr *ctx)
{
	struct call c = call_from_v4(ctx);

	return call_finish(&c, connect(&c));
}

SEC("cgroup/connect6")
int vd_connect6(struct bpf_sock_addr *ctx)
{
	struct call c = call_from_v6(ctx);

	return call_finish(&c, connect(&c));
}

SEC("cgroup/sendmsg4")
int vd_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct call c = call_from_v4(ctx);

	return call_finish(&c, sendmsg(&c));
}

SEC("cgroup/sendmsg6")
int vd_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct call c = call_from_v6(ctx);

	return call_finish(&c, sendmsg(&c));
}

SEC("cgroup/recvmsg4")
int vd_recvmsg4(struct bpf_sock_addr *ctx)
{
	struct call c = call_from_v4(ctx);

	return show_finish(recvmsg(&c));
}

SEC("cgroup/recvmsg6")
int vd_recvmsg6(struct bpf_sock_addr *ctx)
{
	struct call c = call_from_v6(ctx);

	return show_finish(recvmsg(&c));
}

SEC("cgroup/getpeername4")
int vd_getpeername4(struct bpf_sock_addr *ctx)
{
	struct call c = call_from_v4(ctx);

	return show_finish(getpeername(&c));
}

SEC("cgroup/getpeername6")
int vd_getpeername6(struct bpf_sock_addr *ctx)
{
	struct call c = call_from_v6(ctx);

	return show_finish(getpeername(&c));
}

SEC("cgroup/sock_release")
int vd_sock_release(struct bpf_sock *ctx)
{
	struct vd_sock *s = bpf_sk_storage_get(&vd_sock_v1, ctx, NULL, 0);

	if (s) {
		vd_sock_uncount(s);
		s->peer.backend_id =
			0; /* the storage outlives the close by a moment: sock_flows looks */
	}
	return 1;
}

/* The kernel knows no name for Apache-2.0; the sources are under either licence. */
char vd_license[] SEC("license") = "GPL";
