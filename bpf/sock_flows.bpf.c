// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Iterator over the socket storage vd_sock_v1: one struct vd_sock_flow for each socket that is
 * connected to a VIP or about to be. Reading the iterator's file runs it. The map is named when the
 * link is made (bpf_iter_link_info).
 */
#include <linux/bpf.h>
#include <linux/in6.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/flow.h>

#include "lib/addr.h"

#define VD_TCP_CLOSE 7 /* state of a socket, UDP too, that is no longer connected */

/* Of the kernel's structs the fields that are read; libbpf finds their places when it loads. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common {
	unsigned int inum;
};
struct net {
	struct ns_common ns;
};
typedef struct {
	struct net *net;
} possible_net_t;
struct sock_common {
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	__be32 skc_rcv_saddr;
	__u16 skc_num;
	struct in6_addr skc_v6_rcv_saddr;
	possible_net_t skc_net;
};
struct inode {
	unsigned long i_ino;
};
struct file {
	struct inode *f_inode;
};
struct socket {
	struct file *file;
};
struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
};
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
};
#pragma clang attribute pop

static __always_inline void read_local(struct vd_sock_flow *flow, struct sock *sk)
{
	flow->local_port = bpf_htons(BPF_CORE_READ(sk, __sk_common.skc_num));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == VD_AF_INET)
		flow->local = vd_addr_v4(BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
	else
		BPF_CORE_READ_INTO(&flow->local, sk, __sk_common.skc_v6_rcv_saddr);
}

SEC("iter/bpf_sk_storage_map")
int vd_sock_flows(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock *sk = ctx->sk;
	struct vd_sock *value = ctx->value;
	struct vd_sock_flow flow = {};

	if (!sk || !value)
		return 0;
	flow.sock = *value;
	if (flow.sock.peer.backend_id == 0 ||
	    BPF_CORE_READ(sk, __sk_common.skc_state) == VD_TCP_CLOSE)
		return 0;
	read_local(&flow, sk);
	flow.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	flow.cookie = bpf_get_socket_cookie(sk);
	flow.bound_ifindex = BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);
	flow.inode = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
	bpf_seq_write(ctx->meta->seq, &flow, sizeof(flow));
	return 0;
}

/* Iterators may only be GPL-compatible; the sources are under either licence. */
char vd_license[] SEC("license") = "GPL";
