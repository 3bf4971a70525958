/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Turns a refused packet into its answer, from the VIP to the client: a TCP RST (RFC
 * 9293, 3.10.7.1) or an ICMP port unreachable (RFC 792, RFC 4443 3.1). Receivers behind a virtual
 * link trust a packet whose checksum was still to be computed, so the whole checksum is right for
 * both kinds of packet.
 */
#ifndef VIADUCT_BPF_REFUSE_H
#define VIADUCT_BPF_REFUSE_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lib/csum.h"
#include "lib/icmp.h"
#include "lib/parse.h"
#include "lib/pkt.h"

#define VD_QUOTE_MAX 512 /* IP headers and VD_QUOTE_L4; longer chains of headers get no answer */
#define VD_ANSWER_TTL 64

struct vd_quote {
	__u8 bytes[VD_QUOTE_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vd_quote);
} vd_quote_scratch SEC(".maps");

static __always_inline __u32 ip_header_len(const struct pkt *p)
{
	return p->is_v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* Addresses, protocol and length, as they count in a transport checksum. */
static __always_inline __u64 pseudo_sum(const struct pkt *p, __u8 proto, __u16 len)
{
	__u64 sum = (__u64)bpf_htons(proto) + bpf_htons(len);

	if (p->is_v4)
		return sum + p->tuple.src.words[3] + p->tuple.dst.words[3];
	sum = vd_csum_words(sum, p->tuple.src.words, 4);
	return vd_csum_words(sum, p->tuple.dst.words, 4);
}

static __always_inline long write_ipv4(struct pkt *p, __u8 proto, __u16 len)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = bpf_htons(sizeof(ip) + len),
		.frag_off = bpf_htons(0x4000), /* do not fragment */
		.ttl = VD_ANSWER_TTL,
		.protocol = proto,
		.saddr = p->tuple.dst.words[3],
		.daddr = p->tuple.src.words[3],
	};

	ip.check = vd_csum_end(vd_csum_words(0, (__u32 *)&ip, sizeof(ip) / 4));
	return bpf_skb_store_bytes(p->skb, VD_L3, &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline long write_ipv6(struct pkt *p, __u8 proto, __u16 len)
{
	struct ipv6hdr ip = {
		.version = 6,
		.payload_len = bpf_htons(len),
		.nexthdr = proto,
		.hop_limit = VD_ANSWER_TTL,
	};

	__builtin_memcpy(&ip.saddr, &p->tuple.dst, sizeof(ip.saddr));
	__builtin_memcpy(&ip.daddr, &p->tuple.src, sizeof(ip.daddr));
	return bpf_skb_store_bytes(p->skb, VD_L3, &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
}

/* The answer's IP header, with `len` bytes of `proto` behind it. */
static __always_inline long write_ip(struct pkt *p, __u8 proto, __u16 len)
{
	return p->is_v4 ? write_ipv4(p, proto, len) : write_ipv6(p, proto, len);
}

static __always_inline struct tcphdr make_rst(const struct pkt *p, const struct tcphdr *seg)
{
	__u32 len = p->end - p->l4 - seg->doff * 4 + seg->syn + seg->fin;
	struct tcphdr rst = {
		.source = seg->dest,
		.dest = seg->source,
		.doff = sizeof(rst) / 4,
		.rst = 1,
	};

	if (seg->ack) {
		rst.seq = seg->ack_seq;
	} else {
		rst.ack = 1;
		rst.ack_seq = bpf_htonl(bpf_ntohl(seg->seq) + len);
	}
	rst.check = vd_csum_end(vd_csum_words(pseudo_sum(p, IPPROTO_TCP, sizeof(rst)),
					      (__u32 *)&rst, sizeof(rst) / 4));
	return rst;
}

/*
 * The IP header loses its options: as many bytes stay behind the answer as Ethernet padding,
 * because a packet whose checksum is still to be computed may not be cut in front of its old
 * transport header.
 */
static __always_inline long refuse_tcp(struct pkt *p)
{
	struct tcphdr seg, rst;

	if (p->tcp_flags & VD_TCP_RST)
		return -1;
	if (bpf_skb_load_bytes(p->skb, p->l4, &seg, sizeof(seg)))
		return -1;
	rst = make_rst(p, &seg);
	if (bpf_skb_change_tail(p->skb, p->l4 + sizeof(rst), 0))
		return -1;
	if (write_ip(p, IPPROTO_TCP, sizeof(rst)))
		return -1;
	return bpf_skb_store_bytes(p->skb, VD_L3 + ip_header_len(p), &rst, sizeof(rst),
				   BPF_F_RECOMPUTE_CSUM);
}

/* Copies what an ICMP error quotes. @return its sum, negative: it could not be read. */
static __always_inline __s64 read_quote(struct pkt *p, __u32 len)
{
	__u32 zero = 0;
	struct vd_quote *q = bpf_map_lookup_elem(&vd_quote_scratch, &zero);

	if (!q)
		return -1;
	/* Linux 6.1 forgets the bound of a length that is checked in another register. */
	asm volatile("" : "+r"(len));
	if (len < VD_QUOTE_L4 || len > VD_QUOTE_MAX)
		return -1;
	if (bpf_skb_load_bytes(p->skb, VD_L3, q->bytes, len))
		return -1;
	return bpf_csum_diff(NULL, 0, (__be32 *)q->bytes, len, 0);
}

static __always_inline long write_icmp(struct pkt *p, __u32 quoted, __u32 quote_sum)
{
	struct vd_icmp icmp = {.type = VD_ICMP_UNREACHABLE, .code = VD_ICMP_PORT_UNREACHABLE};
	__u8 proto = p->is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	__u16 len = sizeof(icmp) + quoted;
	__u64 sum = quote_sum;

	if (!p->is_v4) {
		icmp.type = VD_ICMP6_UNREACHABLE;
		icmp.code = VD_ICMP6_PORT_UNREACHABLE;
		sum += pseudo_sum(p, proto, len);
	}
	icmp.check = vd_csum_end(vd_csum_words(sum, (__u32 *)&icmp, sizeof(icmp) / 4));
	if (write_ip(p, proto, len))
		return -1;
	return bpf_skb_store_bytes(p->skb, VD_L3 + ip_header_len(p), &icmp, sizeof(icmp),
				   BPF_F_RECOMPUTE_CSUM);
}

/* IP headers and VD_QUOTE_L4 are a multiple of 4 bytes: the checksum needs no padding. */
static __always_inline long refuse_icmp(struct pkt *p)
{
	__u32 quoted = p->l4 - VD_L3 + VD_QUOTE_L4;
	__s64 quote_sum;

	if (p->l4 + VD_QUOTE_L4 > p->end)
		return -1;
	quote_sum = read_quote(p, quoted);
	if (quote_sum < 0)
		return -1;
	if (bpf_skb_change_tail(p->skb, p->l4 + VD_QUOTE_L4, 0))
		return -1;
	if (bpf_skb_adjust_room(p->skb, ip_header_len(p) + sizeof(struct vd_icmp), BPF_ADJ_ROOM_MAC,
				0))
		return -1;
	return write_icmp(p, quoted, quote_sum);
}

/* @return 0: the packet is now its own answer; else nothing may be sent. */
static __always_inline long refuse(struct pkt *p)
{
	return p->tuple.proto == IPPROTO_TCP ? refuse_tcp(p) : refuse_icmp(p);
}

#endif
