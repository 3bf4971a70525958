/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The answer to a SYN that came through a tunnel tells its client a segment size (RFC 9293, 3.7.1)
 * that fits into the tunnel. For tc.
 */
#ifndef VIADUCT_BPF_MSS_H
#define VIADUCT_BPF_MSS_H

#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lib/pkt.h"

#define VD_TCP_OPTIONS_MAX 20
#define VD_TCPOPT_END 0
#define VD_TCPOPT_NOP 1
#define VD_TCPOPT_MSS 2

const volatile __u32 vd_tunnel_overhead = 40; /* bytes that the outer headers take */

/* @return the offset of the option's value; 0: there is none. */
static __always_inline __u32 find_mss(struct __sk_buff *skb, __u32 at, __u32 end)
{
	for (int i = 0; i < VD_TCP_OPTIONS_MAX && at + 4 <= end; i++) {
		__u8 option[2]; /* kind and length */

		if (bpf_skb_load_bytes(skb, at, option, sizeof(option)) ||
		    option[0] == VD_TCPOPT_END)
			return 0;
		if (option[0] == VD_TCPOPT_MSS)
			return option[1] == 4 ? at + 2 : 0;
		if (option[0] != VD_TCPOPT_NOP && option[1] < 2)
			return 0;
		at += option[0] == VD_TCPOPT_NOP ? 1 : option[1];
	}
	return 0;
}

/*
 * Given the link that the answer leaves by; its client's packets come back as large. A function of
 * its own: the verifier walks it once. @return 0 if the packet holds no larger size than fits.
 */
__attribute__((noinline)) int clamp_mss(struct __sk_buff *skb, __u32 l4, __u32 headers)
{
	__u32 mtu = 0, at, end = l4;
	struct tcphdr tcp;
	__be16 from, to;

	if (bpf_skb_load_bytes(skb, l4, &tcp, sizeof(tcp)))
		return -1;
	end += tcp.doff * 4;
	at = find_mss(skb, l4 + sizeof(tcp), end);
	bpf_check_mtu(skb, 0, &mtu, 0, 0);
	if (!at || mtu <= headers || bpf_skb_load_bytes(skb, at, &from, sizeof(from)))
		return 0;
	mtu -= headers;
	if (bpf_ntohs(from) <= mtu)
		return 0;
	to = bpf_htons(mtu);
	if (bpf_skb_store_bytes(skb, at, &to, sizeof(to), 0))
		return -1;
	if ((at - l4) & 1) { /* the value stands in the halves of two words of the checksum */
		from = __builtin_bswap16(from);
		to = __builtin_bswap16(to);
	}
	return bpf_l4_csum_replace(skb, l4 + __builtin_offsetof(struct tcphdr, check), from, to,
				   sizeof(to));
}

/* What does not carry data of a segment that came through a tunnel. */
static __always_inline __u32 tunnel_headers(const struct pkt *p)
{
	return (p->is_v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) + sizeof(struct tcphdr) +
	       vd_tunnel_overhead;
}

#endif
