/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_waste.c - physzone waste: what kmalloc(GFP_DMA) would waste on the page allocator.
 */
#include "commands.h"

#include <string.h>

#include "waste/waste.h"

/* The kernel: by the options, or the newest model on x86_64. */
static int waste_kernel(struct waste *w, const struct options *o, char **err)
{
	enum pzl_model model = PZL_LINUX_6_12;
	enum pzl_arch arch = PZL_ARCH_X86_64;
	uint32_t zones;

	if (o->model && pzl_model_by_name(o->model, &model)) {
		*err = xasprintf("unknown model '%s': expected linux-5.15, linux-6.1 or linux-6.12",
				 o->model);
		return EXIT_USAGE;
	}
	if (o->arch && pzl_arch_by_name(o->arch, &arch)) {
		*err = xasprintf("unknown architecture '%s'; 'physzone arch' lists them", o->arch);
		return EXIT_USAGE;
	}
	zones = pzl_arch_zones(model, arch, PZL_VAR_GENERIC);
	pzl_slab_boot_init(&w->boot, model, arch, 0, zones, 1);
	w->elsewhere = !(zones & PZL_ZONE_BIT(PZ_ZONE_DMA));
	w->arch = arch;
	w->page_shift = w->boot.k.page_shift;
	w->max_order = w->boot.k.largest_order;
	return 0;
}

int cmd_waste(const struct options *o, struct out *out, char **err)
{
	static struct pzl_mem_op ops[64];
	static struct pzl_arg args[256];
	struct pzl_slab_args words;
	struct pzl_cmdline cl;
	struct waste_input in;
	struct waste w;
	int rc;

	memset(&w, 0, sizeof(w));
	*err = NULL;
	rc = waste_kernel(&w, o, err);
	if (rc)
		return rc;
	pzl_cmdline_init(&cl, args, 256, ops, 64);
	/* Words beyond the room do not count; none of them is about slabs in earnest. */
	(void)pzl_cmdline_parse(&cl, w.boot.km.model, w.arch, w.page_shift,
				o->cmdline ? o->cmdline : "", o->cmdline ? strlen(o->cmdline) : 0);
	pzl_slab_boot_args(&w.boot, &cl, &words);
	w.debug = words.debug;
	rc = waste_read(&in, o, w.boot.km.model, UINT64_C(1) << (w.page_shift + w.max_order),
			o->all, err);
	if (!rc) {
		waste_compute(&w, &in);
		if (o->json)
			waste_json(out, &w, &in, o->all);
		else
			waste_text(out, &w, &in, o->all);
	}
	waste_input_destroy(&in);
	waste_destroy(&w);
	return rc;
}
