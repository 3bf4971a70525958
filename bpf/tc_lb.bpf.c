// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * tc programs for packets to a VIP that no socket hook saw: stateful NAT to a backend and back.
 *   vd_tc_request: ingress of the host's side of a container link, packets from a container;
 *   vd_tc_reply: egress of container links and of uplinks, answers of backends;
 *   vd_tc_uplink: ingress of uplinks, packets of other machines, and answers to the host itself;
 *   vd_tc_host: egress of viaduct0, which carries the VIPs' routes: packets of the host itself.
 * Verdicts: TC_ACT_UNSPEC, so that other filters run too, TC_ACT_REDIRECT, TC_ACT_SHOT.
 *
 * A container's flow is reversed where the answer reaches the container, one from outside where it
 * leaves by an uplink, and the host's flow where it reaches viaduct0: there the VIP as source
 * agrees with the routes, which strict reverse path filters demand.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/reason.h>

#include "lib/echo.h"
#include "lib/event.h"
#include "lib/finish.h"
#include "lib/flow.h"
#include "lib/health.h"
#include "lib/local.h"
#include "lib/mss.h"
#include "lib/parse.h"
#include "lib/pkt.h"
#include "lib/route.h"
#include "lib/tc.h"

/* Step: what a container sends; an answer to another container is reversed at that one's link. */
static __always_inline enum vd_reason follow_container(struct pkt *p)
{
	struct vd_flow *f = find_flow(p);

	if (!f)
		return p->quoted ? VD_NOT_L4 : VD_NEXT;
	if (!(f->flags & VD_FLOW_REPLY))
		return follow_request(p, f);
	if (f->flags & VD_FLOW_HOST)
		return follow_reply(p, f, VD_WAY_HOST);
	if (f->flags & VD_FLOW_HAIRPIN)
		return follow_reply(p, f, VD_WAY_BACK);
	return VD_NOT_VIP;
}

static __always_inline enum vd_reason start_container(struct pkt *p)
{
	enum vd_reason reason;

	if (is_known(p))
		return VD_NEXT;
	reason = find_service(p);
	if (reason != VD_NEXT) {
		if (is_syn(p))
			forget_finished(&p->tuple);
		return reason;
	}
	VD_TRY(pick_backend(p));
	return store_flow(
		p, vd_addr_equal(&p->choice.backend->addr, &p->tuple.src) ? VD_FLOW_HAIRPIN : 0);
}

static __always_inline enum vd_reason request(struct pkt *p)
{
	VD_TRY(parse_l3(p));
	VD_TRY(parse_ports(p));
	VD_TRY(follow_container(p));
	VD_TRY(start_container(p));
	if (p->nat.flags & VD_FLOW_HAIRPIN)
		p->way = VD_WAY_BACK;
	return forward(p);
}

/* Did the backend refuse this connection? A RST that acknowledges nothing ends an older one. */
static __always_inline bool is_refusal(const struct pkt *p)
{
	return !vd_dry && (p->nat.flags & VD_NEW_FLAGS) == VD_FLOW_NEW &&
	       (p->tcp_flags & (VD_TCP_RST | VD_TCP_ACK)) == (VD_TCP_RST | VD_TCP_ACK);
}

static __always_inline void tell_refusal(struct pkt *p, enum vd_reason reason,
					 struct vd_choice *choice)
{
	struct vd_event *e =
		vd_event_start(VD_HOOK_HEALTH, reason, &p->nat.src, p->nat.sport, IPPROTO_TCP);

	if (!e)
		return;
	e->client = p->nat.dst;
	e->client_port = p->nat.dport;
	e->error = ECONNREFUSED;
	vd_event_end(e, choice);
}

/* A refused connect counts against its backend, as one of a socket does. */
static __always_inline void note_refusal(struct pkt *p)
{
	struct vd_choice choice = {.backend_id = p->nat.backend_id};
	struct vd_load *l = vd_load_at(choice.backend_id);
	enum vd_reason reason;

	choice.service = vd_find_service(&p->nat.src, p->nat.sport, IPPROTO_TCP);
	choice.backend = vd_backend_kept(choice.backend_id, p->nat.backend_generation);
	if (!choice.service || !choice.backend || !l)
		return;
	reason = vd_note_failure(choice.service, l, ECONNREFUSED);
	vd_count(VD_HOOK_HEALTH, reason);
	tell_refusal(p, reason, &choice);
}

/* Step: the host's flows are reversed where they come in. */
static __always_inline enum vd_reason reverse(struct pkt *p)
{
	struct vd_flow *f = find_flow(p);
	enum vd_reason reason;

	if (!f || !(f->flags & VD_FLOW_REPLY) || f->flags & VD_FLOW_HOST)
		return VD_NOT_VIP;
	if (f->flags & VD_FLOW_UPLINK && p->tcp_flags & VD_TCP_SYN)
		clamp_mss(p->skb, p->l4, tunnel_headers(p));
	reason = follow_reply(p, f, VD_WAY_ON);
	if (is_refusal(p))
		note_refusal(p);
	return reason;
}

static __always_inline enum vd_reason reply(struct pkt *p)
{
	VD_TRY(parse_l3(p));
	VD_TRY(parse_ports(p));
	return reverse(p);
}

/* Step: an answer to a container or to outside is reversed where it leaves. */
static __always_inline enum vd_reason follow_uplink(struct pkt *p)
{
	struct vd_flow *f = find_flow(p);

	if (!f)
		return p->quoted ? VD_NOT_L4 : VD_NEXT;
	if (!(f->flags & VD_FLOW_REPLY))
		return follow_request(p, f);
	return f->flags & VD_FLOW_HOST ? follow_reply(p, f, VD_WAY_HOST) : VD_NOT_VIP;
}

static __always_inline enum vd_reason start_uplink(struct pkt *p)
{
	if (is_known(p))
		return VD_NEXT;
	VD_TRY(find_service(p));
	VD_TRY(pick_local(p));
	return store_flow(p, VD_FLOW_UPLINK);
}

static __always_inline enum vd_reason uplink(struct pkt *p)
{
	VD_TRY(parse_l3(p));
	VD_TRY(parse_ports(p));
	VD_TRY(follow_uplink(p));
	VD_TRY(start_uplink(p));
	return forward(p);
}

/* Step: the kernel's own multicast on viaduct0 is not meant for a VIP. */
static __always_inline enum vd_reason only_unicast(struct pkt *p)
{
	__u8 first = p->is_v4 ? p->tuple.dst.bytes[12] : p->tuple.dst.bytes[0];

	if (p->is_v4 ? first >= 224 : first >= 0xfe)
		return VD_NOT_VIP;
	return VD_NEXT;
}

/* Step: of what is neither TCP nor UDP only ICMP errors go on. */
static __always_inline enum vd_reason answer_icmp(struct pkt *p)
{
	if (p->tuple.proto == IPPROTO_TCP || p->tuple.proto == IPPROTO_UDP)
		return VD_NEXT;
	if (!is_icmp(p))
		return VD_NO_SERVICE;
	if (p->fragment != VD_FRAGMENT_NONE)
		return VD_FRAGMENT;
	VD_TRY(read_icmp_type(p));
	if (p->is_v4 && p->icmp_type == VD_ICMP_ECHO)
		return answer_echo(p, VD_ICMP_ECHO_REPLY);
	if (!p->is_v4 && p->icmp_type == VD_ICMP6_ECHO)
		return answer_echo(p, VD_ICMP6_ECHO_REPLY);
	return VD_NEXT;
}

/* Step: a hairpin's answer comes back to viaduct0, as the VIP stands for its client. */
static __always_inline enum vd_reason follow_host(struct pkt *p)
{
	struct vd_flow *f = find_flow(p);

	if (!f)
		return p->quoted ? VD_NOT_L4 : VD_NEXT;
	return f->flags & VD_FLOW_REPLY ? follow_reply(p, f, VD_WAY_HOST) : follow_request(p, f);
}

static __always_inline enum vd_reason start_host(struct pkt *p)
{
	if (find_service(p) != VD_NEXT)
		return VD_NO_SERVICE;
	VD_TRY(pick_backend(p));
	VD_TRY(find_route(p, &p->choice.backend->addr, vd_viaduct0_ifindex));
	return store_flow(p, p->way == VD_WAY_HOST ? VD_FLOW_HOST | VD_FLOW_HAIRPIN : VD_FLOW_HOST);
}

static __always_inline enum vd_reason route_known(struct pkt *p)
{
	if (p->nat.flags & VD_FLOW_HAIRPIN) {
		p->way = VD_WAY_HOST;
		return VD_NEXT;
	}
	return find_route(p, &p->nat.dst, vd_viaduct0_ifindex);
}

static __always_inline enum vd_reason host(struct pkt *p)
{
	VD_TRY(parse_l3(p));
	VD_TRY(only_unicast(p));
	VD_TRY(answer_icmp(p));
	VD_TRY(parse_ports(p));
	VD_TRY(follow_host(p));
	VD_TRY(is_known(p) ? route_known(p) : start_host(p));
	return forward(p);
}

SEC("tc")
int vd_tc_request(struct __sk_buff *skb)
{
	struct pkt p;

	pkt_init(&p, skb);
	return tc_finish(&p, VD_HOOK_REQUEST, VD_WAY_BACK, request(&p));
}

SEC("tc")
int vd_tc_reply(struct __sk_buff *skb)
{
	struct pkt p;

	pkt_init(&p, skb);
	return tc_finish(&p, VD_HOOK_REPLY, VD_WAY_ON, reply(&p));
}

SEC("tc")
int vd_tc_uplink(struct __sk_buff *skb)
{
	struct pkt p;

	pkt_init(&p, skb);
	return tc_finish(&p, VD_HOOK_UPLINK, VD_WAY_LINK, uplink(&p));
}

SEC("tc")
int vd_tc_host(struct __sk_buff *skb)
{
	struct pkt p;

	pkt_init(&p, skb);
	return tc_finish(&p, VD_HOOK_HOST, VD_WAY_HOST, host(&p));
}

/* bpf_fib_lookup is open to GPL-compatible programs only; the sources are under either licence. */
char vd_license[] SEC("license") = "GPL";
