/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain_again.c - sentences on the rebuilt machine and the request made in it again.
 */
#include "explain.h"

#include <stdlib.h>

#include "view.h"

char *explain_tried(const struct explanation *x, const struct ex_remedy *r)
{
	char *name, *s;

	switch (r->tried) {
	case EX_HELPED:
		name = r->served < x->zones.n ? explain_zone_name(&x->zones.v[r->served]) : NULL;
		s = xasprintf("verified, %s served it in the rebuilt machine",
			      name ? name : "a zone");
		free(name);
		return s;
	case EX_IN_VAIN:
		if (r->kind == EX_R_FREE || r->kind == EX_R_DRAIN)
			return xstrdup("not enough in the rebuilt machine, where these are single "
				       "pages: a large enough block has to come free too");
		return xstrdup("not served in the rebuilt machine");
	case EX_UNTRIED:
		break;
	}
	return xstrdup("");
}

/* "zone DMA of node 0: watermark, by the numbers below-mark; ..." where they are not alike. */
static char *again_unlike(const struct explanation *x)
{
	const struct ex_rebuilt *r = x->rebuilt;
	char *s = xstrdup(""), *more, *name;

	for (size_t i = 0; i < r->zones.n; i++) {
		const struct ex_zone *z = &x->zones.v[r->zones.v[i].zone];

		if (r->zones.v[i].alike)
			continue;
		name = explain_zone_name(z);
		more = xasprintf("%s; %s: %s, and by the numbers %s", s, name,
				 pz_verdict_name(r->zones.v[i].verdict),
				 pzl_verdict_name(z->judged.verdict));
		free(name);
		free(s);
		s = more;
	}
	return s;
}

char *explain_again(const struct explanation *x)
{
	const struct ex_rebuilt *r = x->rebuilt;
	const char *where = r->placed ? "the zones where the log has them"
				      : "the zones at places that were chosen";
	const char *what = x->failure ? "the request made again" : "an ordinary request";
	char *zone, *unlike, *s = NULL;

	zone = r->served < x->zones.n ? explain_zone_name(&x->zones.v[r->served])
				      : xstrdup("a zone");
	unlike = again_unlike(x);
	switch (r->again) {
	case EX_NOT_REBUILT:
		s = xasprintf("no: %s", r->obstacle ? r->obstacle : "?");
		break;
	case EX_FAILS_ALIKE:
		s = xasprintf("%s, with these free blocks: %s fails in the same way", where, what);
		break;
	case EX_FAILS_OTHERWISE:
		s = xasprintf("%s, with these free blocks: %s fails, but otherwise%s", where, what,
			      unlike);
		break;
	case EX_SERVED_ALIKE:
		s = xasprintf("%s, with these free blocks: %s is served by %s, as the numbers say",
			      where, what, zone);
		break;
	case EX_SERVED:
		s = xasprintf("%s, with these free blocks: %s would have been served, by %s%s",
			      where, what, zone, unlike);
		break;
	}
	free(unlike);
	free(zone);
	return s ? s : xstrdup("?");
}
