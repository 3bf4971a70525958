/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* ICMP of both versions begins alike. <linux/icmp.h> is not used: it includes the C library. */
#ifndef VIADUCT_BPF_ICMP_H
#define VIADUCT_BPF_ICMP_H

#include <linux/types.h>

/* RFC 792 */
#define VD_ICMP_ECHO_REPLY 0
#define VD_ICMP_UNREACHABLE 3
#define VD_ICMP_ECHO 8
#define VD_ICMP_TIME_EXCEEDED 11
#define VD_ICMP_PARAMETER 12
#define VD_ICMP_FRAGMENTATION_NEEDED 4 /* code of VD_ICMP_UNREACHABLE, RFC 1191 */
#define VD_ICMP_PORT_UNREACHABLE 3 /* code of VD_ICMP_UNREACHABLE */
/* RFC 4443; types below 128 are errors */
#define VD_ICMP6_UNREACHABLE 1
#define VD_ICMP6_TOO_BIG 2
#define VD_ICMP6_ECHO 128
#define VD_ICMP6_ECHO_REPLY 129
#define VD_ICMP6_PORT_UNREACHABLE 4 /* code of VD_ICMP6_UNREACHABLE */

#define VD_QUOTE_L4 8 /* bytes of a transport header that an ICMP error quotes at least */

struct vd_icmp {
	__u8 type;
	__u8 code;
	__u16 check;
	__be32 rest; /* by type: identifier and sequence, MTU, pointer */
};

#endif
