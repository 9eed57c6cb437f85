/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fold.c - the pieces as people want to see them: without slivers of RAM between early allocations.
 *
 * A kernel allocates a few bytes here and there while it boots; what lies between two such
 * allocations and holds no whole page is never given out, so it is shown as taken with them.
 * Nothing else is folded, and the JSON has every piece.
 */
#include "view.h"

#include <physzone/range.h>

#include <string.h>

/* Whether a piece of RAM is too small to hold a page of its own. */
static bool fold_sliver(const struct an_piece *p, unsigned int page_shift)
{
	struct pz_range pfns;

	return p->kind == AN_RAM && !pz_range_trim(p->range, page_shift, &pfns);
}

static bool fold_touch(const struct an_piece *a, const struct an_piece *b)
{
	return a->range.last < UINT64_MAX && a->range.last + 1 == b->range.first;
}

static bool fold_small(const struct an_piece *p, unsigned int page_shift)
{
	return view_range_size(p->range) >> page_shift == 0;
}

static bool fold_labels_agree(const struct an_piece *a, const struct an_piece *b)
{
	if (!a->label || !b->label)
		return a->label == b->label;
	return !strcmp(a->label, b->label);
}

const struct view *view_shown_init(struct view_shown *s, const struct view *v)
{
	const struct an_piece *p = v->a->pieces.v;
	size_t i, n = v->a->pieces.n;
	unsigned int shift = v->a->page_shift;
	bool folded = false;

	s->view = *v;
	s->analysis = *v->a;
	s->view.a = &s->analysis;
	s->analysis.pieces.v = NULL;
	s->analysis.pieces.n = s->analysis.pieces.cap = 0;
	for (i = 0; i < n; i++) {
		size_t have = s->analysis.pieces.n;
		struct an_piece *last = have ? &s->analysis.pieces.v[have - 1] : NULL;
		bool after = last && last->kind == AN_BOOT && fold_touch(last, &p[i]);

		if (after && fold_sliver(&p[i], shift) && i + 1 < n && p[i + 1].kind == AN_BOOT &&
		    fold_touch(&p[i], &p[i + 1])) {
			last->range.last = p[i].range.last;
			folded = true;
			continue;
		}
		if (after && folded && p[i].kind == AN_BOOT) {
			if (!fold_labels_agree(last, &p[i]) && !fold_small(&p[i], shift))
				last->label = fold_small(last, shift) ? p[i].label : NULL;
			last->range.last = p[i].range.last;
			folded = false;
			continue;
		}
		*vec_push(&s->analysis.pieces) = p[i];
		folded = false;
	}
	return &s->view;
}

void view_shown_destroy(struct view_shown *s)
{
	vec_free(&s->analysis.pieces);
}
