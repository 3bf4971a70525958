/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The hash that turns a flow into a slot. It depends on nothing but its input, so every node and
 * every hook gives one flow the same slot. Calls no kernel helper.
 */
#ifndef VIADUCT_BPF_HASH_H
#define VIADUCT_BPF_HASH_H

#include <linux/types.h>
#include <viaduct/abi/address.h>

#define VD_HASH_INLINE static inline __attribute__((always_inline))
#define VD_HASH_SEED 0x76696164756374ULL
#define VD_HASH_STEP 0x9e3779b97f4a7c15ULL /* 2^64 / golden ratio, odd */

/* One 64-bit word enters. The shift brings down the high bits, which multiplying mixes best. */
VD_HASH_INLINE __u64 vd_hash_add(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * VD_HASH_STEP;
	return hash ^ (hash >> 32);
}

/* Every input bit reaches every output bit. Source: the finalizer of MurmurHash3, 64 bit. */
VD_HASH_INLINE __u32 vd_hash_end(__u64 hash)
{
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdULL;
	hash ^= hash >> 33;
	hash *= 0xc4ceb9fe1a85ec53ULL;
	return (__u32)(hash >> 32);
}

VD_HASH_INLINE __u64 vd_hash_addr(__u64 hash, const struct vd_addr *a)
{
	hash = vd_hash_add(hash, (__u64)a->words[0] << 32 | a->words[1]);
	return vd_hash_add(hash, (__u64)a->words[2] << 32 | a->words[3]);
}

/* A packet's flow: who talks to which VIP. */
VD_HASH_INLINE __u32 vd_hash_flow(const struct vd_addr *client, __be16 client_port,
				  const struct vd_addr *vip, __be16 vip_port, __u8 proto)
{
	__u64 hash = vd_hash_addr(vd_hash_addr(VD_HASH_SEED, client), vip);

	hash = vd_hash_add(hash, (__u64)client_port << 32 | (__u64)vip_port << 16 | proto);
	return vd_hash_end(hash);
}

/* A client of a VIP: all its flows get one slot. */
VD_HASH_INLINE __u32 vd_hash_client(const struct vd_addr *client, const struct vd_addr *vip,
				    __be16 vip_port, __u8 proto)
{
	__u64 hash = vd_hash_addr(vd_hash_addr(VD_HASH_SEED, client), vip);

	return vd_hash_end(vd_hash_add(hash, (__u64)vip_port << 16 | proto));
}

/* A socket has no port yet when it connects: its cookie takes the place of address and port. */
VD_HASH_INLINE __u32 vd_hash_socket(__u64 cookie, const struct vd_addr *vip, __be16 vip_port,
				    __u8 proto)
{
	__u64 hash = vd_hash_addr(vd_hash_add(VD_HASH_SEED, cookie), vip);

	return vd_hash_end(vd_hash_add(hash, (__u64)vip_port << 16 | proto));
}

/* The n-th further choice of a flow whose first slot cannot be used; n = 0 is the first. */
VD_HASH_INLINE __u32 vd_hash_again(__u32 hash, __u32 n)
{
	return n == 0 ? hash : vd_hash_end(vd_hash_add(hash, n));
}

/* Scales a hash to 0..count-1 without a division. @return 0 if count is 0. */
VD_HASH_INLINE __u32 vd_hash_slot(__u32 hash, __u32 count)
{
	return (__u32)(((__u64)hash * count) >> 32);
}

#endif
