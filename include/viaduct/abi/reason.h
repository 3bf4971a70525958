/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a packet or a system call left a program. vd_counter_v1 (per-CPU array of __u64) counts each
 * by hook: index = hook * VD_REASON_MAX + reason. Metric label and CLI word are the name in lower
 * case without the prefix.
 */
#ifndef VIADUCT_ABI_REASON_H
#define VIADUCT_ABI_REASON_H

/* X(name, verdict, help). verdict: PASS leaves it untouched or sends it on, REFUSE tells the
 * client, DROP is silent. */
#define VD_REASONS(X)                                                                              \
	X(NEXT, PASS, "not decided yet; never counted")                                            \
	X(NOT_IP, PASS, "neither IPv4 nor IPv6")                                                   \
	X(NOT_L4, PASS, "a protocol that is not balanced")                                         \
	X(FRAGMENT, PASS, "an IP fragment")                                                        \
	X(TRUNCATED, PASS, "shorter than its headers say")                                         \
	X(NOT_VIP, PASS, "no service has this address and port, and no flow is known")             \
	X(FORWARDED, PASS, "sent to a backend")                                                    \
	X(REPLIED, PASS, "a backend's answer, given the VIP as its source")                        \
	X(HAIRPINNED, PASS, "sent back to where it came from: client and backend are one")         \
	X(ECHOED, PASS, "an ICMP echo to a VIP, answered")                                         \
	X(ICMP_FORWARDED, PASS, "an ICMP error of a known flow, translated")                       \
	X(NO_BACKEND, REFUSE, "the service has no backend that takes new connections")             \
	X(NO_SERVICE, REFUSE, "the address is a VIP's, but nothing is configured on this port")    \
	X(BACKEND_GONE, REFUSE, "the flow's backend was removed")                                  \
	X(NO_ROUTE, REFUSE, "no route to the backend")                                             \
	X(FLOW_TABLE_FULL, DROP, "the flow could not be stored")                                   \
	X(NO_PORT, DROP, "no free source port towards the backend was found")                      \
	X(REWRITE_FAILED, DROP, "a packet could not be rewritten")                                 \
	X(UDP_PEER_EVICTED, PASS, "an unconnected UDP socket talks to more VIPs than are kept")    \
	X(CONNECTED, PASS, "a TCP connect to a backend succeeded")                                 \
	X(CONNECT_FAILED, PASS, "a TCP connect to a backend failed or was not answered in time")   \
	X(EJECTED, PASS, "a connect failed, and its backend gets no new ones for a while")         \
	X(EJECT_CAPPED, PASS, "a connect failed, but too many backends are ejected already")       \
	X(LOCAL, PASS, "for a backend of this machine: left to the tc programs")                   \
	X(ENCAPSULATED, PASS, "sent to its backend's machine in a tunnel")                         \
	X(DECAPSULATED, PASS, "arrived in a tunnel and was taken out of it")                       \
	X(TOO_BIG, REFUSE, "does not fit into the tunnel; its sender was told the size")           \
	X(NO_LOCAL_BACKEND, REFUSE, "no backend on this machine takes it, and no tunnel was used") \
	X(NO_NEIGHBOUR, DROP, "the link address on the way to the backend's machine is not known")

enum vd_reason {
#define VD_REASON_ENUM(name, verdict, help) VD_##name,
	VD_REASONS(VD_REASON_ENUM)
#undef VD_REASON_ENUM
	    VD_REASON_COUNT
};

#define VD_REASON_MAX 64 /* room per hook, so that a new reason does not move the others */

enum vd_hook {
	VD_HOOK_SOCK = 0,    /* cgroup socket hooks */
	VD_HOOK_REQUEST = 1, /* tc ingress of container links */
	VD_HOOK_REPLY = 2,   /* tc egress of container links and uplinks */
	VD_HOOK_HOST = 3,    /* tc egress of viaduct0 */
	VD_HOOK_HEALTH = 4,  /* sockops: what became of a connect */
	VD_HOOK_UPLINK = 5,  /* tc ingress of uplinks */
	VD_HOOK_XDP = 6,     /* XDP of uplinks */
	VD_HOOK_COUNT
};

#define VD_COUNTERS (VD_HOOK_COUNT * VD_REASON_MAX)

#endif
