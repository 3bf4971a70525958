// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Answers DNS queries from the table that user space answers from, with the same octets.
 *   vd_dns_container: ingress of the host's side of a container link; the answer goes back out;
 *   vd_dns_loopback: egress of lo, for processes of the host; the answer goes on to its socket.
 * Verdicts: TC_ACT_UNSPEC, so that other filters run and user space answers, or the answer goes on;
 * TC_ACT_REDIRECT; TC_ACT_SHOT for an answer that could not be written to its end.
 *
 * Everything but a plain question about a name that is there goes up untouched, and so do all
 * once viaductd does not say any more that it lives.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/dns.h>

#include "lib/dns_maps.h"
#include "lib/dns_answer.h"
#include "lib/dns_packet.h"
#include "lib/dns_table.h"

static __always_inline enum vd_dns_outcome respond(struct vd_dns_packet *p)
{
	VD_DNS_TRY(read_headers(p));
	VD_DNS_TRY(admit(p));
	VD_DNS_TRY(read_query(p));
	VD_DNS_TRY(find_name(p));
	VD_DNS_TRY(find_answer(p));
	return write_answer(p);
}

static __always_inline void count(enum vd_dns_outcome outcome)
{
	__u32 key = outcome;
	__u64 *counter = bpf_map_lookup_elem(&vd_dns_count_v1, &key);

	if (counter)
		*counter += 1;
}

static __always_inline int finish(enum vd_dns_outcome outcome, int answered)
{
	if (outcome == VD_DNS_FOREIGN)
		return TC_ACT_UNSPEC;
	count(outcome);
	if (outcome == VD_DNS_ANSWERED || outcome == VD_DNS_NO_DATA)
		return answered;
	return outcome == VD_DNS_BROKEN ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

static __always_inline enum vd_dns_outcome run(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct vd_dns_packet p = {
		.skb = skb,
		.scratch = bpf_map_lookup_elem(&vd_dns_scratch, &zero),
		.control = bpf_map_lookup_elem(&vd_dns_state_v1, &zero),
	};

	if (!p.scratch || !p.control)
		return VD_DNS_FOREIGN;
	return respond(&p);
}

static __always_inline int answer_container(struct __sk_buff *skb)
{
	enum vd_dns_outcome outcome = run(skb);

	if (outcome == VD_DNS_ANSWERED || outcome == VD_DNS_NO_DATA)
		return finish(outcome, (int)bpf_redirect(skb->ifindex, 0));
	return finish(outcome, TC_ACT_UNSPEC);
}

SEC("tc")
int vd_dns_container(struct __sk_buff *skb)
{
	return answer_container(skb);
}

SEC("tc")
int vd_dns_loopback(struct __sk_buff *skb)
{
	return finish(run(skb), TC_ACT_UNSPEC);
}

char vd_license[] SEC("license") = "GPL";
