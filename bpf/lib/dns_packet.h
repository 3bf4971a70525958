/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Steps that read a packet as far as its DNS message, and say whether it is to be answered here. */
#ifndef VIADUCT_BPF_DNS_PACKET_H
#define VIADUCT_BPF_DNS_PACKET_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/dns.h>

#include "lib/dns_maps.h"
#include "lib/addr.h"
#include "lib/dns_parse.h"

/* Leaves the caller with the step's outcome unless the step says "go on". */
#define VD_DNS_TRY(step)                                                                           \
	do {                                                                                       \
		enum vd_dns_outcome vd_dns_try = (step);                                           \
		if (vd_dns_try != VD_DNS_NEXT)                                                     \
			return vd_dns_try;                                                         \
	} while (0)

#define VD_DNS_IP_FRAGMENT 0x3fff /* more fragments, or an offset */

struct vd_dns_eth {
	__u16 dst[3];
	__u16 src[3];
	__be16 proto;
};

/* A query on its way to an answer: what the steps found out. */
struct vd_dns_packet {
	struct __sk_buff *skb;
	struct vd_dns_scratch *scratch;
	struct vd_dns_control *control;
	bool is_v4;
	__u32 l4; /* offset of the UDP header */
	__u32 message_octets;
	struct vd_dns_eth eth;
	struct vd_addr client;
	struct vd_addr server;
	struct udphdr udp;
	struct vd_dns_question question;
	/* The answer: its body in scratch->copy, and where a rotated one begins. */
	__u32 body_at;
	__u32 body_octets;
	__u32 body_start;
	__u16 records; /* 0: NODATA, the body is the authority section */
	__u16 flags; /* of the zone's answers */
};

static __always_inline enum vd_dns_outcome read_ipv4(struct vd_dns_packet *p, void *at, void *end,
						     __u32 *octets)
{
	struct iphdr *ip = at;

	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl != 5 ||
	    ip->protocol != IPPROTO_UDP || ip->frag_off & bpf_htons(VD_DNS_IP_FRAGMENT))
		return VD_DNS_FOREIGN;
	p->is_v4 = true;
	p->client = vd_addr_v4(ip->saddr);
	p->server = vd_addr_v4(ip->daddr);
	p->l4 = ETH_HLEN + sizeof(*ip);
	*octets = bpf_ntohs(ip->tot_len) - sizeof(*ip);
	return VD_DNS_NEXT;
}

static __always_inline enum vd_dns_outcome read_ipv6(struct vd_dns_packet *p, void *at, void *end,
						     __u32 *octets)
{
	struct ipv6hdr *ip = at;

	if ((void *)(ip + 1) > end || ip->version != 6 || ip->nexthdr != IPPROTO_UDP)
		return VD_DNS_FOREIGN;
	p->is_v4 = false;
	__builtin_memcpy(&p->client, &ip->saddr, sizeof(p->client));
	__builtin_memcpy(&p->server, &ip->daddr, sizeof(p->server));
	p->l4 = ETH_HLEN + sizeof(*ip);
	*octets = bpf_ntohs(ip->payload_len);
	return VD_DNS_NEXT;
}

/* Port 0 cannot be answered; UDP over IPv6 without a checksum is dropped (RFC 8200, 8.1). */
static __always_inline enum vd_dns_outcome read_udp(struct vd_dns_packet *p, void *at, void *end,
						    __u32 octets)
{
	struct udphdr *udp = at;

	if ((void *)(udp + 1) > end)
		return VD_DNS_FOREIGN;
	if (p->control->port != 0 && udp->dest != p->control->port)
		return VD_DNS_FOREIGN;
	p->udp = *udp;
	if (bpf_ntohs(udp->len) != octets || octets < sizeof(*udp) || udp->source == 0 ||
	    (!p->is_v4 && udp->check == 0) || p->l4 + octets > p->skb->len)
		return VD_DNS_FOREIGN;
	p->message_octets = octets - sizeof(*udp);
	return VD_DNS_NEXT;
}

/* Step: Ethernet, IPv4 or IPv6 without options and UDP, whole and not a fragment. */
static __always_inline enum vd_dns_outcome read_headers(struct vd_dns_packet *p)
{
	void *data = (void *)(long)p->skb->data;
	void *end = (void *)(long)p->skb->data_end;
	struct vd_dns_eth *eth = data;
	__u32 octets;

	if ((void *)(eth + 1) > end || p->skb->vlan_present)
		return VD_DNS_FOREIGN;
	if (eth->proto == bpf_htons(ETH_P_IP)) {
		VD_DNS_TRY(read_ipv4(p, data + ETH_HLEN, end, &octets));
		VD_DNS_TRY(read_udp(p, data + ETH_HLEN + sizeof(struct iphdr), end, octets));
	} else if (eth->proto == bpf_htons(ETH_P_IPV6)) {
		VD_DNS_TRY(read_ipv6(p, data + ETH_HLEN, end, &octets));
		VD_DNS_TRY(read_udp(p, data + ETH_HLEN + sizeof(struct ipv6hdr), end, octets));
	} else {
		return VD_DNS_FOREIGN;
	}
	p->eth = *eth;
	return VD_DNS_NEXT;
}

static __always_inline bool is_skipped(const struct vd_dns_packet *p)
{
	struct vd_dns_skip_key key = {.prefix_bits = 128, .client = p->client};

	return p->control->skips && bpf_map_lookup_elem(&vd_dns_skip_v1, &key);
}

/* Step: a server of ours, which lives, and a client that it answers here. */
static __always_inline enum vd_dns_outcome admit(struct vd_dns_packet *p)
{
	struct vd_dns_server_key key = {.address = p->server, .port = p->udp.dest};

	if (!bpf_map_lookup_elem(&vd_dns_addr_v1, &key))
		return VD_DNS_FOREIGN;
	if (!p->control->enabled)
		return VD_DNS_OFF;
	/* The coarse clock may be behind the one that was written. */
	if ((__s64)(bpf_ktime_get_coarse_ns() - p->control->alive_ns) > (__s64)VD_DNS_ALIVE_NS)
		return VD_DNS_STALE;
	return is_skipped(p) ? VD_DNS_SKIPPED : VD_DNS_NEXT;
}

/* Step: the message, copied to where its name can be read by words. */
static __always_inline enum vd_dns_outcome read_query(struct vd_dns_packet *p)
{
	__u32 octets = p->message_octets;

	if (octets <= VD_DNS_HEADER_OCTETS || octets > VD_DNS_QUERY_MAX)
		return VD_DNS_ODD;
	/* Linux 6.1 does not learn from a comparison with 0 that a length is not 0. */
	octets = vd_dns_mask(octets - 1, 511) + 1;
	if (bpf_skb_load_bytes(p->skb, p->l4 + sizeof(struct udphdr),
			       p->scratch->query.octets + VD_DNS_MESSAGE_AT, octets))
		return VD_DNS_ODD;
	return vd_dns_parse(&p->scratch->query, octets, &p->question);
}

#endif
