/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Turns a query into its answer: the question stays as it came, octet by octet; headers are
 * turned round in front of it, and the body and OPT are put behind it.
 */
#ifndef VIADUCT_BPF_DNS_ANSWER_H
#define VIADUCT_BPF_DNS_ANSWER_H

#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/dns.h>

#include "lib/dns_maps.h"
#include "lib/csum.h"
#include "lib/dns_packet.h"
#include "lib/dns_parse.h"

#define VD_DNS_UDP_OCTETS 1232 /* what our OPT says */
#define VD_DNS_HOPS 64

/* No answer is longer than what a client without EDNS takes (RFC 1035, 4.2.1), so none is cut. */
_Static_assert(VD_DNS_HEADER_OCTETS + VD_DNS_NAME_MAX + VD_DNS_ASKED_OCTETS + VD_DNS_NEGATIVE_MAX +
			       VD_DNS_OPT_OCTETS <=
		       512,
	       "NODATA may need TC");

/* All headers, with Ethernet's moved so that the others are aligned. */
struct vd_dns_headers4 {
	__u16 unused;
	struct vd_dns_eth eth;
	struct iphdr ip;
	struct udphdr udp;
	struct vd_dns_header dns;
};

struct vd_dns_headers6 {
	__u16 unused;
	struct vd_dns_eth eth;
	struct ipv6hdr ip;
	struct udphdr udp;
	struct vd_dns_header dns;
};

static __always_inline struct vd_dns_eth turned_eth(const struct vd_dns_packet *p)
{
	struct vd_dns_eth eth = {.proto = p->eth.proto};

	__builtin_memcpy(eth.dst, p->eth.src, sizeof(eth.dst));
	__builtin_memcpy(eth.src, p->eth.dst, sizeof(eth.src));
	return eth;
}

/* The checksum stays the query's until it is brought up to date. */
static __always_inline struct udphdr turned_udp(const struct vd_dns_packet *p, __u32 octets)
{
	return (struct udphdr){.source = p->udp.dest,
			       .dest = p->udp.source,
			       .len = bpf_htons(octets),
			       .check = p->udp.check};
}

static __always_inline struct vd_dns_header answer_header(const struct vd_dns_packet *p)
{
	const struct vd_dns_header *query = &p->scratch->query.start.header;
	__u32 flags = p->control->flags | p->flags; /* as in a header in host order */

	return (struct vd_dns_header){
		.id = query->id,
		.flags = VD_DNS_QR | VD_DNS_AA | (query->flags & VD_DNS_RD) | (__u8)(flags >> 8),
		.more_flags = (__u8)flags,
		.questions = query->questions,
		.answers = bpf_htons(p->records),
		.authority = p->records ? 0 : bpf_htons(1),
		.additional = query->additional,
	};
}

/* @param udp_octets  of the answer's UDP header and message. */
static __always_inline long store_headers4(struct vd_dns_packet *p, __u32 udp_octets,
					   const struct vd_dns_header *dns)
{
	struct vd_dns_headers4 h = {
		.eth = turned_eth(p),
		.ip = {.version = 4,
		       .ihl = 5,
		       .tot_len = bpf_htons(sizeof(struct iphdr) + udp_octets),
		       .ttl = VD_DNS_HOPS,
		       .protocol = IPPROTO_UDP,
		       .saddr = p->server.words[3],
		       .daddr = p->client.words[3]},
		.udp = turned_udp(p, udp_octets),
		.dns = *dns,
	};

	h.ip.check = vd_csum_end(vd_csum_words(0, (const __u32 *)&h.ip, sizeof(h.ip) / 4));
	return bpf_skb_store_bytes(p->skb, 0, &h.eth, sizeof(h) - sizeof(h.unused), 0);
}

static __always_inline long store_headers6(struct vd_dns_packet *p, __u32 udp_octets,
					   const struct vd_dns_header *dns)
{
	struct vd_dns_headers6 h = {
		.eth = turned_eth(p),
		.ip = {.version = 6,
		       .payload_len = bpf_htons(udp_octets),
		       .nexthdr = IPPROTO_UDP,
		       .hop_limit = VD_DNS_HOPS},
		.udp = turned_udp(p, udp_octets),
		.dns = *dns,
	};

	__builtin_memcpy(&h.ip.saddr, &p->server, sizeof(h.ip.saddr));
	__builtin_memcpy(&h.ip.daddr, &p->client, sizeof(h.ip.daddr));
	return bpf_skb_store_bytes(p->skb, 0, &h.eth, sizeof(h) - sizeof(h.unused), 0);
}

/* Puts OPT, if there is one to be, and zeros behind the body in the copy. @return octets of both.
 */
static __always_inline __u32 append_opt(struct vd_dns_packet *p)
{
	__u8 *opt = &p->scratch->copy.octets[vd_dns_mask(p->body_at + p->body_octets, 511)];
	__u8 octets = 0;

	if (p->question.has_opt) {
		opt[0] = opt[1] = opt[5] = opt[6] = opt[8] = opt[9] = opt[10] = 0;
		opt[2] = VD_DNS_TYPE_OPT;
		opt[3] = VD_DNS_UDP_OCTETS >> 8;
		opt[4] = VD_DNS_UDP_OCTETS & 0xff;
		opt[7] = p->question.opt[7] & 0x80; /* DO */
		octets = VD_DNS_OPT_OCTETS;
	}
	opt[octets] = opt[octets + 1] = opt[octets + 2] = 0;
	return p->body_octets + octets;
}

/* Stores octets of the copy; their number is not 0. */
static __always_inline long store_copy(struct vd_dns_packet *p, __u32 to, __u32 from, __u32 octets)
{
	from = vd_dns_mask(from, 511);
	octets = vd_dns_mask(octets - 1, 511) + 1;
	return bpf_skb_store_bytes(p->skb, to, &p->scratch->copy.octets[from], octets, 0);
}

/* Puts the tail, which is the body, rotated, and OPT, behind the question. */
static __always_inline long store_tail(struct vd_dns_packet *p, __u32 to, __u32 octets)
{
	__u32 before = p->body_start, behind = p->body_octets - before,
	      opt = octets - p->body_octets;

	if (!before)
		return store_copy(p, to, p->body_at, octets);
	if (store_copy(p, to, p->body_at + before, behind) ||
	    store_copy(p, to + behind, p->body_at, before))
		return -1;
	return opt ? store_copy(p, to + p->body_octets, p->body_at + p->body_octets, opt) : 0;
}

/* Brings the tail back as it was stored, with zeros behind it. */
static __always_inline long load_tail(struct vd_dns_packet *p, __u32 from, __u32 octets)
{
	__u8 *tail = p->scratch->tail;

	octets = vd_dns_mask(octets - 1, 511) + 1;
	if (bpf_skb_load_bytes(p->skb, from, tail, octets))
		return -1;
	tail[octets] = tail[octets + 1] = tail[octets + 2] = 0;
	return 0;
}

/*
 * The sum of the tail less that of the query's, as they count behind a name of that length. Records
 * that rotate by whole words count the same wherever they stand.
 */
static __always_inline __u32 tail_sum(struct vd_dns_packet *p, __u32 at, __u32 octets)
{
	__be32 *tail = (__be32 *)&p->scratch->copy.octets[vd_dns_mask(p->body_at, 0x1f8)];
	__u32 sum;

	if (p->body_start && (p->body_start | p->body_octets) & 1) {
		if (load_tail(p, at, octets))
			return 0;
		tail = (__be32 *)p->scratch->tail;
	}
	octets = vd_dns_mask(octets + 3, 0x1fc);
	sum = (__u32)bpf_csum_diff((__be32 *)p->question.opt, sizeof(p->question.opt), tail, octets,
				   0);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return p->question.name_octets & 1 ? __builtin_bswap16((__u16)sum) : sum;
}

static __always_inline __u64 header_sum(const struct vd_dns_packet *p,
					const struct vd_dns_header *dns)
{
	const __u32 *from = (const __u32 *)&p->scratch->query.start.header;
	const __u32 *to = (const __u32 *)dns;
	__u64 sum = 0;

	for (int i = 0; i < VD_DNS_HEADER_OCTETS / 4; i++)
		sum = vd_csum_swap(sum, from[i], to[i]);
	return sum;
}

/*
 * Brings the UDP checksum up to date. Most queries have none yet: their sender left it to the
 * device, and it holds the sum of the pseudo-header alone. The kernel knows which, and takes what
 * applies. IPv4 without a checksum stays without.
 */
static __always_inline long store_checksum(struct vd_dns_packet *p, __u32 udp_octets,
					   const struct vd_dns_header *dns, __u32 tail)
{
	__u32 at = p->l4 + offsetof(struct udphdr, check);
	__u64 length = vd_csum_swap(0, p->udp.len, bpf_htons(udp_octets));
	__u64 rest = length + header_sum(p, dns) + tail;

	if (bpf_l4_csum_replace(p->skb, at, 0, vd_csum_fold32(length),
				BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0))
		return -1;
	return bpf_l4_csum_replace(p->skb, at, 0, vd_csum_fold32(rest), BPF_F_MARK_MANGLED_0);
}

/* Step: writes the answer over the query. Until it has grown, the packet is as it came. */
static __always_inline enum vd_dns_outcome write_answer(struct vd_dns_packet *p)
{
	__u32 tail_at = p->l4 + sizeof(struct udphdr) + VD_DNS_HEADER_OCTETS +
			p->question.name_octets + VD_DNS_ASKED_OCTETS;
	__u32 tail_octets = append_opt(p);
	__u32 udp_octets = tail_at + tail_octets - p->l4;
	struct vd_dns_header dns = answer_header(p);

	if (bpf_skb_change_tail(p->skb, tail_at + tail_octets, 0))
		return VD_DNS_NO_ROOM;
	if (p->is_v4 ? store_headers4(p, udp_octets, &dns) : store_headers6(p, udp_octets, &dns))
		return VD_DNS_BROKEN;
	if (store_tail(p, tail_at, tail_octets) ||
	    store_checksum(p, udp_octets, &dns, tail_sum(p, tail_at, tail_octets)))
		return VD_DNS_BROKEN;
	return p->records ? VD_DNS_ANSWERED : VD_DNS_NO_DATA;
}

#endif
