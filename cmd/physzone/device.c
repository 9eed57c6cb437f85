/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - see device.h.
 */
#include "device.h"

#include <stdlib.h>
#include <string.h>

#include <physzone/linux/cmdline.h>

/*
 * An address of a number of characters. Returns false when it is none, or above 64 bits. *beyond
 * tells that it has a suffix: as an end it is not in reach itself.
 */
static bool device_number(const char *s, size_t n, uint64_t *out, bool *beyond)
{
	bool wrapped = false;
	size_t used;

	if (!n || *s < '0' || *s > '9')
		return false;
	*out = pzl_memparse(s, n, &used, &wrapped);
	*beyond = used && strchr("kKmMgGtTpPeE", s[used - 1]);
	/* A hexadecimal number may end in e. */
	if (*beyond && n > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') &&
	    (s[used - 1] == 'e' || s[used - 1] == 'E')) {
		size_t digits;

		(void)pzl_strtoull(s, n, &digits, NULL);
		*beyond = digits != used;
	}
	return used == n && !wrapped;
}

bool device_address(const char *s, uint64_t *addr)
{
	bool beyond;

	return device_number(s, strlen(s), addr, &beyond);
}

/* An end of a reach, as its last address. */
static bool device_end(const char *s, size_t n, uint64_t *last)
{
	bool beyond;

	if (!device_number(s, n, last, &beyond) || (beyond && !*last))
		return false;
	*last -= beyond;
	return true;
}

static int device_bits(struct device *d, const char *s, char **err)
{
	unsigned long bits = 0;
	char *end = NULL;

	if (*s >= '0' && *s <= '9')
		bits = strtoul(s, &end, 10);
	if (!end || *end || bits < 1 || bits > 64) {
		*err = xasprintf("--bits wants a number of address lines from 1 to 64, not '%s'",
				 s);
		return EXIT_USAGE;
	}
	d->bits = (unsigned int)bits;
	d->name = xasprintf("%lu %s", bits, bits == 1 ? "bit" : "bits");
	*vec_push(&d->windows) = (struct pz_range){
		0, bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1
	};
	return 0;
}

static int device_limit(struct device *d, const char *s, char **err)
{
	uint64_t last;

	if (!device_end(s, strlen(s), &last)) {
		*err = xasprintf("--limit wants an address (0x3fffffff, or 1G for up to 1 GiB), "
				 "not '%s'",
				 s);
		return EXIT_USAGE;
	}
	d->name = xasprintf("up to %s", s);
	*vec_push(&d->windows) = (struct pz_range){ 0, last };
	return 0;
}

static int device_compare(const void *a, const void *b)
{
	const struct pz_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static int device_window(struct device *d, const char *s, char **err)
{
	const char *at = s;

	for (;;) {
		size_t n = strcspn(at, ",");
		const char *dash = memchr(at, '-', n);
		struct pz_range r;
		bool beyond;

		if (!dash || !device_number(at, (size_t)(dash - at), &r.first, &beyond) ||
		    !device_end(dash + 1, n - (size_t)(dash - at) - 1, &r.last)) {
			*err = xasprintf("--window wants A-B, two addresses (0x0-0xfffffff, or "
					 "1G-2G for up to 2 GiB), not '%.*s'",
					 (int)n, at);
			return EXIT_USAGE;
		}
		if (r.first > r.last) {
			*err = xasprintf("--window '%.*s' ends before it starts", (int)n, at);
			return EXIT_USAGE;
		}
		*vec_push(&d->windows) = r;
		if (!at[n])
			break;
		at += n + 1;
	}
	qsort(d->windows.v, d->windows.n, sizeof(*d->windows.v), device_compare);
	for (size_t i = 1; i < d->windows.n; i++) {
		if (d->windows.v[i].first > d->windows.v[i - 1].last)
			continue;
		*err = xasprintf("--window '%s': [%#llx-%#llx] and [%#llx-%#llx] overlap", s,
				 (unsigned long long)d->windows.v[i - 1].first,
				 (unsigned long long)d->windows.v[i - 1].last,
				 (unsigned long long)d->windows.v[i].first,
				 (unsigned long long)d->windows.v[i].last);
		return EXIT_USAGE;
	}
	d->name = xasprintf("%s", s);
	return 0;
}

int device_parse(struct device *d, const struct option_reach *from, char **err)
{
	memset(d, 0, sizeof(*d));
	switch (from->kind) {
	case DEVICE_BITS:
		return device_bits(d, from->text, err);
	case DEVICE_LIMIT:
		return device_limit(d, from->text, err);
	case DEVICE_WINDOW:
		break;
	}
	return device_window(d, from->text, err);
}

void device_destroy(struct device *d)
{
	free(d->name);
	vec_free(&d->windows);
}

uint64_t device_last(const struct device *d)
{
	return d->windows.n ? d->windows.v[d->windows.n - 1].last : 0;
}
