/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_devices.c - physzone devices: what each PCI device of a machine, or each device of a device
 * tree, reaches of its memory.
 */
#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "device.h"
#include "devices/devices.h"
#include "input/dtb.h"
#include "input/source.h"
#include "view/svg.h"

static int devices_question(struct devices_query *q, const struct options *o, char **err)
{
	const char *text = o->cannot_reach ? o->cannot_reach : o->can_reach;

	memset(q, 0, sizeof(*q));
	q->each = o->all;
	if (!text)
		return 0;
	if (o->cannot_reach && o->can_reach) {
		*err = xstrdup("--reach and --cannot-reach ask opposite questions");
		return EXIT_USAGE;
	}
	q->asked = true;
	q->cannot = o->cannot_reach != NULL;
	if (device_address(text, &q->addr))
		return 0;
	*err = xasprintf("--%sreach wants an address (0xfee00000, 4G), not '%s'",
			 q->cannot ? "cannot-" : "", text);
	return EXIT_USAGE;
}

/* Masks that the drivers of a device tree's devices would set. */
static int devices_bits(struct devices *d, const struct options *o, char **err)
{
	struct device bits;
	int rc;

	if (!o->reaches)
		return 0;
	if (!d->tree || o->reaches > 1) {
		*err = xstrdup(d->tree ? "--bits is one number for all devices"
				       : "--bits is for a device tree; /sys tells the masks");
		return EXIT_USAGE;
	}
	rc = device_parse(&bits, &o->reach[0], err);
	for (size_t i = 0; i < d->all.n && !rc; i++)
		for (int u = 0; u < DEV_USES; u++)
			d->all.v[i].bits[u] = bits.bits;
	device_destroy(&bits);
	return rc;
}

/* The blob in the directory of a recorded machine; NULL when it has none. */
static char *devices_blob(const char *dir)
{
	static const char *const names[] = { "machine.dtb", "machine.dtb.xz", "machine.dtb.gz",
					     "machine.dtb.zst" };
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = xasprintf("%s/%s", dir, names[i]);

		if (!stat(path, &st))
			return path;
		free(path);
	}
	return NULL;
}

static int devices_tree(struct devices *d, struct facts *f, const char *source, char **err)
{
	char *path = NULL;
	struct stat st;
	struct text t;
	int rc;

	if (strcmp(source, "-") && !stat(source, &st) && S_ISDIR(st.st_mode)) {
		path = devices_blob(source);
		if (!path) {
			*err = xasprintf("%s: a directory without machine.dtb; --root DIR reads a "
					 "copy of /sys",
					 source);
			return EXIT_INPUT;
		}
	}
	facts_file(f, path ? path : strcmp(source, "-") ? source : "standard input");
	if (text_read(&t, path ? path : source, err)) {
		free(path);
		return EXIT_INPUT;
	}
	rc = dtb_devices(d, f, 0, t.buf, t.len, err);
	text_destroy(&t);
	free(path);
	return rc;
}

static int devices_read(struct devices *d, struct facts *f, const struct options *o, char **err)
{
	const char *root = o->root ? o->root : "";
	int rc;

	if (o->source)
		return devices_tree(d, f, o->source, err);
	rc = sys_devices(d, f, root, err);
	if (!rc)
		live_memory_map(f, root);
	return rc;
}

static void devices_show(struct out *out, const struct devices *d, const struct facts *f,
			 const char *title, const struct devices_query *q, const struct options *o)
{
	if (o->svg && !strcmp(o->svg, "-"))
		devices_svg(out, d, title, q);
	else if (o->json)
		devices_json(out, d, f, title, q);
	else
		devices_text(out, d, f, title, q);
}

static int devices_picture(const struct devices *d, const char *title,
			   const struct devices_query *q, const char *file, char **err)
{
	struct out picture;
	int rc;

	out_init(&picture, NULL);
	devices_svg(&picture, d, title, q);
	rc = svg_save(&picture, file, err);
	out_destroy(&picture);
	return rc;
}

/* With a question, 1 is the bad answer; else a device that reaches no memory is a problem. */
static int devices_verdict(const struct devices *d, const struct devices_query *q)
{
	size_t selected = 0, nothing = 0;

	for (size_t i = 0; i < d->all.n; i++) {
		selected += devices_selects(q, &d->all.v[i]);
		for (int u = 0; u < DEV_USES; u++)
			nothing += !d->all.v[i].bytes[u];
	}
	if (q->asked)
		return (selected > 0) == q->cannot ? EXIT_PROBLEM : EXIT_FINE;
	if (!d->memory_from)
		return EXIT_UNDECIDED;
	return nothing ? EXIT_PROBLEM : EXIT_FINE;
}

int cmd_devices(const struct options *o, struct out *out, char **err)
{
	const char *title = o->source ? o->source : o->root ? o->root : "this machine";
	struct devices_query q;
	struct devices d;
	struct facts f;
	int rc;

	facts_init(&f);
	devices_init(&d);
	rc = devices_question(&q, o, err);
	if (!rc)
		rc = devices_read(&d, &f, o, err);
	if (!rc)
		rc = devices_bits(&d, o, err);
	if (!rc) {
		devices_memory(&d, &f);
		devices_compute(&d);
	}
	if (!rc && o->svg && strcmp(o->svg, "-"))
		rc = devices_picture(&d, title, &q, o->svg, err);
	if (!rc) {
		devices_show(out, &d, &f, title, &q, o);
		rc = devices_verdict(&d, &q);
	}
	devices_destroy(&d);
	facts_destroy(&f);
	return rc;
}
