/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The bytes of an XDP program's packet. Included by lib/pkt.h. */
#ifndef VIADUCT_BPF_XDP_H
#define VIADUCT_BPF_XDP_H

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

#endif
