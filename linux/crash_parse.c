/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crash_parse.c - crashkernel= as Linux finds and parses it.
 *
 * Concept: the words are not parsed with the other arguments but searched for in the text, and the
 * suffixes ,high and ,low are looked for at the end of what follows up to the next blank (a tab
 * does not count). Which word wins when several are there differs between kernels.
 *
 * Invariants: 1. parse is PZL_CRASH_FOUND exactly when 0 is returned; 2. size is then not 0.
 *
 * Failure: out->parse says what the kernel complains about.
 *
 * Shortcomings: none known.
 */
#include <physzone/linux/cmdline.h>
#include <physzone/linux/crash.h>

#include "pzl_text.h"

#define CRASH_WORD "crashkernel="
#define CRASH_128M 0x8000000ull

enum crash_suffix { CRASH_PLAIN, CRASH_HIGH, CRASH_LOW };

/* What one word gives. */
struct crash_word {
	enum pzl_crash_parse parse;
	uint64_t size, base;
	char bad;
};

static bool crash_ends(const char *s, size_t from, size_t end, const char *suffix)
{
	size_t n = pzl_strlen(suffix);

	return end - from >= n && pzl_starts_n(s + end - n, n, suffix);
}

/* The last word of a kind: the offset of its value. */
static bool crash_find(const char *s, size_t len, enum crash_suffix kind, size_t *at)
{
	bool found = false;
	size_t i;

	for (i = 0; i < len; i++) {
		size_t end = i;
		bool high, low;

		if (!pzl_starts_n(s + i, len - i, CRASH_WORD))
			continue;
		while (end < len && s[end] != ' ')
			end++;
		high = crash_ends(s, i, end, ",high");
		low = crash_ends(s, i, end, ",low");
		if (kind == CRASH_HIGH ? high : kind == CRASH_LOW ? low : !high && !low) {
			*at = i + sizeof(CRASH_WORD) - 1;
			found = true;
		}
	}
	return found;
}

static void crash_suffix(const char *s, size_t len, const char *suffix, struct crash_word *w)
{
	size_t n, k = pzl_strlen(suffix);

	w->size = pzl_memparse(s, len, &n, NULL);
	if (n == 0) {
		w->parse = PZL_CRASH_BAD_VALUE;
		return;
	}
	if (!pzl_starts_n(s + n, len - n, suffix)) {
		w->parse = PZL_CRASH_BAD_CHAR;
		w->bad = n < len ? s[n] : '\0';
		return;
	}
	n += k;
	if (n < len && s[n] != ' ') {
		w->parse = PZL_CRASH_BAD_CHAR;
		w->bad = s[n];
		return;
	}
	w->parse = PZL_CRASH_FOUND;
}

static void crash_simple(const char *s, size_t len, struct crash_word *w)
{
	size_t n;

	w->size = pzl_memparse(s, len, &n, NULL);
	if (n == 0) {
		w->parse = PZL_CRASH_BAD_VALUE;
		return;
	}
	w->parse = PZL_CRASH_FOUND;
	if (n < len && s[n] == '@') {
		w->base = pzl_memparse(s + n + 1, len - n - 1, NULL, NULL);
	} else if (n < len && s[n] != ' ') {
		w->parse = PZL_CRASH_BAD_CHAR;
		w->bad = s[n];
	}
}

/* start-[end]:size[,...][@base] */
static void crash_ranges(const char *s, size_t len, uint64_t total, struct crash_word *w)
{
	size_t i = 0, n;

	/* Rounded up; a total near 2^64 wraps, as it does there. */
	total = (total + CRASH_128M - 1) & ~(CRASH_128M - 1);
	for (;;) {
		uint64_t start, end = UINT64_MAX, size;

		start = pzl_memparse(s + i, len - i, &n, NULL);
		w->parse = PZL_CRASH_BAD_VALUE;
		if (n == 0)
			return;
		i += n;
		w->parse = PZL_CRASH_BAD_DASH;
		if (i >= len || s[i] != '-')
			return;
		i++;
		if (i >= len || s[i] != ':') {
			end = pzl_memparse(s + i, len - i, &n, NULL);
			w->parse = PZL_CRASH_BAD_VALUE;
			if (n == 0)
				return;
			i += n;
			w->parse = PZL_CRASH_BAD_END;
			if (end <= start)
				return;
		}
		w->parse = PZL_CRASH_BAD_COLON;
		if (i >= len || s[i] != ':')
			return;
		i++;
		size = pzl_memparse(s + i, len - i, &n, NULL);
		w->parse = PZL_CRASH_BAD_VALUE;
		if (n == 0)
			return;
		i += n;
		w->parse = PZL_CRASH_BAD_SIZE;
		if (size >= total)
			return;
		if (total >= start && total < end) {
			w->size = size;
			break;
		}
		if (i >= len || s[i] != ',')
			break;
		i++;
	}
	w->parse = PZL_CRASH_FOUND;
	if (w->size == 0)
		return;
	while (i < len && s[i] != ' ' && s[i] != '@')
		i++;
	if (i < len && s[i] == '@') {
		w->base = pzl_memparse(s + i + 1, len - i - 1, &n, NULL);
		if (n == 0)
			w->parse = PZL_CRASH_BAD_BASE;
	}
}

static struct crash_word crash_read(const char *s, size_t len, uint64_t total,
				    enum crash_suffix kind)
{
	struct crash_word w = { PZL_CRASH_NONE, 0, 0, '\0' };
	size_t at = 0, i;

	if (!crash_find(s, len, kind, &at))
		return w;
	s += at;
	len -= at;
	if (kind != CRASH_PLAIN) {
		crash_suffix(s, len, kind == CRASH_HIGH ? ",high" : ",low", &w);
		return w;
	}
	for (i = 0; i < len && s[i] != ' ' && s[i] != ':'; i++)
		;
	if (i < len && s[i] == ':')
		crash_ranges(s, len, total, &w);
	else
		crash_simple(s, len, &w);
	return w;
}

/* Whether a kernel knows ,high and ,low. */
static bool crash_knows_high(const struct pzl_model_facts *mf, enum pzl_model model,
			     enum pzl_arch arch)
{
	if (arch == PZL_ARCH_X86_64 || arch == PZL_ARCH_I386)
		return true;
	if (arch == PZL_ARCH_ARM64)
		return model != PZL_LINUX_5_15;
	return mf->crash_generic &&
	       (arch == PZL_ARCH_RISCV64 || arch == PZL_ARCH_RISCV32 || arch == PZL_ARCH_LOONGARCH);
}

static int crash_done(struct pzl_crash_request *r, const struct crash_word *w)
{
	r->parse = w->parse;
	r->bad = w->bad;
	if (w->parse != PZL_CRASH_FOUND)
		return w->parse == PZL_CRASH_NONE ? -PZ_ENOENT : -PZ_EINVAL;
	r->size = w->size;
	r->base = w->base;
	if (r->size == 0) {
		r->parse = PZL_CRASH_ZERO;
		return -PZ_EINVAL;
	}
	return 0;
}

int pzl_crash_parse(enum pzl_model model, enum pzl_arch arch, const char *text, size_t len,
		    uint64_t total, struct pzl_crash_request *out)
{
	const struct pzl_model_facts *mf = pzl_model_facts(model);
	struct pzl_crash_request r = { 0 };
	struct crash_word plain, high, low;
	bool x86 = arch == PZL_ARCH_X86_64 || arch == PZL_ARCH_I386, use_high;
	size_t n = 0;
	int err;

	*out = r;
	if (!mf)
		return -PZ_EINVAL;
	while (n < len && text[n])
		n++;
	plain = crash_read(text, n, total, CRASH_PLAIN);
	high = crash_read(text, n, total, CRASH_HIGH);
	low = crash_read(text, n, total, CRASH_LOW);

	/* x86 before the common code takes ,high also when the plain word is bad or 0. */
	use_high = plain.parse == PZL_CRASH_NONE ||
		   (x86 && !mf->crash_generic && (plain.parse != PZL_CRASH_FOUND || !plain.size));
	if (use_high && high.parse != PZL_CRASH_NONE) {
		if (!crash_knows_high(mf, model, arch)) {
			out->parse = PZL_CRASH_NO_HIGH;
			return -PZ_EINVAL;
		}
		r.high = true;
		err = crash_done(&r, &high);
	} else {
		err = crash_done(&r, &plain);
	}
	/* The ,low word counts with ,high; on x86 before the common code also with a plain word
	 * that ends up above 4 GiB. */
	if (!err && (r.high || (x86 && !mf->crash_generic)) && low.parse != PZL_CRASH_NONE) {
		if (low.parse == PZL_CRASH_FOUND) {
			r.low_given = true;
			r.low_size = low.size;
		} else if (!x86 || mf->crash_generic) {
			r.parse = PZL_CRASH_BAD_LOW;
			err = -PZ_EINVAL;
		}
	}
	if (!err && mf->crash_generic && r.size >= total) {
		r.parse = PZL_CRASH_BAD_SIZE;
		err = -PZ_EINVAL;
	}
	*out = r;
	return err;
}

const char *pzl_crash_parse_text(enum pzl_crash_parse p)
{
	switch (p) {
	case PZL_CRASH_NONE:
		return "there is no crashkernel=";
	case PZL_CRASH_FOUND:
		return "understood";
	case PZL_CRASH_ZERO:
		return "the size is 0 or no range matches the amount of memory: nothing is "
		       "reserved";
	case PZL_CRASH_BAD_VALUE:
		return "refused: a number is expected";
	case PZL_CRASH_BAD_DASH:
		return "refused: '-' is expected after the start of a range";
	case PZL_CRASH_BAD_COLON:
		return "refused: ':' is expected after a range";
	case PZL_CRASH_BAD_END:
		return "refused: a range ends at or below its start";
	case PZL_CRASH_BAD_SIZE:
		return "refused: the size is not smaller than memory";
	case PZL_CRASH_BAD_BASE:
		return "refused: a number is expected after '@'";
	case PZL_CRASH_BAD_CHAR:
		return "refused: the text after the size is not understood";
	case PZL_CRASH_BAD_LOW:
		return "refused: the size with ,low cannot be parsed";
	case PZL_CRASH_NO_HIGH:
		return "ignored: this kernel does not know ,high";
	}
	return "?";
}
