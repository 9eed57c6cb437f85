/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * low1m.c - the first megabyte of an x86 machine under each kernel of its history.
 */
#include "internal.h"

#include <physzone/linux/low1m.h>

#include <limits.h>
#include <string.h>

static int low1m_row(struct an_ctx *c, unsigned int commits, struct an_low1m *row)
{
	const struct pzl_low1m_commit *newest = commits ? pzl_low1m_commit(commits - 1) : NULL;
	struct pzl_low1m_input in;
	struct pzl_low1m low;
	int rc;

	memset(row, 0, sizeof(*row));
	pzl_low1m_input_init(&in, c->a->model);
	in.commits = commits;
	in.crashkernel = false;
	rc = pzl_low1m(&in, &c->mb, &low);
	if (rc)
		return rc;
	row->commits = commits;
	row->id = newest ? newest->id : NULL;
	row->version = newest ? newest->version : NULL;
	row->rule = newest ? newest->rule : low.what;
	row->present = low.present;
	row->managed = low.managed;
	row->no_trampoline = low.no_trampoline;
	row->backup = low.backup;
	in.crashkernel = true;
	rc = pzl_low1m(&in, &c->mb, &low);
	row->managed_crash = low.managed;
	return rc;
}

int analyse_low1m(struct an_low1m_history *h, struct facts *f, const struct analysis_options *o,
		  char **err)
{
	enum managed_from from;
	struct analysis a;
	struct an_ctx c;
	int rc;

	memset(h, 0, sizeof(*h));
	h->own = UINT_MAX;
	*err = NULL;
	an_begin(&c, &a, f);
	rc = an_prepare(&c, o, &from, err);
	if (!rc && !c.x86) {
		*err = xasprintf("%s: the first megabyte is special on x86 only, and this is %s",
				 f->files.n ? f->files.v[0] : "input", pzl_arch_name(a.arch));
		rc = 4;
	}
	if (!rc) {
		(void)pz_memblock_free(&c.mb, 0, UINT64_MAX);
		for (unsigned int n = 0; n <= PZL_LOW1M_COMMITS && !rc; n++)
			rc = low1m_row(&c, n, vec_push(&h->rows));
		if (rc) {
			*err = xasprintf("cannot rebuild the first megabyte (error %d)", rc);
			rc = 4;
		}
		if (!f->release || pzl_low1m_for_release(f->release, &h->own))
			h->own = UINT_MAX;
	}
	an_end(&c);
	analysis_destroy(&a);
	return rc;
}
