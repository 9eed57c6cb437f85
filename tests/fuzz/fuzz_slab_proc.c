/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_slab_proc.c - rows of /proc/slabinfo and files of /sys/kernel/slab from any bytes, read and
 * written.
 *
 * The first byte chooses the file, the second the model; the rest is its text.
 */
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/slab_proc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct again {
	const char *text;
	size_t len;
	unsigned int lines;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void line(void *ctx, const char *text, size_t len)
{
	struct again *a = ctx;

	if (a->lines++ < PZL_SLABINFO_HEAD)
		return;
	must(len == a->len && !memcmp(text, a->text, len));
}

static void check_row(const char *text, size_t len)
{
	struct again again = { text, len, 0 };
	struct pzl_slabinfo row;

	if (pzl_slabinfo_read(text, len, &row))
		return;
	must(row.name_len && row.name_len < len);
	pzl_slabinfo_write(&row, 1, line, &again);
	must(again.lines == PZL_SLABINFO_HEAD + 1);
}

static void check_attr(enum pzl_slab_attr attr, enum pzl_model m, const char *text, size_t len)
{
	struct pzl_slab_attrs a, before;
	char back[4096], first[4096];
	int err;

	memset(&a, 0, sizeof(a));
	a.model = m;
	a.has = PZL_SLAB_HAS_NUMA | PZL_SLAB_HAS_SMP;
	before = a;
	err = pzl_slab_attr_read(&a, attr, text, len);
	must(err == 0 || err == -PZ_EINVAL || err == -PZ_ENOSPC);
	if (err)
		must(!memcmp(&a, &before, sizeof(a)));
	else
		must(pzl_slab_attr_write(back, sizeof(back), &a, attr) == len &&
		     !memcmp(back, text, len));
	(void)pzl_slab_attr_write(first, sizeof(first), &a, attr);
	err = pzl_slab_attr_store(&a, attr, text, len);
	must(err == 0 || err == -PZ_EINVAL || err == -PZ_ERANGE || err == -PZL_EIO);
	(void)pzl_slab_attr_write(back, sizeof(back), &a, attr);
	if (err)
		must(!strcmp(first, back));
	if (pzl_slab_attr_info(attr)->store == PZL_STORE_NONE)
		must(err == -PZL_EIO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 2;
	unsigned int which;

	if (size < 2)
		return 0;
	which = data[0] % (PZL_SLAB_ATTRS + 1);
	if (which == PZL_SLAB_ATTRS)
		check_row(text, size - 2);
	else
		check_attr((enum pzl_slab_attr)which, (enum pzl_model)(data[1] % PZL_MODELS), text,
			   size - 2);
	return 0;
}
