/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the layout of what stands in maps. */
#ifndef VIADUCT_ABI_SIZE_H
#define VIADUCT_ABI_SIZE_H

#ifdef __cplusplus
#define VD_ASSERT_SIZE(type, size)                                                                 \
	static_assert(sizeof(struct type) == size, "map ABI: another size is another map version")
#else
#define VD_ASSERT_SIZE(type, size)                                                                 \
	_Static_assert(sizeof(struct type) == size, "map ABI: another size is another map "        \
						    "version")
#endif

#endif
