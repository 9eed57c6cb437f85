/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_gfp.c - flags of a request, as any text and as any bits.
 *
 * The first byte chooses the model, the next four are bits, the rest is text.
 */
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/arch.h>
#include <physzone/linux/gfp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Bits are written, cut and read back. */
static void check_bits(uint32_t gfp, enum pzl_model m)
{
	char buf[512], cut[16];
	uint32_t back = ~gfp;
	size_t n = pzl_gfp_format(buf, sizeof(buf), gfp, m);
	struct pz_page_req req;

	must(n > 0 && n < sizeof(buf) && strlen(buf) == n);
	must(!pzl_gfp_parse(buf, n, m, &back) && back == gfp);
	must(pzl_gfp_format(cut, sizeof(cut), gfp, m) == n);
	must(!memcmp(cut, buf, n < sizeof(cut) ? n : sizeof(cut) - 1));
	memset(&req, 0, sizeof(req));
	for (uint32_t configured = 0; configured <= PZL_ZONE_BIT(PZ_ZONE_TYPES); configured += 3) {
		uint32_t has = configured | PZL_ZONE_BIT(PZ_ZONE_NORMAL) |
			       PZL_ZONE_BIT(PZ_ZONE_MOVABLE);

		pzl_gfp_request(gfp, m, has, &req);
		must(req.highest < PZ_ZONE_TYPES && has & PZL_ZONE_BIT(req.highest));
		must(!(req.gfp & ~PZ_GFP_ALL));
		must(!(req.gfp & PZ_GFP_BLOCK) == !pzl_gfp_can_block(gfp));
		must((req.gfp & (PZ_GFP_MOVABLE | PZ_GFP_RECLAIMABLE)) !=
		     (PZ_GFP_MOVABLE | PZ_GFP_RECLAIMABLE));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum pzl_model m;
	uint32_t gfp;
	int err;

	if (size < 5)
		return 0;
	m = (enum pzl_model)(data[0] % PZL_MODELS);
	memcpy(&gfp, data + 1, sizeof(gfp));
	check_bits(gfp, m);
	err = pzl_gfp_parse((const char *)data + 5, size - 5, m, &gfp);
	must(err == 0 || err == -PZ_EINVAL || err == -PZ_ENOENT);
	if (!err)
		check_bits(gfp, m);
	return 0;
}
