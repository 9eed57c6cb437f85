/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tell.c - frames that a CPU has freed and not announced yet.
 *
 * Concept
 *  A single frame that is freed is most often what the same CPU takes next. Announcing it, that is
 *  clearing the bits of hint.c on the way to the root, would be undone by the next search that
 *  comes by in vain. So the CPU only puts it on its stack. It is free for everybody all the same;
 *  a search that finds nothing makes all CPUs' stacks known first, and then looks again.
 *
 * Invariant (verified by pz_pages_check() when nothing is under way)
 *  9. a free run that the hints rule out has a frame on a stack whose bit in `untold` is set.
 *
 * Concurrency
 *  Only a CPU itself writes its stacks; anybody reads them. The CPU writes the frame first and sets
 *  the bit then, whether it is set or not; who announces clears the bits first and reads all places
 *  of the stack then, also those above its top: the CPU may be about to take what was there and
 *  fail. A place is written over only after what was there has been announced. So a frame whose
 *  free has returned is either seen or its bit is still set. While it is being announced others
 *  find neither the bit nor the frame; `settle` tells them that this may be so.
 */
#include "page_internal.h"

/* Announce a frame, if it is free and was not announced. Whether there was need. */
bool pz_page_announce(struct pz_pages *p, uint64_t index)
{
	uint64_t i = index >> WORD_SHIFT, v;
	unsigned int unit = (unsigned int)index & 31;

	if (index >= p->frames)
		return false;
	v = pz_load64(page_word(p, 0, i));
	return (word_free(v) >> unit & 1) && page_announce(p, i, unit, 0, word_free(v));
}

/* The stack of single frames that a bit of `untold` stands for. */
static const struct page_stack *tell_stack(const struct page_cpu *c, unsigned int bit)
{
	unsigned int type = 0;

	for (; bit >= PAGE_CLASSES; bit -= PAGE_CLASSES)
		type++;
	return c->stack[bit][type];
}

/* The same for what a CPU has on its stacks. */
static bool tell_cpu(struct pz_pages *p, struct page_cpu *c)
{
	bool news = false;

	for (uint32_t m = pz_and32(&c->untold, 0); m; m &= m - 1) {
		const struct page_stack *s = tell_stack(c, pz_ctz32(m));

		for (unsigned int k = 0; k < PAGE_STACK; k++)
			news |= pz_page_announce(p, pz_peek64(&s->at[k]));
	}
	return news;
}

/* Announce what CPUs have on their stacks. Whether any of it was news. */
bool pz_page_tell(struct pz_pages *p)
{
	bool news = false;

	for (uint32_t i = 0; i < p->cpus; i++) {
		bool some;

		if (!pz_load32(&p->cpu[i].untold))
			continue;
		/* Who comes meanwhile finds neither the bits nor all the frames. */
		page_settle_begin(p, i);
		some = tell_cpu(p, &p->cpu[i]);
		page_settle_done(p, i, some);
		news |= some;
	}
	return news;
}

/* Frames of a level-0 word that may be known to a CPU alone. */
uint32_t pz_page_untold(const struct pz_pages *p, uint64_t i)
{
	uint32_t found = 0;

	for (uint32_t cpu = 0; cpu < p->cpus; cpu++) {
		const struct page_cpu *c = &p->cpu[cpu];

		for (uint32_t m = pz_peek32(&c->untold); m; m &= m - 1) {
			const struct page_stack *s = tell_stack(c, pz_ctz32(m));

			for (unsigned int k = 0; k < PAGE_STACK; k++) {
				uint64_t index = pz_peek64(&s->at[k]);

				if (index >> WORD_SHIFT == i)
					found |= (uint32_t)1 << (index & 31);
			}
		}
	}
	return found;
}

/* Forget what is on the stacks of a slot. */
void pz_page_slot_drop(struct pz_pages *p, struct page_cpu *c, unsigned int class,
		       unsigned int type)
{
	struct page_stack *s = c->stack[class][type];

	while (page_stacked(s))
		(void)pz_page_announce(p, s->at[--s->top % PAGE_STACK]);
	for (unsigned int order = 0; order < WORD_SHIFT; order++) {
		s[order].bottom = s[order].top;
		c->stacked[type][order] &= ~(1u << class);
	}
}
