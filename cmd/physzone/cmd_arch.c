/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_arch.c - "physzone arch": where each architecture puts the limits of its zones.
 *
 * Two sources stand side by side: the table that a mailing list thread gave (thread 004 of this
 * project's material), and what the code of each kernel version really does, as linux/arch.c
 * follows it. Kernels that do the same share a line. With names, or as JSON, the limits of an
 * example machine are computed too, by the same function that the analysis uses.
 */
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/arch.h>
#include <physzone/linux/model.h>

#include "commands.h"
#include "json.h"
#include "vec.h"

static const struct {
	uint32_t bit;
	const char *text; /* for people */
	const char *key;  /* for programs */
} arch_inputs[] = {
	{ PZL_IN_DT_DMA, "dma-ranges of the device tree", "dma-ranges" },
	{ PZL_IN_IORT, "memory address limits of the ACPI IORT", "iort" },
	{ PZL_IN_BOARD_DMA, "dma_zone_size of the board", "board-dma-zone-size" },
	{ PZL_IN_PHYS_OFFSET, "where memory starts", "phys-offset" },
	{ PZL_IN_PCI_IOMMU, "whether the machine has a PCI IOMMU", "pci-iommu" },
	{ PZL_IN_DCACHE, "whether the data cache aliases", "dcache-aliases" },
	{ PZL_IN_VARIANT, "the platform", "variant" },
	{ PZL_IN_LOWMEM, "the end of low memory", "low-memory" },
	{ PZL_IN_CONFIG, "which zones the platform's configuration selects", "configuration" },
};
#define ARCH_INPUTS (sizeof(arch_inputs) / sizeof(arch_inputs[0]))

static const char *arch_mem_word(enum pzl_mem_meaning m)
{
	switch (m) {
	case PZL_MEM_CEILING:
		return "ceiling";
	case PZL_MEM_AMOUNT:
		return "amount";
	case PZL_MEM_RANGES:
		return "ranges";
	case PZL_MEM_IGNORED:
		return "ignored";
	}
	return "?";
}

static const char *arch_mem_text(enum pzl_mem_meaning m)
{
	switch (m) {
	case PZL_MEM_CEILING:
		return "an address above which there is no memory";
	case PZL_MEM_AMOUNT:
		return "an amount of memory, counted from the bottom";
	case PZL_MEM_RANGES:
		return "size[@start], a list that replaces what firmware tells";
	case PZL_MEM_IGNORED:
		return "not known to the common code";
	}
	return "?";
}

/* The zones of the usual configuration as words; Movable is in every kernel and left out. */
static char *arch_zone_words(enum pzl_model m, enum pzl_arch a)
{
	uint32_t zones = pzl_arch_zones(m, a, PZL_VAR_GENERIC);
	char *s = xstrdup("");
	unsigned int t;

	for (t = 0; t < PZ_ZONE_TYPES; t++) {
		char *longer;

		if (t == PZ_ZONE_MOVABLE || !(zones & PZL_ZONE_BIT(t)))
			continue;
		longer = xasprintf("%s%s%s", s, *s ? " " : "", pz_zone_name((enum pz_zone_type)t));
		free(s);
		s = longer;
	}
	return s;
}

/* An example: 8 GiB from address 0, on 32 bits 2 GiB of which 768 MiB are low. */
static void arch_example(enum pzl_model m, enum pzl_arch a, struct pzl_arch_input *in)
{
	const struct pzl_arch_info *info = pzl_arch_info(a);
	uint64_t bytes = info->bits == 64 ? 8ull << 30 : 2ull << 30;

	pzl_arch_input_init(in, m, a);
	in->dram_last = bytes - 1;
	in->max_pfn = bytes >> in->page_shift;
	in->high_end_pfn = in->max_pfn;
	in->max_low_pfn = in->max_pfn;
	if (in->configured & PZL_ZONE_BIT(PZ_ZONE_HIGHMEM))
		in->max_low_pfn = (768ull << 20) >> in->page_shift;
}

static const char *arch_what(enum pzl_model m, enum pzl_arch a)
{
	struct pzl_arch_input in;
	struct pzl_zone_limits l;

	arch_example(m, a, &in);
	return pzl_zone_limits(m, a, &in, &l) == 0 ? l.what : NULL;
}

static void arch_size(struct out *o, uint64_t bytes)
{
	static const char *const unit[] = { "", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB" };
	unsigned int u = 0;

	while (bytes && !(bytes & 1023) && u < 6) {
		bytes >>= 10;
		u++;
	}
	out_printf(o, "%llu%s", (unsigned long long)bytes, unit[u]);
}

/* One labelled line of text, wrapped under itself. */
static void arch_line(struct out *o, const char *label, enum out_style style, const char *text)
{
	out_printf(o, "  %-9s ", label);
	out_style(o, style);
	out_wrap(o, 12, 12, text);
	out_style(o, ST_PLAIN);
	out_char(o, '\n');
}

static void arch_text_inputs(struct out *o, const struct pzl_arch_info *info)
{
	char *s = xstrdup("the extent of memory");
	size_t i;

	for (i = 0; i < ARCH_INPUTS; i++) {
		char *longer;

		if (!(info->inputs & arch_inputs[i].bit))
			continue;
		longer = xasprintf("%s; %s", s, arch_inputs[i].text);
		free(s);
		s = longer;
	}
	arch_line(o, "takes", ST_PLAIN, s);
	free(s);
}

/* What the code does, with kernels that do the same on one line. `only` limits to one model. */
static void arch_text_code(struct out *o, enum pzl_arch a, int only)
{
	unsigned int m, k;

	for (m = 0; m < PZL_MODELS; m++) {
		const char *what = arch_what((enum pzl_model)m, a);
		char *label, *text;
		bool told = false;

		if (only >= 0 && (unsigned int)only != m)
			continue;
		for (k = 0; only < 0 && k < m; k++) {
			const char *other = arch_what((enum pzl_model)k, a);

			told = told || (what && other && strcmp(what, other) == 0);
		}
		if (told)
			continue;
		label = xstrdup(pzl_model_name((enum pzl_model)m) + sizeof("linux-") - 1);
		for (k = m + 1; only < 0 && what && k < PZL_MODELS; k++) {
			const char *other = arch_what((enum pzl_model)k, a);
			char *longer;

			if (!other || strcmp(what, other) != 0)
				continue;
			longer =
				xasprintf("%s, %s", label,
					  pzl_model_name((enum pzl_model)k) + sizeof("linux-") - 1);
			free(label);
			label = longer;
		}
		text = xasprintf("%s: %s", label,
				 what ? what : "this version of Linux does not have it.");
		arch_line(o, "code", ST_PLAIN, text);
		free(label);
		free(text);
	}
}

static void arch_text_example(struct out *o, enum pzl_model m, enum pzl_arch a)
{
	struct pzl_arch_input in;
	struct pzl_zone_limits l;
	struct out text;
	unsigned int t;
	bool first = true;

	arch_example(m, a, &in);
	if (pzl_zone_limits(m, a, &in, &l) != 0)
		return;
	out_init(&text, NULL);
	out_printf(&text, "%s: ", pzl_model_name(m) + sizeof("linux-") - 1);
	arch_size(&text, in.dram_last + 1);
	out_str(&text, " from 0");
	if (in.max_low_pfn != in.max_pfn) {
		out_str(&text, ", low memory ");
		arch_size(&text, in.max_low_pfn << in.page_shift);
	}
	out_str(&text, ":");
	for (t = 0; t < PZ_ZONE_TYPES; t++) {
		if (t == PZ_ZONE_MOVABLE || t == PZ_ZONE_DEVICE ||
		    !(l.configured & PZL_ZONE_BIT(t)))
			continue;
		out_printf(&text, "%s %s ends at ", first ? "" : ",",
			   pz_zone_name((enum pz_zone_type)t));
		if (l.max_pfn[t] > UINT64_MAX >> in.page_shift)
			out_str(&text, "the top");
		else
			arch_size(&text, l.max_pfn[t] << in.page_shift);
		first = false;
	}
	arch_line(o, "example", ST_PLAIN, out_text(&text));
	out_destroy(&text);
}

static void arch_text_more(struct out *o, enum pzl_arch a, int only)
{
	const struct pzl_arch_info *info = pzl_arch_info(a);
	char *s;
	unsigned int m, i;

	for (m = 0; m < PZL_MODELS; m++)
		if (only < 0 || (unsigned int)only == m)
			arch_text_example(o, (enum pzl_model)m, a);
	s = xasprintf("%s: %s", arch_mem_word(info->mem), arch_mem_text(info->mem));
	arch_line(o, "mem=", ST_PLAIN, s);
	free(s);
	s = xasprintf("%u KiB, largest block order %u, pageblock order %u",
		      1u << (info->page_shift - 10), pzl_max_order(a, info->page_shift),
		      pzl_pageblock_order(a, info->page_shift, false));
	arch_line(o, "pages", ST_PLAIN, s);
	free(s);
	s = xstrdup("");
	for (i = 0; info->aliases[i]; i++) {
		char *longer = xasprintf("%s%s%s", s, i ? ", " : "", info->aliases[i]);

		free(s);
		s = longer;
	}
	arch_line(o, "also", ST_PLAIN, s);
	free(s);
}

static void arch_text(struct out *o, enum pzl_arch a, int only, bool more)
{
	const struct pzl_arch_info *info = pzl_arch_info(a);
	char *zones = arch_zone_words(only < 0 ? PZL_LINUX_6_12 : (enum pzl_model)only, a);

	out_styled(o, ST_BOLD, info->name);
	out_printf(o, "  %u bits, zones %s\n", info->bits, zones);
	arch_line(o, "thread", ST_PLAIN, info->thread ? info->thread : "not in its table");
	arch_line(o, "limits", ST_PLAIN, info->limits);
	arch_text_code(o, a, only);
	if (info->differs)
		arch_line(o, "differs", ST_WARN, info->differs);
	arch_text_inputs(o, info);
	arch_line(o, "in", ST_DIM, info->source);
	if (more)
		arch_text_more(o, a, only);
	free(zones);
}

static void arch_json_model(struct json *j, enum pzl_model m, enum pzl_arch a)
{
	struct pzl_arch_input in;
	struct pzl_zone_limits l;
	unsigned int t;

	json_object(j, false);
	json_key_string(j, "model", pzl_model_name(m));
	arch_example(m, a, &in);
	json_key_bool(j, "exists", pzl_arch_in_model(m, a));
	if (pzl_zone_limits(m, a, &in, &l) != 0) {
		json_end_object(j);
		return;
	}
	json_key(j, "zones");
	json_array(j, true);
	for (t = 0; t < PZ_ZONE_TYPES; t++)
		if (l.configured & PZL_ZONE_BIT(t))
			json_string(j, pz_zone_name((enum pz_zone_type)t));
	json_end_array(j);
	json_key_string(j, "code", l.what);
	json_key(j, "example");
	json_object(j, true);
	json_key_u64(j, "memory", in.dram_last + 1);
	json_key_u64(j, "low_memory", in.max_low_pfn << in.page_shift);
	json_key(j, "end_pfn");
	json_object(j, true);
	for (t = 0; t < PZ_ZONE_TYPES; t++)
		if (t != PZ_ZONE_MOVABLE && t != PZ_ZONE_DEVICE && (l.configured & PZL_ZONE_BIT(t)))
			json_key_u64(j, pz_zone_name((enum pz_zone_type)t), l.max_pfn[t]);
	json_end_object(j);
	json_end_object(j);
	json_end_object(j);
}

static void arch_json(struct json *j, enum pzl_arch a, int only)
{
	const struct pzl_arch_info *info = pzl_arch_info(a);
	unsigned int i, m;

	json_object(j, false);
	json_key_string(j, "name", info->name);
	json_key(j, "aliases");
	json_array(j, true);
	for (i = 0; info->aliases[i]; i++)
		json_string(j, info->aliases[i]);
	json_end_array(j);
	json_key_u64(j, "bits", info->bits);
	json_key_u64(j, "page_size", 1ull << info->page_shift);
	json_key_u64(j, "max_order", pzl_max_order(a, info->page_shift));
	json_key_u64(j, "pageblock_order", pzl_pageblock_order(a, info->page_shift, false));
	json_key_string(j, "mem", arch_mem_word(info->mem));
	json_key_string(j, "thread", info->thread);
	json_key_string(j, "limits", info->limits);
	json_key_string(j, "differs", info->differs);
	json_key_string(j, "source", info->source);
	json_key(j, "inputs");
	json_array(j, true);
	for (i = 0; i < ARCH_INPUTS; i++)
		if (info->inputs & arch_inputs[i].bit)
			json_string(j, arch_inputs[i].key);
	json_end_array(j);
	json_key(j, "models");
	json_array(j, false);
	for (m = 0; m < PZL_MODELS; m++)
		if (only < 0 || (unsigned int)only == m)
			arch_json_model(j, (enum pzl_model)m, a);
	json_end_array(j);
	json_end_object(j);
}

/* The name nearest to a mistyped one, in an error for the user. */
static char *arch_unknown(const char *what, const char *name, const char *const *candidates)
{
	const char *near = nearest_word(name, candidates);

	if (near)
		return xasprintf("unknown %s '%s'; did you mean '%s'?", what, name, near);
	return xasprintf("unknown %s '%s'; 'physzone arch' lists all", what, name);
}

static char *arch_unknown_arch(const char *name)
{
	VEC(const char *) words = { 0 };
	unsigned int i, k;
	char *err;

	for (i = 0; i < PZL_ARCHS; i++) {
		const struct pzl_arch_info *info = pzl_arch_info((enum pzl_arch)i);

		*vec_push(&words) = info->name;
		for (k = 0; info->aliases[k]; k++)
			*vec_push(&words) = info->aliases[k];
	}
	*vec_push(&words) = NULL;
	err = arch_unknown("architecture", name, words.v);
	vec_free(&words);
	return err;
}

static char *arch_unknown_model(const char *name)
{
	const char *words[PZL_MODELS + 1] = { 0 };
	unsigned int i;

	for (i = 0; i < PZL_MODELS; i++)
		words[i] = pzl_model_name((enum pzl_model)i);
	if (!nearest_word(name, words))
		return xasprintf("unknown model '%s': expected linux-5.15, linux-6.1 or linux-6.12",
				 name);
	return arch_unknown("model", name, words);
}

int cmd_arch(const struct options *o, struct out *out, char **err)
{
	VEC(enum pzl_arch) chosen = { 0 };
	enum pzl_model model;
	unsigned int i;
	int only = -1;
	size_t n;

	*err = NULL;
	if (o->model) {
		if (pzl_model_by_name(o->model, &model) != 0) {
			*err = arch_unknown_model(o->model);
			return EXIT_USAGE;
		}
		only = (int)model;
	}
	for (i = 0; i < o->operand_count; i++) {
		if (pzl_arch_by_name(o->operands[i], vec_push(&chosen)) != 0) {
			*err = arch_unknown_arch(o->operands[i]);
			vec_free(&chosen);
			return EXIT_USAGE;
		}
	}
	for (i = 0; o->operand_count == 0 && i < PZL_ARCHS; i++)
		*vec_push(&chosen) = (enum pzl_arch)i;

	if (o->json) {
		struct json j;

		json_init(&j, out);
		json_object(&j, false);
		json_key_u64(&j, "schema", 1);
		json_key(&j, "architectures");
		json_array(&j, false);
		for (n = 0; n < chosen.n; n++)
			arch_json(&j, chosen.v[n], only);
		json_end_array(&j);
		json_end_object(&j);
		json_finish(&j);
	} else {
		if (o->operand_count == 0) {
			out_wrap(out, 0, 0,
				 "Where Linux ends its zones: what a mailing list thread tabulated "
				 "(\"thread\"), and what the code does (\"code\", by kernel "
				 "version).");
			out_str(out, "\n\n");
		}
		for (n = 0; n < chosen.n; n++) {
			if (n)
				out_char(out, '\n');
			arch_text(out, chosen.v[n], only, o->operand_count != 0);
		}
	}
	vec_free(&chosen);
	return EXIT_FINE;
}
