// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * What connect() would do: a system call program, run by `viaductctl explain` with a struct
 * vd_explain_call. It takes the steps of sock_lb's connect() from the VIP to the backend and leaves
 * its answer in vd_explain_v1. Loaded dry (lib/dry.h); returns 0.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <viaduct/abi/explain.h>
#include <viaduct/abi/reason.h>

#include "lib/call.h"
#include "lib/choose.h"
#include "lib/dry.h"
#include "lib/finish.h"
#include "maps.h"

static __always_inline enum vd_reason connect(struct call *c)
{
	VD_TRY(check_protocol(c));
	VD_TRY(find_service(c));
	VD_TRY(pick_backend(c));
	return VD_FORWARDED;
}

static __always_inline int explain(struct call *c, enum vd_reason reason)
{
	struct vd_explanation *e = vd_explanation_start(reason);

	if (!e)
		return 0;
	if (c->choice.service)
		e->service_id = c->choice.service->id;
	if (c->choice.backend) {
		e->backend_id = c->choice.backend_id;
		e->dst = c->choice.backend->addr;
		e->dport = c->choice.backend->port;
	}
	return 0;
}

SEC("syscall")
int vd_explain_socket(struct vd_explain_call *ctx)
{
	struct call c = {
		.addr = ctx->addr,
		.port = ctx->port,
		.proto = ctx->proto,
		.netns_cookie = ctx->netns_cookie,
	};

	return explain(&c, connect(&c));
}

/* The kernel knows no name for Apache-2.0; the sources are under either licence. */
char vd_license[] SEC("license") = "GPL";
