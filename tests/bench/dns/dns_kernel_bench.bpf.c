// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * tc_dns for BPF_PROG_TEST_RUN's repetitions, which run on one packet: it is made the query again
 * before each turn. vd_bench_restore does that alone, and is what a turn costs besides.
 */
#include "tc_dns.bpf.c"

struct vd_bench_query {
  __u32 octets; /* of the frame */
  __u8 frame[1024];
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct vd_bench_query);
} vd_bench_query SEC(".maps");

static __always_inline long restore(struct __sk_buff* skb) {
  __u32 zero = 0;
  struct vd_bench_query* query = bpf_map_lookup_elem(&vd_bench_query, &zero);
  __u32 octets;

  if (!query) return -1;
  if (skb->len != query->octets && bpf_skb_change_tail(skb, query->octets, 0)) return -1;
  octets = vd_dns_mask(query->octets - 1, 511) + 1;
  return bpf_skb_store_bytes(skb, 0, query->frame, octets, 0);
}

SEC("tc")
int vd_bench_restore(struct __sk_buff* skb) { return restore(skb) ? TC_ACT_SHOT : TC_ACT_UNSPEC; }

SEC("tc")
int vd_bench_answer(struct __sk_buff* skb) {
  if (restore(skb)) return TC_ACT_SHOT;
  return answer_container(skb);
}
