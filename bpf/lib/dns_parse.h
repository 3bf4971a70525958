/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Reads a DNS query that has nothing but one question and, maybe, an OPT record without options.
 * Calls no kernel helper.
 *
 * The name's length follows from the message's, and its labels are not looked at: who finds these
 * very octets in the table has found a well-formed name, and no other reading of the message.
 */
#ifndef VIADUCT_BPF_DNS_PARSE_H
#define VIADUCT_BPF_DNS_PARSE_H

#include <stdbool.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <viaduct/abi/dns.h>

#define VD_DNS_INLINE static inline __attribute__((always_inline))

#define VD_DNS_HEADER_OCTETS 12
#define VD_DNS_ASKED_OCTETS 4 /* type and class */
#define VD_DNS_OPT_OCTETS 11
#define VD_DNS_NAME_MAX VD_DNS_SLOT_DATA /* longer names do not fit a slot */
#define VD_DNS_NAME_WORDS (VD_DNS_NAME_MAX / 8)
#define VD_DNS_QUERY_MAX                                                                           \
	(VD_DNS_HEADER_OCTETS + VD_DNS_NAME_MAX + VD_DNS_ASKED_OCTETS + VD_DNS_OPT_OCTETS)

#define VD_DNS_TYPE_SRV 33
#define VD_DNS_TYPE_OPT 41
#define VD_DNS_TYPE_IXFR 251
#define VD_DNS_TYPE_AXFR 252
#define VD_DNS_TYPE_ANY 255
#define VD_DNS_CLASS_IN 1

#define VD_DNS_QR 0x80 /* of a header's octet 2 */
#define VD_DNS_OPCODE 0x78
#define VD_DNS_AA 0x04
#define VD_DNS_RD 0x01

struct vd_dns_header {
	__be16 id;
	__u8 flags; /* QR, opcode, AA, TC, RD */
	__u8 more_flags; /* RA, Z, AD, CD, rcode */
	__be16 questions;
	__be16 answers;
	__be16 authority;
	__be16 additional;
};

/* A message, moved so that the name begins with a word. */
#define VD_DNS_MESSAGE_AT 4
#define VD_DNS_NAME_AT (VD_DNS_MESSAGE_AT + VD_DNS_HEADER_OCTETS)

union vd_dns_message {
	__u64 words[66];
	__u8 octets[528];
	struct {
		__u32 unused;
		struct vd_dns_header header;
	} start;
};

struct vd_dns_question {
	__u32 name_octets; /* 1..VD_DNS_NAME_MAX */
	__u16 id;
	__u16 type;
	bool has_opt;
	__u8 opt[12]; /* the OPT record as it came */
};

/* Keeps the compiler from proving that a mask is not needed: the verifier needs it. */
VD_DNS_INLINE __u32 vd_dns_mask(__u32 value, __u32 mask)
{
	asm volatile("" : "+r"(value));
	return value & mask;
}

VD_DNS_INLINE __u16 vd_dns_read16(const __u8 *from)
{
	return (__u16)(from[0] << 8 | from[1]);
}

/* An OPT record of version 0 without options (RFC 6891, 6.1.2). */
VD_DNS_INLINE bool vd_dns_read_opt(const __u8 *from, struct vd_dns_question *q)
{
	for (int i = 0; i < VD_DNS_OPT_OCTETS; i++)
		q->opt[i] = from[i];
	return from[0] == 0 && vd_dns_read16(from + 1) == VD_DNS_TYPE_OPT && from[6] == 0 &&
	       vd_dns_read16(from + 9) == 0;
}

/*
 * Reads a message of `octets`, and fills the name's last word up with zeros.
 * @return VD_DNS_NEXT, or VD_DNS_ODD: user space knows what to make of it.
 */
VD_DNS_INLINE enum vd_dns_outcome vd_dns_parse(union vd_dns_message *m, __u32 octets,
					       struct vd_dns_question *q)
{
	const struct vd_dns_header *header = &m->start.header;
	const __u8 *asked;
	__u32 opt_octets = 0, last, free_octets;

	if (header->flags & (VD_DNS_QR | VD_DNS_OPCODE) || header->questions != bpf_htons(1) ||
	    header->answers != 0 || header->authority != 0)
		return VD_DNS_ODD;
	q->has_opt = header->additional == bpf_htons(1);
	if (q->has_opt)
		opt_octets = VD_DNS_OPT_OCTETS;
	else if (header->additional != 0)
		return VD_DNS_ODD;
	octets -= VD_DNS_HEADER_OCTETS + VD_DNS_ASKED_OCTETS + opt_octets;
	if (octets - 1 >= VD_DNS_NAME_MAX) /* of what is too short, too */
		return VD_DNS_ODD;
	octets = vd_dns_mask(octets, 0xff);
	q->name_octets = octets;
	q->id = bpf_ntohs(header->id);
	asked = &m->octets[VD_DNS_NAME_AT + octets];
	q->type = vd_dns_read16(asked);
	/* SRV comes with its targets' addresses, which are looked up one by one. */
	if (vd_dns_read16(asked + 2) != VD_DNS_CLASS_IN || q->type == VD_DNS_TYPE_IXFR ||
	    q->type == VD_DNS_TYPE_AXFR || q->type == VD_DNS_TYPE_SRV)
		return VD_DNS_ODD;
	if (q->has_opt && !vd_dns_read_opt(asked + VD_DNS_ASKED_OCTETS, q))
		return VD_DNS_ODD;
	last = vd_dns_mask((octets - 1) / 8, 31);
	free_octets = -octets & 7;
	m->words[VD_DNS_NAME_AT / 8 + last] &= ~0ULL >> (free_octets * 8);
	return VD_DNS_NEXT;
}

/* Eight octets with their ASCII capitals in lower case; see userspace/dns/name.h. */
VD_DNS_INLINE __u64 vd_dns_fold(__u64 word)
{
	const __u64 top_bits = 0x8080808080808080ULL;
	__u64 low = word & ~top_bits;
	__u64 from_a = low + 0x3f3f3f3f3f3f3f3fULL;
	__u64 after_z = low + 0x2525252525252525ULL;

	return word | ((from_a & ~after_z & ~word & top_bits) >> 2);
}

/* Folds a parsed query's name in place. @return its hash (<viaduct/abi/dns.h>). */
VD_DNS_INLINE __u64 vd_dns_fold_name(union vd_dns_message *m, __u32 name_octets, __u64 seed)
{
	__u64 *words = &m->words[VD_DNS_NAME_AT / 8];
	__u64 hash = seed ^ name_octets;
	__u32 count = (name_octets + 7) / 8;

	for (__u32 i = 0; i < VD_DNS_NAME_WORDS && i < count; i++) {
		words[i] = vd_dns_fold(words[i]);
		hash = (hash ^ words[i]) * VD_DNS_HASH_FACTOR;
		hash ^= hash >> 32;
	}
	return hash;
}

#endif
