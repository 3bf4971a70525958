// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * XDP on uplinks. A packet for a VIP leaves in a tunnel for the machine of one of its backends; one
 * that comes out of a tunnel here goes up to the tc programs, which know this machine's backends.
 * The answer goes to the client directly. Verdicts: XDP_TX and XDP_REDIRECT for what leaves,
 * XDP_PASS for everything else, XDP_DROP for what cannot be served.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/reason.h>

#include "lib/xdp_pkt.h"

#include "lib/dry.h"
#include "lib/finish.h"
#include "lib/fragment.h"
#include "lib/icmp_quote.h"
#include "lib/parse.h"
#include "lib/steady.h"
#include "lib/too_big.h"
#include "lib/tunnel.h"
#include "lib/vip.h"

const volatile __u32 vd_viaduct0_ifindex = 0;

static __always_inline bool is_vip(struct pkt *p)
{
	struct vd_addr dst = p->tuple.dst;

	return is_vip_route(p->skb, &dst, p->skb->ingress_ifindex, vd_viaduct0_ifindex);
}

static __always_inline void turn_link(struct pkt *p)
{
	struct ethhdr *eth = pkt_at(p, 0, sizeof(*eth));

	if (eth)
		*eth = turned(eth);
}

/* The addresses change places, which no checksum notices; the type does not. */
static __always_inline enum vd_reason answer_echo(struct pkt *p, __u8 type)
{
	struct vd_icmp *icmp = pkt_at(p, p->l4, sizeof(*icmp));
	__be32 *v4;
	struct vd_addr *v6;

	if (!icmp)
		return VD_TRUNCATED;
	icmp->check = vd_csum_end(vd_csum_swap((__u16)~icmp->check, icmp->type, type));
	icmp->type = type;
	turn_link(p);
	v4 = pkt_at(p, VD_L3 + __builtin_offsetof(struct iphdr, saddr), 2 * sizeof(*v4));
	if (v4 && p->is_v4) {
		v4[0] = p->tuple.dst.words[3];
		v4[1] = p->tuple.src.words[3];
	}
	v6 = pkt_at(p, VD_L3 + __builtin_offsetof(struct ipv6hdr, saddr), 2 * sizeof(*v6));
	if (v6 && !p->is_v4) {
		v6[0] = p->tuple.dst;
		v6[1] = p->tuple.src;
	}
	p->way = VD_WAY_BACK;
	return VD_ECHOED;
}

/* Step: an echo is answered, an error takes the tuple of the flow that it speaks of. */
static __always_inline enum vd_reason read_icmp(struct pkt *p)
{
	bool is_echo;

	VD_TRY(read_icmp_type(p));
	is_echo = p->icmp_type == (p->is_v4 ? VD_ICMP_ECHO : VD_ICMP6_ECHO);
	if (!is_echo)
		return parse_icmp_error(p);
	if (p->fragment != VD_FRAGMENT_NONE || !is_vip(p))
		return VD_NOT_VIP;
	return answer_echo(p, p->is_v4 ? VD_ICMP_ECHO_REPLY : VD_ICMP6_ECHO_REPLY);
}

static __always_inline enum vd_reason parse_ports(struct pkt *p)
{
	if (p->fragment == VD_FRAGMENT_LATER)
		return find_ports(p);
	return is_icmp(p) ? read_icmp(p) : parse_l4(p);
}

static __always_inline enum vd_reason find_service(struct pkt *p)
{
	p->choice.service = vd_find_service(&p->tuple.dst, p->tuple.dport, p->tuple.proto);
	return p->choice.service ? VD_NEXT : VD_NOT_VIP;
}

/* Step: refusing is left to tc too, which needs no room for it in this program. */
static __always_inline enum vd_reason only_remote(struct pkt *p)
{
	struct vd_load *load;

	if (pick_steady(p) != VD_NEXT || p->choice.backend->node_id == 0)
		return VD_LOCAL;
	if (begins(p) && !vd_dry) {
		load = vd_load_at(p->choice.backend_id);
		if (load)
			__sync_fetch_and_add(&load->flows, 1);
	}
	return VD_NEXT;
}

static __always_inline enum vd_reason send(struct pkt *p)
{
	VD_TRY(parse_ports(p));
	VD_TRY(find_service(p));
	VD_TRY(only_remote(p));
	if (p->fragment == VD_FRAGMENT_FIRST && !vd_dry)
		keep_ports(&p->tuple, p->fragment_id);
	return encapsulate(p);
}

/* Step: the inner destination, and the ports if they stand where they usually do. */
static __always_inline enum vd_reason peek_ipv4(struct pkt *p, __be16 *dport, __u8 *proto)
{
	struct iphdr *ip = pkt_at(p, p->l4, sizeof(*ip));
	__be16 *ports;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return VD_TRUNCATED;
	p->tuple.dst = vd_addr_v4(ip->daddr);
	*proto = ip->frag_off & bpf_htons(VD_IP_OFFSET) ? 0 : ip->protocol;
	ports = pkt_at(p, p->l4 + ip->ihl * 4, 2 * sizeof(*ports));
	*dport = ports ? ports[1] : 0;
	return VD_NEXT;
}

static __always_inline enum vd_reason peek_ipv6(struct pkt *p, __be16 *dport, __u8 *proto)
{
	struct ipv6hdr *ip = pkt_at(p, p->l4, sizeof(*ip));
	__be16 *ports;

	if (!ip || ip->version != 6)
		return VD_TRUNCATED;
	__builtin_memcpy(&p->tuple.dst, &ip->daddr, sizeof(p->tuple.dst));
	*proto = ip->nexthdr;
	ports = pkt_at(p, p->l4 + sizeof(*ip), 2 * sizeof(*ports));
	*dport = ports ? ports[1] : 0;
	return VD_NEXT;
}

/* Step: other tunnels end here too; only what is for a VIP is ours. */
static __always_inline enum vd_reason only_vip_inside(struct pkt *p)
{
	__u8 proto = 0;
	__be16 dport = 0;

	if (p->fragment != VD_FRAGMENT_NONE)
		return VD_FRAGMENT;
	VD_TRY(p->tuple.proto == IPPROTO_IPIP ? peek_ipv4(p, &dport, &proto)
					      : peek_ipv6(p, &dport, &proto));
	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP)
		return vd_find_service(&p->tuple.dst, dport, proto) ? VD_NEXT : VD_NOT_VIP;
	return is_vip(p) ? VD_NEXT : VD_NOT_VIP;
}

static __always_inline enum vd_reason decapsulate(struct pkt *p)
{
	VD_TRY(only_vip_inside(p));
	VD_TRY(unwrap(p));
	return VD_DECAPSULATED;
}

static __always_inline enum vd_reason uplink(struct pkt *p)
{
	VD_TRY(parse_l3(p));
	return is_tunnelled(p) && is_for_us(p) ? decapsulate(p) : send(p);
}

/* A dry run ends here. */
static __always_inline int explain(struct pkt *p, enum vd_reason reason)
{
	struct vd_explanation *e = vd_explanation_start(reason);

	if (!e || !p->choice.service)
		return XDP_PASS;
	e->service_id = p->choice.service->id;
	if (!p->choice.backend || !backend_of(p->choice.backend_id, e->service_id))
		return XDP_PASS;
	e->backend_id = p->choice.backend_id;
	e->dst = p->choice.backend->addr;
	e->dport = p->choice.backend->port;
	e->ifindex = p->neigh_ifindex;
	return XDP_PASS;
}

static __always_inline int xdp_finish(struct pkt *p, enum vd_reason reason)
{
	enum vd_verdict verdict = vd_verdict_of(reason);

	if (vd_dry)
		return explain(p, reason);
	vd_count(VD_HOOK_XDP, reason);
	if (verdict == VD_VERDICT_DROP)
		return XDP_DROP;
	if (verdict == VD_VERDICT_REFUSE) {
		/* An error is never answered with an error, nor a fragment without ports. */
		if (p->quoted || p->fragment == VD_FRAGMENT_LATER || answer_too_big(p))
			return XDP_DROP;
		return XDP_TX;
	}
	if (p->way == VD_WAY_BACK)
		return XDP_TX;
	return p->way == VD_WAY_NEIGH ? bpf_redirect(p->neigh_ifindex, 0) : XDP_PASS;
}

SEC("xdp")
int vd_xdp_uplink(struct xdp_md *ctx)
{
	struct pkt p;

	pkt_init(&p, ctx);
	return xdp_finish(&p, uplink(&p));
}

/* bpf_fib_lookup is open to GPL-compatible programs only; the sources are under either licence. */
char vd_license[] SEC("license") = "GPL";
