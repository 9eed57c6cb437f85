/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_slub_debug.c - the string of slub_debug= from any bytes.
 *
 * The first byte chooses how it is read, the second how many bytes after it are a cache's name; the
 * rest is the string.
 */
#include <stdlib.h>
#include <string.h>

#include <physzone/slab_debug.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t len;
	uint32_t n;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void tell(void *ctx, enum pz_slab_debug_issue issue, size_t pos, size_t len)
{
	struct seen *s = ctx;

	must(pos <= s->len && len <= s->len - pos);
	must(pz_slab_debug_issue_text(issue)[0] != '?');
	s->n++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *name, *text;
	struct pz_slab_debug d, twice;
	struct seen seen = { 0 };
	size_t name_len;
	uint32_t rules, flags;
	char *again;

	if (size < 2)
		return 0;
	rules = data[0] & 7;
	name = (const char *)data + 2;
	name_len = data[1] < size - 2 ? data[1] : size - 2;
	text = name + name_len;
	seen.len = size - 2 - name_len;
	must(pz_slab_debug_parse(&d, text, seen.len, rules, tell, &seen) == seen.n);
	must(!(d.global & ~PZ_SLAB_DEBUG_ALL));
	for (uint32_t own = 0; own <= 0x3ff; own += 0x35) {
		flags = pz_slab_debug_flags(&d, name, name_len, own);
		must(!(flags & ~(PZ_SLAB_DEBUG_ALL | PZ_SLAB_DEBUG_KEEP_ORDER)));
		must((flags & own & PZ_SLAB_DEBUG_ALL) == (own & PZ_SLAB_DEBUG_ALL));
		must(!(flags & PZ_SLAB_DEBUG_KEEP_ORDER) == !d.keep_order);
	}
	/* An empty block before a string changes no meaning. */
	again = malloc(seen.len + 1);
	must(again != NULL);
	again[0] = ';';
	memcpy(again + 1, text, seen.len);
	pz_slab_debug_parse(&twice, again, seen.len + 1, rules, NULL, NULL);
	if (seen.len)
		must(pz_slab_debug_flags(&twice, name, name_len, 0) ==
		     pz_slab_debug_flags(&d, name, name_len, 0));
	free(again);
	return 0;
}
