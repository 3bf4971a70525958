/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The Internet checksum, incrementally (RFC 1624, eqn. 3) and whole (RFC 1071). Sums are of words
 * as they stand in memory: the checksum does not depend on byte order. Calls no kernel helper.
 */
#ifndef VIADUCT_BPF_CSUM_H
#define VIADUCT_BPF_CSUM_H

#include <linux/types.h>
#include <viaduct/abi/address.h>

#define VD_CSUM_INLINE static inline __attribute__((always_inline))

/* A word changes: ~m + m'. */
VD_CSUM_INLINE __u64 vd_csum_swap(__u64 sum, __u32 from, __u32 to)
{
	return sum + (__u32)~from + to;
}

VD_CSUM_INLINE __u64 vd_csum_swap_addr(__u64 sum, const struct vd_addr *from,
				       const struct vd_addr *to)
{
	sum = vd_csum_swap(sum, from->words[0], to->words[0]);
	sum = vd_csum_swap(sum, from->words[1], to->words[1]);
	sum = vd_csum_swap(sum, from->words[2], to->words[2]);
	return vd_csum_swap(sum, from->words[3], to->words[3]);
}

/* The 32-bit sum that bpf_l3_csum_replace and bpf_l4_csum_replace take as a difference. */
VD_CSUM_INLINE __u32 vd_csum_fold32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (__u32)((sum & 0xffffffff) + (sum >> 32));
}

/* The header field for a sum of all words. */
VD_CSUM_INLINE __u16 vd_csum_end(__u64 sum)
{
	sum = vd_csum_fold32(sum);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16) ~((sum & 0xffff) + (sum >> 16));
}

VD_CSUM_INLINE __u64 vd_csum_words(__u64 sum, const __u32 *words, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		sum += words[i];
	return sum;
}

#endif
