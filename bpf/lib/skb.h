/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The bytes of a tc program's packet. Included by lib/pkt.h. */
#ifndef VIADUCT_BPF_SKB_H
#define VIADUCT_BPF_SKB_H

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
