/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_tables.c - the options of physzone iommu, and which of its topics each belongs to.
 */
#include "options_int.h"

#include <stdlib.h>
#include <string.h>

#include "vec.h"

#define TABLES_BITS_LEAST 20
#define TABLES_BITS 32
#define TABLES_IAS_MTK 34
#define TABLES_OAS_MTK 35

static bool *tables_flag(struct option_tables *t, int key)
{
	switch (key) {
	case OPT_MTK:
		return &t->mtk;
	case OPT_MTK_TABLES:
		return &t->mtk_tables;
	case OPT_NO_PERMS:
		return &t->no_perms;
	case OPT_NS:
		return &t->ns;
	case OPT_COHERENT_WALK:
		return &t->coherent_walk;
	case OPT_RAW:
		return &t->raw;
	default:
		return NULL;
	}
}

static const char **tables_text(struct option_tables *t, int key)
{
	switch (key) {
	case OPT_BASE:
		return &t->base;
	case OPT_TABLE:
		return &t->table;
	case OPT_TTBR:
		return &t->ttbr;
	case OPT_SIZES:
		return &t->sizes;
	case OPT_OUTPUT:
		return &t->output;
	default:
		return NULL;
	}
}

int options_tables(struct options *o, int key, const char *value, char **err)
{
	bool *flag = tables_flag(&o->tables, key);
	const char **text = tables_text(&o->tables, key);

	if (flag)
		*flag = true;
	else if (text)
		*text = value;
	else if (key == OPT_ENDIAN)
		return options_either("endian", "little", "big", value, &o->tables.big, err);
	else if (key == OPT_IAS)
		return options_number("ias", value, TABLES_BITS_LEAST, TABLES_IAS_MTK,
				      &o->tables.ias, err);
	else
		return options_number("oas", value, TABLES_BITS_LEAST, TABLES_OAS_MTK,
				      &o->tables.oas, err);
	return 0;
}

/* An option of the other topic that was given; NULL for none. */
static const char *tables_stray(const struct option_tables *t, bool map)
{
	const struct {
		const char *name;
		bool given, of_map;
	} all[] = {
		{ "table", t->table != NULL, false },
		{ "ttbr", t->ttbr != NULL, false },
		{ "oas", t->oas != 0, true },
		{ "sizes", t->sizes != NULL, true },
		{ "output", t->output != NULL, true },
		{ "ns", t->ns, true },
		{ "coherent-walk", t->coherent_walk, true },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].given && all[i].of_map != map)
			return all[i].name;
	return NULL;
}

static bool tables_picture(const struct options *o)
{
	return o->svg && !strcmp(o->svg, "-");
}

/* What one option implies, and what it makes wrong of others. */
static int tables_settle(struct options *o, bool map, char **err)
{
	struct option_tables *t = &o->tables;
	const char *stray = tables_stray(t, map);

	t->mtk |= t->mtk_tables;
	t->no_perms |= t->mtk;
	if (stray)
		*err = xasprintf("option '--%s' does not belong to 'physzone iommu %s'", stray,
				 map ? "map" : "dump");
	else if (!t->mtk && t->ias > TABLES_BITS)
		*err = xasprintf("--ias %u wants --mtk: without it, up to %u", t->ias, TABLES_BITS);
	else if (!t->mtk && t->oas > TABLES_BITS)
		*err = xasprintf("--oas %u wants --mtk: without it, up to %u", t->oas, TABLES_BITS);
	else if (t->table && t->ttbr)
		*err = xstrdup("--table and --ttbr both say where the first level begins");
	else if (tables_picture(o) && (o->json || t->raw))
		*err = xasprintf("--%s and --svg - both want standard output",
				 o->json ? "json" : "raw");
	else if (t->output && !strcmp(t->output, "-") && (o->json || t->raw || tables_picture(o)))
		*err = xasprintf("--%s and --output - both want standard output",
				 o->json	     ? "json"
				 : tables_picture(o) ? "svg -"
						     : "raw");
	else if (t->output && !*t->output)
		*err = xstrdup("--output wants the name of a file");
	return *err ? EXIT_USAGE : 0;
}

int options_tables_check(struct options *o, char **err)
{
	static const char *const topics[] = { "dump", "map", NULL };
	bool map;

	if (!o->operand_count) {
		*err = xstrdup("nothing to do given: dump or map; see 'physzone iommu --help'");
		return EXIT_USAGE;
	}
	o->topic = *o->operands++;
	o->operand_count--;
	map = !strcmp(o->topic, "map");
	if (!map && strcmp(o->topic, "dump")) {
		*err = options_hint("topic", o->topic, "", nearest_word(o->topic, topics),
				    CMD_IOMMU);
		return EXIT_USAGE;
	}
	if (tables_settle(o, map, err))
		return EXIT_USAGE;
	for (unsigned int i = 0; i < o->operand_count; i++) {
		if (*o->operands[i])
			continue;
		*err = xstrdup("the name of a file is empty");
		return EXIT_USAGE;
	}
	if (o->operand_count)
		return 0;
	*err = xasprintf("no %s given: a file, or '-'; see 'physzone iommu --help'",
			 map ? "LIST" : "FILE");
	return EXIT_USAGE;
}
