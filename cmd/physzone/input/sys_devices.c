/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sys_devices.c - the PCI devices of a running machine, from /sys/bus/pci/devices.
 *
 * A copy of /sys may have its links followed or not, so what a link would tell is looked for in
 * files too. A file that is missing tells nothing; one that holds something else than the kernel
 * writes there is refused.
 *
 * An IOMMU group says by its type whether the IOMMU translates. Its reserved regions are bus
 * addresses: those where interrupts go, and those that are reserved, are no memory to the device;
 * those mapped directly are.
 *
 * Failure: no directory of devices, or a value that is none, is INPUT_BAD.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/devices.h"
#include "input/scan.h"
#include "input/text.h"

/* Read a file below a directory; false when there is none that can be read. */
static bool sys_text(struct text *t, const char *dir, const char *name, char **path)
{
	char *err = NULL;
	bool ok;

	*path = xasprintf("%s/%s", dir, name);
	ok = access(*path, F_OK) == 0 && !text_read(t, *path, &err);
	free(err);
	if (!ok) {
		free(*path);
		*path = NULL;
	}
	return ok;
}

/* The first line of a file, without blanks at its end; NULL when there is none. */
static char *sys_value(const char *dir, const char *name)
{
	char *path, *v = NULL;
	struct text t;
	size_t n;

	if (!sys_text(&t, dir, name, &path))
		return NULL;
	if (t.n) {
		const char *p = text_line(&t, 0, &n);

		while (n && (p[n - 1] == ' ' || p[n - 1] == '\n'))
			n--;
		v = xstrndup(p, strnlen(p, n));
	}
	text_destroy(&t);
	free(path);
	return v;
}

/* A decimal number between two, if the file is there. */
static int sys_number(struct facts *f, const char *dir, const char *name, long least, long most,
		      const char *expected, long *out, char **err)
{
	char *v = sys_value(dir, name), *end;
	long n;

	if (!v)
		return 0;
	errno = 0;
	n = strtol(v, &end, 10);
	if (errno || end == v || *end || n < least || n > most) {
		char *path = xasprintf("%s/%s", dir, name);
		const struct where at = { facts_file(f, path), 1 };
		struct span line = { v, v + strlen(v) };

		free(path);
		(void)scan_expected(f, at, line, expected, err);
		free(v);
		return INPUT_BAD;
	}
	free(v);
	*out = n;
	return 0;
}

/* What a link points to, or what a line "KEY=" of the device's uevent says. */
static char *sys_name(const char *dir, const char *link, const char *key)
{
	char *path = xasprintf("%s/%s", dir, link), target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *base;
	struct text t;
	char *name = NULL;

	free(path);
	if (n > 0) {
		target[n] = '\0';
		base = strrchr(target, '/');
		return xstrdup(base ? base + 1 : target);
	}
	if (!key || !sys_text(&t, dir, "uevent", &path))
		return NULL;
	for (size_t i = 0; i < t.n && !name; i++) {
		size_t len, k = strlen(key);
		const char *p = text_line(&t, i, &len);

		if (len > k && !memcmp(p, key, k))
			name = xstrndup(p + k, len - k);
	}
	text_destroy(&t);
	free(path);
	return name;
}

static const char *sys_class(unsigned long class)
{
	static const struct {
		unsigned int class;
		const char *name;
	} classes[] = {
		{ 0x0108, "NVMe" },	  { 0x0200, "Ethernet" },    { 0x0600, "host bridge" },
		{ 0x0601, "ISA bridge" }, { 0x0604, "PCI bridge" },  { 0x0c03, "USB" },
		{ 0x0403, "audio" },	  { 0x01, "storage" },	     { 0x02, "network" },
		{ 0x03, "display" },	  { 0x04, "multimedia" },    { 0x05, "memory" },
		{ 0x06, "bridge" },	  { 0x07, "communication" }, { 0x08, "system" },
		{ 0x09, "input" },	  { 0x0c, "serial bus" },    { 0x0d, "wireless" },
		{ 0x10, "encryption" },	  { 0x11, "signal" },	     { 0x12, "accelerator" },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].class > 0xff ? classes[i].class == class >> 8
					    : classes[i].class == class >> 16)
			return classes[i].name;
	return NULL;
}

int sys_regions(struct dev *dev, const struct facts *f, uint32_t file, const char *buf, size_t len,
		char **err)
{
	struct scan s;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		struct span line = s.line, word;
		struct pz_range r;

		if (span_empty(line))
			continue;
		if (!span_hex(&line, &r.first) || !span_blanks(&line) ||
		    !span_hex(&line, &r.last) || !span_blanks(&line) || !span_word(&line, &word) ||
		    r.first > r.last)
			return scan_expected(f, (struct where){ file, s.number }, s.line,
					     "\"0xFIRST 0xLAST TYPE\"", err);
		if (span_is(word, "msi") || span_is(word, "reserved"))
			*vec_push(&dev->holes) = r;
	}
	return 0;
}

static void sys_domain(struct dev *dev, const char *group)
{
	char *type = sys_value(group, "type");

	if (!type) {
		dev->iommu = DEV_IOMMU_UNKNOWN;
	} else if (!strncmp(type, "DMA", 3) || !strcmp(type, "blocked") ||
		   !strcmp(type, "unmanaged")) {
		/* "DMA", "DMA-FQ", and what a guest or user space was given. */
		dev->iommu = DEV_IOMMU_TRANSLATES;
	} else {
		dev->iommu = !strcmp(type, "identity") ? DEV_IOMMU_IDENTITY : DEV_IOMMU_UNKNOWN;
	}
	free(type);
}

/* The number of the group that has a device, in a copy without links; NULL when none has. */
static char *sys_group_of(const char *root, const char *device)
{
	char *all = xasprintf("%s/sys/kernel/iommu_groups", root), *found = NULL;
	DIR *dir = opendir(all);
	struct dirent *e;

	while (dir && !found && (e = readdir(dir))) {
		char *path = xasprintf("%s/%s/devices/%s", all, e->d_name, device);

		if (*e->d_name != '.' && access(path, F_OK) == 0)
			found = xstrdup(e->d_name);
		free(path);
	}
	if (dir)
		closedir(dir);
	free(all);
	return found;
}

static int sys_iommu(struct dev *dev, struct facts *f, const char *root, const char *dir,
		     char **err)
{
	char *group = xasprintf("%s/iommu_group", dir), *path = NULL;
	struct text t;
	int ret = 0;

	dev->iommu_name = sys_name(dir, "iommu_group", NULL);
	if (!dev->iommu_name)
		dev->iommu_name = sys_group_of(root, dev->name);
	if (access(group, F_OK) != 0) {
		free(group);
		if (!dev->iommu_name)
			return 0;
		group = xasprintf("%s/sys/kernel/iommu_groups/%s", root, dev->iommu_name);
	}
	/* A copy in which the link became a directory does not tell the number. */
	if (!dev->iommu_name)
		dev->iommu_name = xstrdup("?");
	sys_domain(dev, group);
	if (sys_text(&t, group, "reserved_regions", &path)) {
		ret = sys_regions(dev, f, facts_file(f, path), t.buf, t.len, err);
		text_destroy(&t);
	}
	free(path);
	free(group);
	return ret;
}

static int sys_device(struct devices *d, struct facts *f, const char *root, const char *all,
		      const char *name, char **err)
{
	static const char *const masks[DEV_USES] = { "dma_mask_bits", "consistent_dma_mask_bits" };
	char *dir = xasprintf("%s/%s", all, name), *class;
	struct dev *dev = devices_add(d, name);
	long nid = -1;
	int ret = 0;

	dev->driver = sys_name(dir, "driver", "DRIVER=");
	dev->coherent = true;
	class = sys_value(dir, "class");
	if (class && sys_class(strtoul(class, NULL, 16)))
		dev->kind = xstrdup(sys_class(strtoul(class, NULL, 16)));
	free(class);
	for (int u = 0; u < DEV_USES && !ret; u++) {
		long bits = 0;

		ret = sys_number(f, dir, masks[u], 0, 64, "a number of address bits, 0 to 64",
				 &bits, err);
		if (!bits)
			dev_note(dev, "%s is not told; taken for %u", masks[u], DEV_BITS_DEFAULT);
		else
			dev->bits[u] = (unsigned int)bits;
	}
	if (!ret)
		ret = sys_number(f, dir, "numa_node", -1, INT_MAX, "the number of a node, or -1",
				 &nid, err);
	dev->nid = nid < 0 ? PZ_NID_NONE : (int)nid;
	if (!ret)
		ret = sys_iommu(dev, f, root, dir, err);
	free(dir);
	return ret;
}

static int sys_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int sys_devices(struct devices *d, struct facts *f, const char *root, char **err)
{
	char *all = xasprintf("%s/sys/bus/pci/devices", root);
	VEC(char *) names = { NULL, 0, 0 };
	DIR *dir = opendir(all);
	struct dirent *e;
	int ret = 0;

	if (!dir) {
		*err = xasprintf("%s: cannot read: %s", all, strerror(errno));
		ret = INPUT_BAD;
	}
	while (dir && (e = readdir(dir)))
		if (*e->d_name != '.')
			*vec_push(&names) = xstrdup(e->d_name);
	if (dir)
		closedir(dir);
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), sys_compare);
	for (size_t i = 0; i < names.n; i++) {
		if (!ret)
			ret = sys_device(d, f, root, all, names.v[i], err);
		free(names.v[i]);
	}
	vec_free(&names);
	free(all);
	return ret;
}
