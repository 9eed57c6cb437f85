/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_master.c - see iommu_master.h. The walk is written from the architecture's format (ARM DDI
 * 0406C, B3.5) and MediaTek's extension of it, and knows nothing of the library's tables.
 */
#include "iommu_master.h"

#define MASTER_CHUNK 256u

static bool master_word(const struct master *m, uint64_t phys, uint32_t *word)
{
	const uint32_t *p = m->memory(m->ctx, phys, 4);

	if (p)
		*word = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	return p != 0;
}

/* Bits 32, 33 and 34 of an output. */
static uint64_t master_high(const struct master *m, uint32_t word)
{
	if (!m->extended)
		return 0;
	return (uint64_t)(word >> 9 & 1) << 32 | (uint64_t)(word >> 4 & 1) << 33 |
	       (uint64_t)(word >> 5 & 1) << 34;
}

static bool master_leaf(const struct master *m, uint64_t addr, uint32_t word, uint32_t size,
			uint32_t read_only, struct master_kept *out)
{
	out->iova = addr & ~(uint64_t)(size - 1);
	out->phys = (word & ~(size - 1)) | master_high(m, word);
	out->size = size;
	out->write = m->extended || !(word & read_only);
	return true;
}

static bool master_walk(const struct master *m, uint64_t addr, struct master_kept *out)
{
	uint64_t table = (m->ttbr & 0xffffc000u) | (m->extended ? (m->ttbr & 7) << 32 : 0);
	uint32_t word;

	if (!master_word(m, table + (addr >> 20) * 4, &word))
		return false;
	if ((word & 3) == 2)
		return master_leaf(m, addr, word, word & 1u << 18 ? 1u << 24 : 1u << 20, 1u << 15,
				   out);
	if ((word & 3) != 1)
		return false;
	if (!master_word(m, (word & 0xfffffc00u) + (addr >> 12 & 255) * 4, &word) || !(word & 3))
		return false;
	return master_leaf(m, addr, word, word & 2 ? 1u << 12 : 1u << 16, 1u << 9, out);
}

static const struct master_kept *master_find(const struct master *m, uint64_t addr)
{
	for (uint32_t i = 0; i < m->kept_most; i++) {
		const struct master_kept *k = &m->kept[i];

		if (k->size && addr >= k->iova && addr - k->iova < k->size)
			return k;
	}
	return 0;
}

bool master_translate(struct master *m, uint64_t addr, bool write, uint64_t *phys, uint64_t *room)
{
	const struct master_kept *k = m->off ? 0 : master_find(m, addr);

	if (m->off) {
		*phys = addr;
		*room = UINT64_MAX - addr;
		return true;
	}
	if (k) {
		m->hits++;
	} else {
		struct master_kept *new = &m->kept[m->next];

		m->walks++;
		new->size = 0;
		if (!master_walk(m, addr, new))
			return false;
		m->next = m->next + 1 < m->kept_most ? m->next + 1 : 0;
		k = new;
	}
	if (write && !k->write)
		return false;
	*phys = k->phys + (addr - k->iova);
	*room = k->size - (addr - k->iova);
	return true;
}

bool master_access(struct master *m, uint64_t addr, void *buf, uint64_t bytes, bool write)
{
	unsigned char *b = buf;

	while (bytes) {
		unsigned char *p = 0;
		uint64_t phys, room;

		if (master_translate(m, addr, write, &phys, &room)) {
			room = room < bytes ? room : bytes;
			p = m->memory(m->ctx, phys, room);
		}
		if (!p) {
			m->faults++;
			m->fault_addr = addr;
			m->fault_write = write;
			return false;
		}
		for (uint64_t i = 0; i < room; i++) {
			if (write)
				p[i] = b[i];
			else
				b[i] = p[i];
		}
		b += room;
		addr += room;
		bytes -= room;
	}
	return true;
}

static bool master_do(struct master *m, struct master_desc *d)
{
	unsigned char part[MASTER_CHUNK];

	if (d->op != MASTER_COPY && d->op != MASTER_SUM)
		return false;
	d->sum = 0;
	for (uint32_t done = 0, n; done < d->bytes; done += n) {
		n = d->bytes - done < MASTER_CHUNK ? d->bytes - done : MASTER_CHUNK;
		if (!master_access(m, d->from + done, part, n, false))
			return false;
		for (uint32_t i = 0; i < n; i++)
			d->sum += part[i];
		if (d->op == MASTER_COPY && !master_access(m, d->to + done, part, n, true))
			return false;
	}
	return true;
}

uint32_t master_run(struct master *m, uint64_t ring, uint32_t count)
{
	uint32_t good = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t at = ring + (uint64_t)i * sizeof(struct master_desc);
		struct master_desc d;
		bool ok;

		if (!master_access(m, at, &d, sizeof(d), false))
			break;
		ok = master_do(m, &d);
		good += ok;
		d.op |= ok ? MASTER_DONE : MASTER_DONE | MASTER_FAILED;
		if (!master_access(m, at, &d, sizeof(d), true))
			break;
	}
	return good;
}

void master_forget(struct master *m, uint64_t iova, uint64_t size)
{
	for (uint32_t i = 0; i < m->kept_most; i++) {
		struct master_kept *k = &m->kept[i];

		if (k->size && iova < k->iova + k->size && k->iova < iova + size)
			k->size = 0;
	}
}

void master_forget_all(struct master *m)
{
	for (uint32_t i = 0; i < m->kept_most; i++)
		m->kept[i].size = 0;
}
