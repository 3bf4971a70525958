/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Every map. All are pinned by name in the daemon's bpffs folder; sizes are defaults that the
 * loader may change before the first load. A map that a program does not use costs it nothing.
 */
#ifndef VIADUCT_BPF_MAPS_H
#define VIADUCT_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/event.h>
#include <viaduct/abi/explain.h>
#include <viaduct/abi/flow.h>
#include <viaduct/abi/node.h>
#include <viaduct/abi/reason.h>
#include <viaduct/abi/service.h>

/* written by viaductd; read by every program, viaductctl */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VD_MAX_SERVICES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vd_service4_key);
	__type(value, struct vd_service);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_service4_v1 SEC(".maps");

/* written by viaductd; read by every program, viaductctl */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VD_MAX_SERVICES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct vd_service6_key);
	__type(value, struct vd_service);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_service6_v1 SEC(".maps");

/* written by viaductd through mmap; read by every program, viaductctl */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VD_MAX_SLOT_LINES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct vd_slot_line);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_slot_v1 SEC(".maps");

/* written by viaductd through mmap; read by every program, viaductctl */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VD_MAX_BACKENDS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct vd_backend);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_backend_v1 SEC(".maps");

/* counted by every program, zeroed by viaductd when an id is handed out; read by viaductd,
 * viaductctl */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VD_MAX_BACKENDS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct vd_load);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_load_v1 SEC(".maps");

/* written by tc_lb; read by tc_lb, viaductctl. A lost entry costs its flow: NAT cannot be
 * recomputed. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, VD_MAX_FLOWS);
	__type(key, struct vd_flow_key);
	__type(value, struct vd_flow);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_flow_v1 SEC(".maps");

/* written by tc_lb; read by tc_lb, viaductctl. Flows that are not settled (lib/new_flow.h); what a
 * flood of new ones evicts. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, VD_MAX_NEW_FLOWS);
	__type(key, struct vd_flow_key);
	__type(value, struct vd_flow_new);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_flow_new_v1 SEC(".maps");

/* written by viaductd through mmap; read by xdp_lb, viaductctl */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VD_MAX_NODES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct vd_node);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_node_v1 SEC(".maps");

/* written by xdp_lb; read by xdp_lb. A lost entry moves a flow that began after the last change. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VD_FLOW_SETS);
	__type(key, __u32);
	__type(value, struct vd_flow_set);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_flow_set_v1 SEC(".maps");

/* written by tc_lb, xdp_lb; read by them. A lost entry costs its datagram. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, VD_MAX_FRAGMENTS);
	__type(key, struct vd_fragment_key);
	__type(value, struct vd_fragment);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_fragment_v1 SEC(".maps");

/* written by sock_lb, tc_lb; read by them. A lost entry costs its client the backend it had. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, VD_MAX_AFFINITIES);
	__type(key, struct vd_affinity_key);
	__type(value, struct vd_affinity);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_affinity_v1 SEC(".maps");

/* written by every program; read by viaductd, viaductctl */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VD_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_counter_v1 SEC(".maps");

/* written by viaductctl, which also counts down its time, through mmap; read by every program,
 * which count in it. One tracer at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct vd_trace);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_trace_v1 SEC(".maps");

/* written by every program while vd_trace_v1 says so; read by viaductctl */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, VD_EVENT_BYTES);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_event_v1 SEC(".maps");

/* written by the dry copies of the programs, viaductctl; read by viaductctl */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vd_explanation);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_explain_v1 SEC(".maps");

/* written by sock_lb; read by sock_lb, sock_flows */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct vd_sock);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_sock_v1 SEC(".maps");

/* written by sock_lb; read by sock_lb */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct vd_sock_udp);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} vd_sock_udp_v1 SEC(".maps");

#endif
