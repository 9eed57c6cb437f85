/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices.h - devices as /sys or a device tree describes them, and the memory that each reaches.
 *
 * Readers fill in what a source says of a device; devices_compute() makes its reach sets of that.
 */
#ifndef PHYSZONE_CMD_DEVICES_H
#define PHYSZONE_CMD_DEVICES_H

#include <physzone/limits.h>

#include "../facts.h"
#include "../out.h"
#include "../vec.h"

/* Two kinds of buffers, each with a mask of its own. */
enum dev_use { DEV_STREAMING, DEV_COHERENT, DEV_USES };

/* Whether an IOMMU stands between a device and memory. */
enum dev_iommu {
	DEV_IOMMU_NONE,
	DEV_IOMMU_TRANSLATES, /* masks and windows are of bus addresses that it makes up */
	DEV_IOMMU_IDENTITY,   /* there is one, and it passes addresses on as they are */
	DEV_IOMMU_UNKNOWN,    /* there is one; what it does is not told, so it counts as identity */
};

/* Memory that a device tree sets aside for a device. */
enum dev_region_kind {
	DEV_REGION_OTHER,
	DEV_REGION_COHERENT,   /* its coherent memory comes from there, and from nowhere else */
	DEV_REGION_CMA,	       /* its contiguous memory */
	DEV_REGION_RESTRICTED, /* all its DMA goes through there */
};

struct dev_region {
	enum dev_region_kind kind;
	char *name;
	bool placed; /* else the kernel finds a place while booting */
	struct pz_range range;
};

struct dev_window {
	struct pz_range phys;
	uint64_t bus; /* of phys.first */
};

struct dev {
	char *name;		     /* address on the bus, or path in the tree */
	char *driver;		     /* or first word of "compatible"; NULL when there is none */
	char *kind;		     /* class of a PCI device, or NULL */
	char *behind;		     /* the bus whose windows come first, or NULL */
	int nid;		     /* PZ_NID_NONE when not told */
	unsigned int bits[DEV_USES]; /* of the masks, 64 for no limit */
	bool coherent;		     /* device tree: its caches are kept coherent */
	enum dev_iommu iommu;
	char *iommu_name; /* group or node; NULL without one */
	bool anywhere;	  /* no bus narrows it: physical addresses are bus addresses */
	VEC(struct dev_window) windows; /* else */
	VEC(struct pz_range) holes;	/* bus addresses that are not memory to it */
	VEC(struct dev_region) regions;
	VEC(char *) notes;

	/* From devices_compute(). */
	struct pz_reach bus; /* what the buses let through, without a mask */
	struct pz_reach reach[DEV_USES];
	uint64_t by_bus, bytes[DEV_USES]; /* of the machine's memory */
};

struct devices {
	bool tree; /* from a device tree; masks are what the kernel starts with, then */
	VEC(struct dev) all;
	struct pz_rangeset memory; /* the machine's, in bytes */
	const char *memory_from;   /* what tells it, or NULL when nothing does */
	uint64_t total;
};

#define DEV_BITS_DEFAULT 32u /* of a mask that no driver has set */

void devices_init(struct devices *d);
void devices_destroy(struct devices *d);

/* Append a device without any limit, or a note to one (printf). */
struct dev *devices_add(struct devices *d, const char *name);
void dev_note(struct dev *dev, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The PCI devices below @root/sys, of which @facts has the memory. Returns 0, or INPUT_BAD with one
 * line in *err.
 */
int sys_devices(struct devices *d, struct facts *f, const char *root, char **err);

/* A list of reserved regions, as an IOMMU group has it: what is no memory becomes a hole. */
int sys_regions(struct dev *dev, const struct facts *f, uint32_t file, const char *buf, size_t len,
		char **err);

/* The devices of a blob, registered as @file, with their buses. Returns as sys_devices(). */
int dtb_devices(struct devices *d, struct facts *f, uint32_t file, const char *buf, size_t len,
		char **err);

/* The machine's memory, from the facts; then what each device reaches of it. */
void devices_memory(struct devices *d, const struct facts *f);
void devices_compute(struct devices *d);

/* Whether a device reaches a byte. */
bool dev_reaches(const struct dev *dev, enum dev_use use, uint64_t addr);

/* A question about one address: which devices reach it, or do not. */
struct devices_query {
	bool each; /* a row for each device, also for those that are alike */
	bool asked, cannot;
	uint64_t addr;
};
bool devices_selects(const struct devices_query *q, const struct dev *dev);

const char *dev_iommu_name(enum dev_iommu i);
const char *dev_region_name(enum dev_region_kind k);

void devices_text(struct out *o, const struct devices *d, const struct facts *f, const char *title,
		  const struct devices_query *q);
void devices_json(struct out *o, const struct devices *d, const struct facts *f, const char *title,
		  const struct devices_query *q);
void devices_svg(struct out *o, const struct devices *d, const char *title,
		 const struct devices_query *q);

#endif
