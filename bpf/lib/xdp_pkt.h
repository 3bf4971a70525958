/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* A packet of an XDP program. Included before any other header of lib/. */
#ifndef VIADUCT_BPF_XDP_PKT_H
#define VIADUCT_BPF_XDP_PKT_H

#define VD_PKT_XDP
#include "lib/pkt.h"

#endif
