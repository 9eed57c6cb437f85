/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_help.c - what --help prints: examples first, then options and exit codes.
 */
#include "options_int.h"

#include <stdlib.h>
#include <string.h>

#include "vec.h"

static void options_help_row(struct out *out, const char *left, const char *right)
{
	unsigned int column = text_columns(left) + 2;

	out_str(out, "  ");
	out_str(out, left);
	if (column > 22) {
		out_char(out, '\n');
		column = 0;
	}
	out_repeat(out, " ", 24 - column);
	out_wrap(out, 24, 24, right);
	out_char(out, '\n');
}

static void options_help_options(struct out *out, enum command c)
{
	size_t i;

	out_styled(out, ST_BOLD, "Options\n");
	for (i = 0; i < option_def_count; i++) {
		const struct option_def *d = &option_defs[i];
		char *left;

		if (!(d->on & ON(c)))
			continue;
		if (d->key < 256)
			left = xasprintf("-%c, --%s", d->key, d->name);
		else
			left = xasprintf("--%s%s%s", d->name,
					 !d->value		? ""
					 : d->key == OPT_COLOUR ? "="
								: " ",
					 d->value ? d->value : "");
		options_help_row(out, left, d->help);
		free(left);
	}
}

void options_help(struct out *out, enum command c)
{
	const struct command_def *d = &command_defs[c];
	unsigned int i;

	out_styled(out, ST_BOLD, "physzone");
	out_printf(out, "%s%s ", *d->name ? " " : "", d->name);
	out_wrap(out, *d->name ? 10 + text_columns(d->name) : 9, 4, d->what);
	out_str(out, "\n\n");

	out_styled(out, ST_BOLD, "Examples\n");
	for (i = 0; i + 1 < 10 && d->examples[i]; i += 2)
		out_printf(out, "  %s\n      %s\n", d->examples[i], d->examples[i + 1]);

	out_printf(out, "\n");
	out_styled(out, ST_BOLD, "Usage\n");
	out_printf(out, "  physzone %s%s%s\n\n", d->name, *d->name ? " " : "", d->synopsis);

	if (c == CMD_NONE) {
		out_styled(out, ST_BOLD, "Commands\n");
		for (i = CMD_NONE + 1; i < CMD_COUNT; i++)
			options_help_row(out, command_defs[i].name, command_defs[i].what);
		out_str(out, "  'physzone COMMAND --help' tells more.\n\n");
	}
	if (c != CMD_ARCH && c != CMD_LOW1M && c != CMD_WASTE && c != CMD_DEVICES &&
	    c != CMD_IOMMU) {
		out_styled(out, ST_BOLD, c == CMD_SWIOTLB ? "LOG\n" : "SOURCE\n");
		out_str(out, "  ");
		out_wrap(out, 2, 2,
			 c == CMD_SWIOTLB
				 ? "A log (dmesg, journal, serial console, mail; also gzip, xz or "
				   "zstd), '-' for standard input, or the directory of a recorded "
				   "machine."
				 : "A boot log (dmesg, journal, serial console, mail; also gzip, "
				   "xz or zstd), '-' for standard input, the directory of a "
				   "recorded machine, a device tree blob, or a listing of "
				   "/proc/iomem or of an e820 map.");
		out_str(out, "\n\n");
	}
	options_help_options(out, c);
	out_char(out, '\n');
	out_styled(out, ST_BOLD, "Exit codes\n");
	out_str(out, "  0  fine\n"
		     "  1  a problem was found in the machine or in tables, or a request fails\n"
		     "  2  wrong usage\n"
		     "  3  input not understood\n"
		     "  4  could not decide, or could not write the answer\n");
}
