/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu.h - translation tables in an image: read by the library's walker, summed up, shown; and
 * built from a list.
 *
 * An image is one piece of memory or several, each at an address. Nothing of it is kept in another
 * form: who shows it walks it again, so that an image of any number of ranges takes no memory.
 */
#ifndef PHYSZONE_CMD_IOMMU_H
#define PHYSZONE_CMD_IOMMU_H

#include <physzone/v7s_walk.h>

#include "../input/text.h"
#include "../options.h"
#include "../vec.h"

#define IOMMU_SIZES 4u	   /* 4K, 64K, 1M, 16M */
#define IOMMU_SECOND 1024u /* bytes of a second level */

struct iommu_piece {
	char *name;
	uint64_t addr;
	struct text bytes;
};

struct iommu_image {
	VEC(struct iommu_piece) pieces; /* by address once image_ready() was called */
	size_t last;			/* the piece that was read last */
	bool big;			/* the most significant byte of a word comes first */
	struct pz_v7s_view view;
};

void image_init(struct iommu_image *m);
void image_destroy(struct iommu_image *m);

/* Read FILE or FILE@ADDR; without an address it lies at @addr. 0, or an exit code and *err. */
int image_add(struct iommu_image *m, const char *word, uint64_t addr, char **err);

/* Sort the pieces, and see that none overlap, and that the first level begins in one. */
int image_ready(struct iommu_image *m, char **err);

/* A run of pages that are mapped alike to addresses in a row, whatever their sizes; or a fault. */
struct iommu_range {
	struct pz_v7s_run run; /* of its first page; @last is that of the range */
	uint64_t pages[IOMMU_SIZES];
};

/*
 * Call @fn with each range, and each run of a fault that is more than "not mapped", in order. Stops
 * when it returns other than 0, and returns that.
 */
int iommu_each(const struct iommu_image *m, int (*fn)(void *ctx, const struct iommu_range *r),
	       void *ctx);

/* What is wrong with tables, one entry or group of 16 at a time. */
struct iommu_finding {
	enum pz_v7s_fault fault;
	unsigned int level;
	uint64_t first, last;	 /* iovas */
	uint32_t entry, entries; /* index of the first one, and how many */
	uint32_t word;
	uint64_t word_addr;
	uint64_t table; /* second level, or PZ_ADDR_MAX */
	char *text;	/* one sentence that names the entry */
};

#define IOMMU_FINDINGS 1000u /* that are kept; more are counted */

struct iommu_sum {
	uint64_t ranges, bytes, pages[IOMMU_SIZES];
	uint64_t second_levels, shared, empty; /* different ones; of more than one entry; no page */
	uint64_t found;			       /* findings in all */
	VEC(struct iommu_finding) findings;
	uint64_t refused;	       /* ranges whose access flag is clear */
	uint64_t iova_last, phys_last; /* the highest that are translated */
	unsigned int pages_width;      /* columns of the longest iommu_pages() */
};

void iommu_sum(struct iommu_sum *s, const struct iommu_image *m);
void iommu_sum_destroy(struct iommu_sum *s);

/* "2x16M 1x64K": pages by size, the largest first. */
#define IOMMU_PAGES_MAX 96
const char *iommu_pages(char buf[IOMMU_PAGES_MAX], const uint64_t pages[IOMMU_SIZES]);
uint64_t iommu_page_count(const uint64_t pages[IOMMU_SIZES]);
extern const char *const iommu_size_names[IOMMU_SIZES];

/* What the bits of a run mean, in words. */
const char *iommu_access(const struct pz_v7s_run *r);
const char *iommu_memory(const struct pz_v7s_run *r);
#define IOMMU_MORE_MAX 64
const char *iommu_more(char buf[IOMMU_MORE_MAX], const struct pz_v7s_run *r);
const char *iommu_fault(enum pz_v7s_fault f);	  /* for people */
const char *iommu_fault_key(enum pz_v7s_fault f); /* for programs */

/* What was built from lists. */
struct iommu_built {
	uint64_t ttbr;
	uint32_t tcr, prrr, nmrr;
	uint64_t image_bytes, table_bytes, splits;
};

/* Tables of the lists in @o, as an image in @m. 0, or an exit code and one line in *err. */
int iommu_build(struct iommu_image *m, struct iommu_built *b, const struct options *o, char **err);

/* The same from the text of one list; @name is for messages. */
int iommu_build_text(struct iommu_image *m, struct iommu_built *b, const struct options *o,
		     const struct text *text, const char *name, char **err);

/* What is shown: @b is NULL for an image that was read. */
struct iommu_view {
	const char *title;
	const struct iommu_image *image;
	const struct iommu_sum *sum;
	const struct iommu_built *built;
	bool raw;
	bool turned; /* all would be right in the other order of bytes */
};

void iommu_text(struct out *o, const struct iommu_view *v);
void iommu_json(struct out *o, const struct iommu_view *v);
void iommu_svg(struct out *o, const struct iommu_view *v);

/* Each word that is not 0, with where it stands and what it leads to, a table after its entry. */
struct iommu_word {
	unsigned int level;
	uint32_t entry, entries, word; /* 16 alike are one */
	uint64_t addr;
	struct pz_v7s_run run; /* of a table only @table says something */
	bool table;
};
void iommu_words(const struct iommu_image *m, void (*fn)(void *ctx, const struct iommu_word *w),
		 void *ctx);

#endif
