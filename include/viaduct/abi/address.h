/* SPDX-License-Identifier: Apache-2.0 */
/* An IP address of either family, as it stands in maps. */
#ifndef VIADUCT_ABI_ADDRESS_H
#define VIADUCT_ABI_ADDRESS_H

#include <linux/types.h>

/* Network order. IPv4 is kept as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so no step needs a family
 * flag. */
struct vd_addr {
	union {
		__u8 bytes[16];
		__be32 words[4];
	};
};

#ifdef __cplusplus
static_assert(sizeof(vd_addr) == 16, "map ABI: another size is another map version");
#else
_Static_assert(sizeof(struct vd_addr) == 16, "map ABI: another size is another map version");
#endif

#endif
