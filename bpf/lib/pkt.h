/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * A packet on its way through a packet program: what the steps found out and what becomes of it.
 * lib/xdp_pkt.h makes it an XDP program's packet.
 */
#ifndef VIADUCT_BPF_PKT_H
#define VIADUCT_BPF_PKT_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>

#include "lib/clock.h"
#include "lib/select.h"

#define VD_L3 ETH_HLEN /* offset of the IP header */
#define VD_OFFSET_MASK                                                                             \
	0x3fff /* covers Ethernet, IPv6 and VD_IPV6_EXT_MAX headers of 2048 bytes                  \
		*/

/* Where a packet goes that is not dropped. */
enum vd_way {
	VD_WAY_ON, /* wherever the kernel takes it */
	VD_WAY_BACK, /* out of the link it came from */
	VD_WAY_HOST, /* into the host, as if received by viaduct0 */
	VD_WAY_NEIGH, /* out of neigh_ifindex, to the neighbour in neigh */
	VD_WAY_LINK, /* out of the link it came from, by the routes there */
};

/* A fragment's place in its datagram. */
enum vd_fragment_place {
	VD_FRAGMENT_NONE, /* not a fragment */
	VD_FRAGMENT_FIRST, /* has the ports */
	VD_FRAGMENT_LATER,
};

#ifdef VD_PKT_XDP
typedef struct xdp_md vd_context;
#else
typedef struct __sk_buff vd_context;
#endif

struct pkt {
	vd_context *skb; /* of XDP: struct xdp_md */
	__u32 l4; /* offset of the transport header */
	__u32 end; /* offset behind the IP packet: Ethernet padding is left out */
	bool is_v4;
	__u8 fragment; /* enum vd_fragment_place */
	__u8 tcp_flags; /* byte 13 of the TCP header; 0 for other protocols */
	__u8 icmp_type;
	__u32 fragment_id; /* as it stands in the header */
	__u32 quoted; /* offset of the IP header that an ICMP error quotes; 0: not an error */
	__u32 quoted_l4;
	struct vd_addr sender; /* of an ICMP error: the flow's other end, or a router */
	enum vd_way way;
	__u32 now_s;
	struct vd_flow_key tuple; /* as the packet arrived */
	struct vd_flow nat; /* what it becomes */
	struct vd_choice choice;
	__u32 neigh_ifindex;
#ifdef VD_PKT_XDP
	__u32 mtu; /* of the way through a tunnel, for the inner packet */
#endif
	struct bpf_redir_neigh neigh;
};

/* Clears what a step reads before another one wrote it; the rest of 300 bytes stays as it is. */
static __always_inline void pkt_init(struct pkt *p, vd_context *skb)
{
	p->skb = skb;
	p->is_v4 = false;
	p->fragment = VD_FRAGMENT_NONE;
	p->fragment_id = 0;
	p->tcp_flags = 0;
	p->icmp_type = 0;
	p->quoted = 0;
	p->way = VD_WAY_ON;
#ifndef VD_PKT_XDP
	p->now_s = vd_now_s();
#endif
	__builtin_memset(&p->tuple, 0, sizeof(p->tuple));
	__builtin_memset(&p->choice, 0, sizeof(p->choice));
	p->neigh_ifindex = 0;
#ifdef VD_PKT_XDP
	p->mtu = 0;
#endif
	p->nat.flags = 0;
	p->nat.backend_id = 0;
}

#ifdef VD_PKT_XDP

/*
 * @return `size` readable and writable bytes at `offset`, or NULL: the packet is shorter. Pointers
 * from earlier calls are dead once the packet's head or tail moved.
 */
static __always_inline void *pkt_at(struct pkt *p, __u32 offset, __u32 size)
{
	void *data = (void *)(long)p->skb->data;
	void *end = (void *)(long)p->skb->data_end;

	/* Linux 6.1 forgets the bound of an offset that was spilled to the stack. */
	asm volatile("%0 &= %1" : "+r"(offset) : "i"(VD_OFFSET_MASK));
	return data + offset + size <= end ? data + offset : NULL;
}

static __always_inline __u32 pkt_len(const struct pkt *p)
{
	return p->skb->data_end - p->skb->data;
}

static __always_inline bool pkt_is_gso(const struct pkt *p)
{
	return false;
}

#else

/* clang 14 may add the offset to the context first, which the verifier refuses: so assembler. */
#define VD_SKB_POINTER(skb, field)                                                                 \
	({                                                                                         \
		void *vd_pointer;                                                                  \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                                              \
			     : "=r"(vd_pointer)                                                    \
			     : "r"(skb), "i"(__builtin_offsetof(struct __sk_buff, field)));        \
		vd_pointer;                                                                        \
	})

/*
 * @return `size` readable bytes at `offset`, or NULL: the packet is shorter.
 * Pointers from earlier calls are dead afterwards, as the header may have been pulled together.
 */
static __always_inline void *pkt_at(struct pkt *p, __u32 offset, __u32 size)
{
	void *data, *end;

	/* Linux 6.1 forgets the bound of an offset that was spilled to the stack. */
	asm volatile("%0 &= %1" : "+r"(offset) : "i"(VD_OFFSET_MASK));
	data = VD_SKB_POINTER(p->skb, data);
	end = VD_SKB_POINTER(p->skb, data_end);
	if (data + offset + size <= end)
		return data + offset;
	if (bpf_skb_pull_data(p->skb, offset + size))
		return NULL;
	data = VD_SKB_POINTER(p->skb, data);
	end = VD_SKB_POINTER(p->skb, data_end);
	return data + offset + size <= end ? data + offset : NULL;
}

static __always_inline __u32 pkt_len(const struct pkt *p)
{
	return p->skb->len;
}

/* Whether the packet stands for several that the device will cut. */
static __always_inline bool pkt_is_gso(const struct pkt *p)
{
	return p->skb->gso_size != 0;
}

#endif

#endif
