/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Steps that find a question's answer in the table that user space writes meanwhile. */
#ifndef VIADUCT_BPF_DNS_TABLE_H
#define VIADUCT_BPF_DNS_TABLE_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/dns.h>

#include "lib/dns_maps.h"
#include "lib/dns_packet.h"
#include "lib/dns_parse.h"

#define VD_DNS_READ(value) (*(const volatile __typeof__(value) *)&(value))

/*
 * The entry of the bucket that has the upper half of a hash; 0: none. Without branches, which would
 * let the verifier follow each entry apart. Two such entries make one that leads to no name.
 */
static __always_inline __u64 entry_in(void *index, __u64 hash, __u64 number)
{
	__u32 key = (__u32)number + 1;
	struct vd_dns_bucket *bucket = bpf_map_lookup_elem(index, &key);
	__u64 found = 0;

	if (!bucket)
		return 0;
	for (int i = 0; i < VD_DNS_BUCKET_ENTRIES; i++) {
		__u64 entry = VD_DNS_READ(bucket->entries[i]);
		__u64 differ = (entry ^ hash) >> 32;

		found |= entry & -((differ - 1) >> 63);
	}
	return found;
}

/* @return the number of the slot that may hold the name, plus 1; 0: the table does not have it. */
static __always_inline __u32 slot_of(void *index, union vd_dns_message *m, __u32 name_octets)
{
	__u32 zero = 0;
	struct vd_dns_index_head *head = bpf_map_lookup_elem(index, &zero);
	__u64 hash, entry, mask;

	if (!head)
		return 0;
	mask = head->mask;
	hash = vd_dns_fold_name(m, name_octets, head->seed);
	entry = entry_in(index, hash, hash & mask);
	if (!(__u32)entry)
		entry = entry_in(index, hash, ((hash >> 20) * VD_DNS_HASH_FACTOR >> 32) & mask);
	return (__u32)entry;
}

/*
 * Copies a slot or a zone as it was at one moment; its sequence number is its first word's half.
 * Loads are not reordered on x86; elsewhere an atomic fetch would have to stand on both sides.
 */
static __always_inline enum vd_dns_outcome copy_guarded(__u64 *to, const __u64 *from)
{
	const volatile __u32 *sequence = (const volatile __u32 *)from;
	__u32 before = *sequence;

	if (before & 1)
		return VD_DNS_BUSY;
	asm volatile("" ::: "memory");
	for (int i = 0; i < VD_DNS_COPY_WORDS; i++)
		to[i] = ((const volatile __u64 *)from)[i];
	asm volatile("" ::: "memory");
	return *sequence == before ? VD_DNS_NEXT : VD_DNS_BUSY;
}

static __always_inline bool is_name(const struct vd_dns_scratch *s, __u32 name_octets)
{
	const __u64 *asked = &s->query.words[VD_DNS_NAME_AT / 8];
	const __u64 *held = (const __u64 *)s->copy.slot.data;
	__u32 count = (name_octets + 7) / 8;
	__u64 differ = s->copy.slot.name_octets ^ name_octets;

	for (__u32 i = 0; i < VD_DNS_NAME_WORDS && i < count; i++)
		differ |= asked[i] ^ held[i];
	return differ == 0;
}

/* Step: the slot of the question's name, copied. */
static __always_inline enum vd_dns_outcome find_name(struct vd_dns_packet *p)
{
	__u32 zero = 0, slot;
	struct vd_dns_slot *found;
	void *index = bpf_map_lookup_elem(&vd_dns_index_v1, &zero);
	void *slots = bpf_map_lookup_elem(&vd_dns_slot_v1, &zero);

	if (!index || !slots)
		return VD_DNS_OFF;
	slot = slot_of(index, &p->scratch->query, p->question.name_octets) - 1;
	found = bpf_map_lookup_elem(slots, &slot); /* number -1 is none */
	if (!found)
		return VD_DNS_UNKNOWN;
	VD_DNS_TRY(copy_guarded(p->scratch->copy.words, (const __u64 *)found));
	if (!is_name(p->scratch, p->question.name_octets))
		return VD_DNS_UNKNOWN;
	return p->scratch->copy.slot.flags & VD_DNS_ELSEWHERE ? VD_DNS_LONG : VD_DNS_NEXT;
}

/* The authority section of NODATA: the zone's SOA, whose owner is the end of the question. */
static __always_inline enum vd_dns_outcome use_zone(struct vd_dns_packet *p,
						    const struct vd_dns_zone *zone)
{
	struct vd_dns_zone *copy = &p->scratch->copy.zone;
	__u32 owner;

	VD_DNS_TRY(copy_guarded(p->scratch->copy.words, (const __u64 *)zone));
	if (copy->negative_octets == 0 || copy->negative_octets > VD_DNS_NEGATIVE_MAX)
		return VD_DNS_NOT_READY;
	owner = 0xc000 | (VD_DNS_HEADER_OCTETS + p->question.name_octets - copy->apex_octets);
	copy->negative[0] = (__u8)(owner >> 8);
	copy->negative[1] = (__u8)owner;
	p->body_at = offsetof(struct vd_dns_zone, negative);
	p->body_octets = copy->negative_octets;
	p->body_start = 0;
	p->records = 0;
	return VD_DNS_NEXT;
}

/* Step: the record set of the question's type, or the zone's SOA. */
static __always_inline enum vd_dns_outcome find_answer(struct vd_dns_packet *p)
{
	const struct vd_dns_slot *slot = &p->scratch->copy.slot;
	__u32 number = slot->zone, sets = slot->sets;
	__u32 at = offsetof(struct vd_dns_slot, data) + ((p->question.name_octets + 7) & ~7U);
	struct vd_dns_zone *zone = bpf_map_lookup_elem(&vd_dns_zone_v1, &number);

	if (!zone || !VD_DNS_READ(zone->ready))
		return VD_DNS_NOT_READY;
	p->flags = VD_DNS_READ(zone->flags);
	for (__u32 i = 0; i < VD_DNS_SLOT_SETS && i < sets; i++) {
		const struct vd_dns_set *set;

		at = vd_dns_mask(at, 0x1f8);
		set = (const struct vd_dns_set *)&p->scratch->copy.octets[at];
		if (set->type == p->question.type || p->question.type == VD_DNS_TYPE_ANY) {
			p->body_at = at + sizeof(*set);
			p->body_octets = set->body_octets;
			p->records = set->records;
			p->body_start = 0;
			if (set->unit_octets != 0 && set->records != 0)
				p->body_start = p->question.id % set->records * set->unit_octets;
			return VD_DNS_NEXT;
		}
		at += sizeof(*set) + ((set->body_octets + 7U) & ~7U);
	}
	return use_zone(p, zone);
}

#endif
