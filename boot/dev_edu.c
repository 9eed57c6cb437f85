/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev_edu.c - 29 edu devices, one for each DMA mask of 12 to 40 bits, all moving data at once.
 *
 * That of 28 bits has QEMU's default. Each device cuts addresses to its mask, so data for the first
 * page beyond it ends at the address 0: there the tests look for it.
 */
#include <physzone/fmt.h>

#include "dev.h"
#include "hw.h"

#define EDU_FIRST_BITS 12u
#define EDU_LAST_BITS 40u
#define EDU_DEFAULT_BITS 28u
/* What only the first MiB can serve. */
#define EDU_REFUSED_BITS 20u
#define EDU_DEVICES (EDU_LAST_BITS - EDU_FIRST_BITS + 1)
/* In a page that all devices share, each has a piece. */
#define EDU_PIECE 128u
#define EDU_PIECE_AT(d) (((d)->bits - EDU_FIRST_BITS) * EDU_PIECE)
/* Seeds: what goes out right, and what lies beyond the mask. */
#define EDU_SEED(d) ((d)->bits)
#define EDU_SEED_BEYOND(d) ((d)->bits + 0x100)

struct edu_device {
	struct edu hw;
	struct pz_dma_dev *dev;
	char name[16];
	unsigned int bits;
	uint64_t phys; /* its buffer */
	bool use;      /* takes part in what is being tested */
};

static bool edu_each_wait(const struct edu_device *v)
{
	bool done = true;

	for (unsigned int i = 0; i < EDU_DEVICES; i++)
		done = done && (!v[i].use || edu_wait(&v[i].hw));
	return done;
}

static bool edu_make(struct dev_machine *m, struct edu_device *d)
{
	struct pz_dma_dev_config cfg;

	pz_snprintf(d->name, sizeof(d->name), "edu%u", d->bits);
	pz_dma_dev_init(&cfg, d->name, 64);
	return pz_dma_dev_create(&d->dev, m->dma, &cfg) == 0;
}

static int edu_set_mask(const struct edu_device *d)
{
	return pz_dma_set_masks(d->dev, ((uint64_t)1 << d->bits) - 1);
}

static void edu_find(struct dev_machine *m, struct edu_device *v)
{
	for (unsigned int i = 0; i < EDU_DEVICES; i++) {
		v[i].bits = EDU_FIRST_BITS + i;
		v[i].dev = NULL;
		v[i].use = edu_open(&v[i].hw, DEV_EDU_SLOT(v[i].bits)) && edu_make(m, &v[i]);
		DEV_CHECK(m, v[i].use, "edu %u bits is there", v[i].bits);
	}
}

static void edu_forget(struct dev_machine *m, const struct edu_device *v)
{
	bool gone = true;

	for (unsigned int i = 0; i < EDU_DEVICES; i++)
		gone = !pz_dma_dev_destroy(v[i].dev) && gone;
	CHECK_NAMED(m->t, gone, "edu: nothing is out");
}

/* Before the first MiB is there, no memory serves 12 to 20 bits: their drivers are told. */
static void edu_refused(struct dev_machine *m, const struct edu_device *v)
{
	for (unsigned int i = 0; i < EDU_DEVICES; i++) {
		int err = v[i].use ? edu_set_mask(&v[i]) : -PZ_EINVAL;

		DEV_CHECK(m, err == (v[i].bits <= EDU_REFUSED_BITS ? -PZ_ERANGE : 0),
			  "edu %u bits: without the first MiB the mask gets an honest answer",
			  v[i].bits);
	}
}

/* With it each can be served. */
static void edu_accepted(struct dev_machine *m, const struct edu_device *v)
{
	CHECK_NAMED(m->t, dev_add_low(m) == 0, "the first MiB is handed over late");
	for (unsigned int i = 0; i < EDU_DEVICES; i++)
		if (v[i].use)
			DEV_CHECK(m, edu_set_mask(&v[i]) == 0, "edu %u bits: the mask is accepted",
				  v[i].bits);
}

/* Out and back again, all devices at once: the same part of each buffer. */
static bool edu_round(const struct edu_device *v, uint32_t at, uint32_t bytes)
{
	bool done;

	for (unsigned int i = 0; i < EDU_DEVICES; i++)
		if (v[i].use)
			edu_start_read(&v[i].hw, v[i].phys + at, bytes);
	done = edu_each_wait(v);
	for (unsigned int i = 0; i < EDU_DEVICES; i++)
		if (v[i].use) {
			dev_write(v[i].phys + at, bytes, 0, 0);
			edu_start_write(&v[i].hw, v[i].phys + at, bytes);
		}
	return edu_each_wait(v) && done;
}

/* The memory that a device gets for a page; false when it gets none. */
static bool edu_get_page(struct dev_machine *m, struct edu_device *d, struct pz_dma_buf *buf)
{
	bool got = dev_alloc(d->dev, EDU_BYTES, buf);

	DEV_CHECK(m,
		  got && !((buf->bus + EDU_BYTES - 1) >> d->bits) && buf->bus == buf->phys &&
			  buf->cpu_addr == port_direct(buf->phys),
		  "edu %u bits: memory within reach", d->bits);
	if (!got)
		return false;
	d->phys = buf->phys;
	dev_write(d->phys, EDU_BYTES, EDU_SEED(d), 0);
	return true;
}

static void edu_whole(struct dev_machine *m, const struct edu_device *v)
{
	struct edu_device all[EDU_DEVICES];
	struct pz_dma_buf buf[EDU_DEVICES];

	/* From the narrowest on: the others have more to choose from. */
	for (unsigned int i = 0; i < EDU_DEVICES; i++) {
		all[i] = v[i];
		all[i].use = v[i].use && edu_get_page(m, &all[i], &buf[i]);
	}
	for (uint32_t at = 0; at < EDU_BYTES; at += EDU_MOST)
		CHECK_NAMED(m->t, edu_round(all, at, EDU_MOST), "edu: all transfers end");
	for (unsigned int i = 0; i < EDU_DEVICES; i++) {
		if (!all[i].use)
			continue;
		port_print(dev_name(m, "# edu %u bits at %#llx\n", v[i].bits,
				    (unsigned long long)all[i].phys));
		DEV_CHECK(m, dev_holds(all[i].phys, EDU_BYTES, EDU_SEED(&v[i]), 0),
			  "edu %u bits: a page arrives whole, out and back", v[i].bits);
		dev_free(v[i].dev, &buf[i]);
	}
}

/* The last bytes within the masks, where there is memory. */
static void edu_edge(struct dev_machine *m, const struct edu_device *v)
{
	struct edu_device all[EDU_DEVICES];

	for (unsigned int i = 0; i < EDU_DEVICES; i++) {
		all[i] = v[i];
		all[i].phys = ((uint64_t)1 << v[i].bits) - EDU_BYTES;
		all[i].use = v[i].use && !dev_take(m, all[i].phys, EDU_BYTES);
		if (all[i].use)
			dev_write(all[i].phys, EDU_BYTES, EDU_SEED(&v[i]), 0);
	}
	CHECK_NAMED(m->t, all[EDU_DEFAULT_BITS - EDU_FIRST_BITS].use,
		    "edu: 28 bits end within memory");
	CHECK_NAMED(m->t, edu_round(all, EDU_BYTES - EDU_MOST, EDU_MOST), "edu: all transfers end");
	for (unsigned int i = 0; i < EDU_DEVICES; i++) {
		if (!all[i].use)
			continue;
		DEV_CHECK(m, dev_holds(all[i].phys, EDU_BYTES, EDU_SEED(&v[i]), 0),
			  "edu %u bits: the last bytes within the mask arrive", v[i].bits);
		dev_give(m, all[i].phys, EDU_BYTES);
	}
}

/*
 * The first pages beyond the masks: [n] is the page at 2^n, or the one at the next power of two
 * whose page is memory; 0 when there is none. Those that differ are each taken once.
 */
static void edu_take_beyond(struct dev_machine *m, uint64_t beyond[EDU_LAST_BITS + 1])
{
	uint64_t next = 0;

	for (unsigned int bits = EDU_LAST_BITS; bits >= EDU_FIRST_BITS; bits--) {
		if (!dev_take(m, (uint64_t)1 << bits, EDU_BYTES))
			next = (uint64_t)1 << bits;
		beyond[bits] = next;
	}
}

static void edu_give_beyond(struct dev_machine *m, const uint64_t beyond[EDU_LAST_BITS + 1])
{
	for (unsigned int bits = EDU_FIRST_BITS; bits <= EDU_LAST_BITS; bits++)
		if (beyond[bits] == (uint64_t)1 << bits)
			dev_give(m, beyond[bits], EDU_BYTES);
}

/* What lies beyond the mask does not reach the device: what lies at 0 does. */
static bool edu_read_beyond(const struct edu_device *v)
{
	bool done;

	for (unsigned int i = 0; i < EDU_DEVICES; i++)
		if (v[i].use) {
			dev_write(EDU_PIECE_AT(&v[i]), EDU_PIECE, EDU_SEED(&v[i]), 0);
			dev_write(v[i].phys, EDU_PIECE, EDU_SEED_BEYOND(&v[i]), 0);
			edu_start_read(&v[i].hw, v[i].phys, EDU_PIECE);
		}
	done = edu_each_wait(v);
	for (unsigned int i = 0; i < EDU_DEVICES; i++)
		if (v[i].use) {
			dev_write(EDU_PIECE_AT(&v[i]), EDU_PIECE, 0, 0);
			edu_start_write(&v[i].hw, EDU_PIECE_AT(&v[i]), EDU_PIECE);
		}
	return edu_each_wait(v) && done;
}

static bool edu_write_beyond(const struct edu_device *v)
{
	for (unsigned int i = 0; i < EDU_DEVICES; i++)
		if (v[i].use) {
			dev_write(EDU_PIECE_AT(&v[i]), EDU_PIECE, 0, 0);
			edu_start_write(&v[i].hw, v[i].phys, EDU_PIECE);
		}
	return edu_each_wait(v);
}

static void edu_beyond(struct dev_machine *m, struct edu_device *v)
{
	struct edu_device all[EDU_DEVICES];
	uint64_t beyond[EDU_LAST_BITS + 1];
	unsigned int forced = 0;

	if (!CHECK_NAMED(m->t, dev_take(m, 0, EDU_BYTES) == 0, "edu: page 0 is the test's"))
		return;
	edu_take_beyond(m, beyond);
	for (unsigned int i = 0; i < EDU_DEVICES; i++) {
		bool memory = pz_memblock_last(&m->mb) >> v[i].bits;

		all[i] = v[i];
		all[i].use = v[i].use && beyond[v[i].bits];
		all[i].phys = beyond[v[i].bits] + EDU_PIECE_AT(&v[i]);
		forced += all[i].use ? 2 : 0;
		DEV_CHECK(m, (beyond[v[i].bits] != 0) == memory,
			  "edu %u bits: a page beyond the mask, if there is memory", v[i].bits);
	}
	CHECK_NAMED(m->t, edu_read_beyond(all), "edu: all transfers end");
	for (unsigned int i = 0; i < EDU_DEVICES; i++)
		if (all[i].use)
			DEV_CHECK(m, dev_holds(EDU_PIECE_AT(&v[i]), EDU_PIECE, EDU_SEED(&v[i]), 0),
				  "edu %u bits: what lies beyond the mask is not read", v[i].bits);
	CHECK_NAMED(m->t, edu_write_beyond(all), "edu: all transfers end");
	for (unsigned int i = 0; i < EDU_DEVICES; i++)
		if (all[i].use)
			DEV_CHECK(m,
				  dev_holds(all[i].phys, EDU_PIECE, EDU_SEED_BEYOND(&v[i]), 0) &&
					  dev_holds(EDU_PIECE_AT(&v[i]), EDU_PIECE, EDU_SEED(&v[i]),
						    0),
				  "edu %u bits: what lies beyond the mask is not written",
				  v[i].bits);
	/* QEMU tells each: scripts/boot.sh compares, so that no other was beyond a mask. */
	port_print(dev_name(m, "# transfers beyond a mask: %u\n", forced));
	edu_give_beyond(m, beyond);
	dev_give(m, 0, EDU_BYTES);
}

void dev_test_edu(struct dev_machine *m)
{
	struct edu_device v[EDU_DEVICES];

	edu_find(m, v);
	edu_refused(m, v);
	edu_accepted(m, v);
	edu_whole(m, v);
	edu_edge(m, v);
	edu_beyond(m, v);
	edu_forget(m, v);
}
