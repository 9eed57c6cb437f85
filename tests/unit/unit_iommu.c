/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physzone iommu: images that lists become and are decoded from again, images with words written by
 * hand and each thing that can be wrong with them, and what is refused.
 */
#include "start_run.h"

#include "iommu/iommu.h"

const char *run_machines;

#define LIST                                              \
	"# buffers\n"                                     \
	"0x100000 0x40000000 2M rw,cache\n"               \
	"16M 1G 32M rw # of a camera\n"                   \
	"0x5000000 0xfe000000 64K rw,mmio,noexec\n"       \
	"\n"                                              \
	"  0x5010000 0x50000000 20K r,noexec,priv 4K\r\n" \
	"unmap 0x180000 4K\n"

/* Bytes in a file; the name is to be freed after unlink(). */
static char *image_file(const void *p, size_t n)
{
	char *name = run_file("");
	FILE *f = fopen(name, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
	return name;
}

static unsigned char *image_bytes(const char *name, size_t *n)
{
	unsigned char *p = malloc(1 << 20);
	FILE *f = fopen(name, "rb");

	assert_true(p && f);
	*n = fread(p, 1, 1 << 20, f);
	fclose(f);
	return p;
}

static void word_put(unsigned char *image, size_t at, uint32_t word)
{
	for (unsigned int i = 0; i < 4; i++)
		image[at + i] = (unsigned char)(word >> 8 * i);
}

static struct run run_with(const char *fmt, const char *a, const char *b)
{
	char words[512];
	struct run r;

	snprintf(words, sizeof(words), fmt, a, b);
	r = run(words);
	return r;
}

/* A line that names a file ends with a code and one line of error. */
static void fails(const char *fmt, const char *file, int code, const char *why)
{
	struct run r = run_with(fmt, file, "");

	if (r.rc != code || !strstr(r.err, why) || strchr(r.err, '\n'))
		fail_msg("'%s': status %d, '%s', expected %d '%s'", fmt, r.rc, r.err, code, why);
	assert_string_equal(r.text, "");
	run_done(&r);
}

static void list_fails(const char *list, const char *options, const char *why)
{
	char *name = run_file(list), *line = xasprintf("iommu map %s %%s", options);
	char *where = xasprintf("%s%s", *why == ':' ? name : "", why);

	fails(line, name, EXIT_INPUT, where);
	unlink(name);
	free(name);
	free(line);
	free(where);
}

static void maps(void **state)
{
	char *list = run_file(LIST);
	struct run r = run_with("iommu map %s", list, "");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_says(&r, "5 ranges of 34.1 MiB in 39 pages (2x16M 1x1M 16x64K 20x4K), 2 second levels, "
		     "nothing wrong");
	run_has(&r, "TTBR 0x80000002, TCR 0x00000000, PRRR 0x800b8204, NMRR 0x40004000");
	run_has(&r, "18 KiB of tables, an image of 18 KiB; 1 page split");
	run_says(&r, "0x00100000-0x0017ffff 0x40000000-0x4007ffff 512 KiB 8x64K read, write, "
		     "exec; cached");
	run_says(&r, "0x00181000-0x002fffff 0x40081000-0x401fffff 1.5 MiB 1x1M 7x64K 15x4K read, "
		     "write, exec; cached");
	run_says(&r, "0x01000000-0x02ffffff 0x40000000-0x41ffffff 32 MiB 2x16M read, write, "
		     "exec; uncached");
	run_says(&r, "0x05000000-0x0500ffff 0xfe000000-0xfe00ffff 64 KiB 1x64K read, write; "
		     "device");
	run_says(&r,
		 "0x05010000-0x05014fff 0x50000000-0x50004fff 20 KiB 5x4K read, privileged only; "
		 "uncached");
	run_done(&r);
	r = run_with("iommu map --coherent-walk --ns --base 0x42000000 %s", list, "");
	run_has(&r, "TTBR 0x4200006a");
	run_has(&r, "cached, not secure");
	run_done(&r);
	r = run_with("iommu map --no-perms %s", list, "");
	run_says(&r, "64 KiB 1x64K read, write, exec; device");
	run_has_not(&r, "privileged");
	run_done(&r);
	r = run_with("iommu map --sizes 4K,0x10000 %s", list, "");
	run_has_not(&r, "1x1M");
	run_has(&r, "in 564 pages (544x64K 20x4K)");
	run_done(&r);
	unlink(list);
	free(list);
}

/* From @what on, two runs printed the same. */
static void same_from(const struct run *a, const struct run *b, const char *what)
{
	assert_string_equal(run_has(a, what), run_has(b, what));
}

/* A list becomes an image that is decoded to what the list became. */
static void round_trip(const char *list, const char *map, const char *dump)
{
	static const struct {
		const char *option, *from;
	} ways[] = { { "", "\n  iova" },
		     { "--json", "\"bytes\"" },
		     { "--raw", "\n  entry" },
		     { "--raw --json", "\"words\"" },
		     { "--svg -", "iova</text>" } };
	char *name = run_file(list), *image = run_file("");

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		char *line = xasprintf("iommu map %s --output %%s %s %%s", map, ways[i].option);
		struct run a = run_with(line, image, name), b;

		free(line);
		if (a.rc)
			fail_msg("%s: %s", map, a.err);
		line = xasprintf("iommu dump %s %s %%s", dump, ways[i].option);
		b = run_with(line, image, "");
		free(line);
		assert_int_equal(b.rc, EXIT_FINE);
		same_from(&a, &b, ways[i].from);
		run_done(&a);
		run_done(&b);
	}
	unlink(image);
	unlink(name);
	free(image);
	free(name);
}

static void round_trips(void **state)
{
	static const char mtk[] = "0x300000000 0x7abcd0000 4K rw\n"
				  "0x200000000 0x6ff000000 48M r,cache\n"
				  "0x3fff00000 0x5aaa00000 1M w,mmio\n"
				  "0 0x123450000 64K rw\n";

	(void)state;
	round_trip(LIST, "--base 0x42000000", "--base 0x42000000");
	round_trip(LIST, "--base 0x42000000 --endian big --coherent-walk",
		   "--ttbr 0x4200006a --endian big --base 0x42000000");
	round_trip(LIST, "--no-perms --ns", "--no-perms --base 2G");
	round_trip("0 0xfffff000 4K r\n0xff000 0 4K w\n", "--ias 20", "--ias 20 --base 2G");
	round_trip(mtk, "--mtk --ias 34 --oas 35", "--mtk --ias 34 --base 2G");
	round_trip(mtk, "--mtk-tables --ias 34 --base 0x742000000",
		   "--mtk-tables --ias 34 --ttbr 0x42000007 --base 0x742000000");
}

static void addresses(void **state)
{
	char *list = run_file("0x300000000 0x7abcd0000 4K rw\n");
	struct run r = run_with("iommu map --mtk --ias 34 --raw %s", list, "");

	(void)state;
	run_says(&r, "3000 0x8000c000 80010001 second level at 0x80010000");
	run_says(&r, "0 0x80010000 abcd0e72 4 KiB at 0x300000000 to 0x7abcd0000");
	run_done(&r);
	r = run_with("iommu map --mtk-tables --ias 34 --base 0x742000000 %s", list, "");
	run_has(&r, "TTBR 0x42000007");
	run_has(&r, "0x300000000-0x300000fff  0x7abcd0000-0x7abcd0fff");
	run_done(&r);
	unlink(list);
	free(list);
}

/* Tables that translate nothing, and an image of nothing but an empty first level. */
static void nothing(void **state)
{
	char *list = run_file("# nothing\n"), *image = run_file("");
	struct run r = run_with("iommu map --output %s %s", image, list);

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "nothing is mapped, 0 second levels, nothing wrong");
	run_done(&r);
	for (int i = 0; i < 3; i++) {
		r = run_with(i == 0   ? "iommu dump %s"
			     : i == 1 ? "iommu dump --svg - %s"
				      : "iommu dump --raw %s",
			     image, "");
		assert_int_equal(r.rc, EXIT_FINE);
		run_has(&r, i == 1 ? "</svg>" : "nothing is mapped");
		run_done(&r);
	}
	unlink(list);
	unlink(image);
	free(list);
	free(image);
}

/* An address at the right end of a picture stays within it. */
static void pictures(void **state)
{
	char *list = run_file("0 0 1G r\n0xffff1000 0xfff01000 4K r\n");
	struct run r = run_with("iommu map --svg - %s", list, "");
	const char *at = r.text;
	unsigned int seen = 0;

	(void)state;
	while ((at = strstr(at, "mono\">"))) {
		const char *label = at + strlen("mono\">"), *x = label;

		while (strncmp(x, "<text x=\"", 9) != 0)
			x--;
		assert_true(strtod(x + 9, NULL) + 6 * (double)strcspn(label, "<") <= 980);
		at = label;
		seen++;
	}
	assert_int_equal(seen, 4);
	run_done(&r);
	unlink(list);
	free(list);
}

/* Read in the wrong order of bytes, an image says which one is right; a bad one says none. */
static void orders(void **state)
{
	static const char *const of[] = { "big", "little" };
	char *list = run_file(LIST), *image = run_file(""), *words;
	unsigned char word[4];
	struct run r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		words = xasprintf("iommu map --endian %s --output %%s %%s", of[i]);
		r = run_with(words, image, list);
		assert_int_equal(r.rc, EXIT_FINE);
		run_done(&r);
		free(words);
		words = xasprintf("iommu dump --base 2G --endian %s %%s", of[!i]);
		r = run_with(words, image, "");
		assert_int_equal(r.rc, EXIT_PROBLEM);
		run_has(&r, i ? "With --endian little nothing is wrong."
			      : "With --endian big nothing is wrong.");
		run_done(&r);
		free(words);
	}
	unlink(image);
	free(image);
	word_put(word, 0, 0x03000003);
	image = image_file(word, 4);
	words = xasprintf("iommu dump --ias 20 %s", image);
	r = run(words);
	run_has(&r, "reserved");
	run_has_not(&r, "nothing is wrong");
	run_done(&r);
	unlink(image);
	unlink(list);
	free(words);
	free(image);
	free(list);
}

/* "--output -" writes nothing but the image, and a list is never written over. */
static void outputs(void **state)
{
	char *list = run_file(LIST), *image = run_file(""), *link = xasprintf("%s-2", list);
	unsigned char *bytes;
	struct run r;
	size_t n;

	(void)state;
	r = run_with("iommu map --output %s %s", image, list);
	run_done(&r);
	bytes = image_bytes(image, &n);
	r = run_with("iommu map --output - %s", list, "");
	assert_int_equal(r.rc, EXIT_FINE);
	assert_int_equal(r.n, n);
	assert_memory_equal(r.text, bytes, n);
	run_done(&r);
	assert_int_equal(symlink(list, link), 0);
	r = run_with("iommu map --output %s %s", link, list);
	assert_int_equal(r.rc, EXIT_USAGE);
	assert_non_null(strstr(r.err, "-2 is read: expected another file to write to"));
	run_done(&r);
	fails("iommu map --svg %1$s %1$s", list, EXIT_USAGE, " is read: expected another file");
	fails("iommu dump --svg %1$s %1$s@2G", image, EXIT_USAGE, " is read: expected another");
	unlink(link);
	unlink(list);
	unlink(image);
	free(bytes);
	free(link);
	free(list);
	free(image);
}

/* Second levels from other places than the first. */
static void pieces(void **state)
{
	unsigned char *bytes;
	char *list = run_file(LIST), *image = run_file(""), *first, *second;
	struct run whole, r;
	size_t n;

	(void)state;
	whole = run_with("iommu map --output %s --base 0x42000000 %s", image, list);
	bytes = image_bytes(image, &n);
	assert_int_equal(n, 18432);
	first = image_file(bytes, 0x4000);
	second = image_file(bytes + 0x4000, n - 0x4000);
	r = run_with("iommu dump %s@0x42000000 %s@0x42004000", first, second);
	assert_int_equal(r.rc, EXIT_FINE);
	same_from(&whole, &r, "\n  iova");
	run_done(&r);
	r = run_with("iommu dump --table 0x42000000 %s@0x42004000 %s@1056M", second, first);
	same_from(&whole, &r, "\n  iova");
	run_done(&r);
	/* Without the second levels. */
	r = run_with("iommu dump --base 1056M %s", first, "");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_says(&r, "2 ranges of 33 MiB in 3 pages (2x16M 1x1M), 2 second levels, 2 findings");
	run_has(&r, "0x00100000-0x001fffff  second level not in the image");
	run_says(&r, "entry 0x1 of the first level, at 0x42000004: 0x42004401 leads to a second "
		     "level at 0x42004400, which is not in the image");
	run_says(&r, "entry 0x50 of the first level, at 0x42000140: 0x42004001 leads to a second "
		     "level at 0x42004000, which is not in the image");
	run_done(&r);
	r = run_with("iommu dump --json %s@1056M", first, "");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_says(&r,
		 "\"found\": 2, \"findings\": [ { \"fault\": \"second-read\", \"first\": 1048576, "
		 "\"last\": 2097151, \"level\": 1, \"entry\": 1, \"entries\": 1, \"address\": "
		 "1107296260, \"word\": 1107313665, \"table\": 1107313664,");
	run_done(&r);
	fails("iommu dump --base 1056M %1$s %1$s", first, EXIT_USAGE, "FILE@ADDR");
	fails("iommu dump %1$s@1056M %1$s@0x42003ffc", first, EXIT_INPUT, "at 0x42003ffc overlaps");
	run_done(&whole);
	unlink(list);
	unlink(image);
	unlink(first);
	unlink(second);
	free(list);
	free(image);
	free(first);
	free(second);
	free(bytes);
}

/* Words by hand: the fields of each line of the facts, and what is wrong. */
static void words(void **state)
{
	unsigned char *image = calloc(1, 0x5000);
	char *name;
	struct run r;

	(void)state;
	assert_non_null(image);
	word_put(image, 4 * 1, 0x12339c1e); /* a section, read only, cached, no exec */
	word_put(image, 4 * 2, 0x00000003);
	word_put(image, 4 * 3, 0x00004001); /* a second level */
	word_put(image, 4 * 4, 0x00004001); /* the same again */
	word_put(image, 4 * 5, 0x00004801); /* an empty one */
	word_put(image, 4 * 6, 0x00004c01); /* one that the image cuts */
	for (size_t i = 16; i < 32; i++)
		word_put(image, 4 * i, 0x45071c02);
	word_put(image, 4 * 18, 0x46071c02);
	word_put(image, 0x4004, 0x55555c72);
	for (size_t i = 16; i < 31; i++)
		word_put(image, 0x4000 + 4 * i, 0x789a1c31);
	word_put(image, 0x4c00, 0x66666002);
	name = image_file(image, 0x4e00);
	r = run_with("iommu dump %s", name, "");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_says(&r, "4 ranges of 1.01 MiB in 4 pages (1x1M 3x4K), 3 second levels (1 empty, 1 "
		     "used more than once), 4 findings");
	run_says(&r, "0x00100000-0x001fffff 0x12300000-0x123fffff 1 MiB 1x1M read; cached");
	run_has(&r, "0x00200000-0x002fffff  reserved type");
	run_says(&r, "0x00301000-0x00301fff 0x55555000-0x55555fff 4 KiB 1x4K read, write, exec");
	run_says(&r,
		 "0x00310000-0x0031efff 0x789a0000-0x789aefff 60 KiB unequal words of one page");
	run_has(&r, "0x00680000-0x006fffff  second level not in the image");
	run_says(&r, "entry 0x2 of the first level, at 0x8: 0x00000003 is of type 3, which is "
		     "reserved");
	run_says(&r, "entries 0x10 to 0x1f of the second level at 0x4000, one page of 64K: not "
		     "alike, 0x789a1c31 in entry 0x10 but 0x00000000 in entry 0x1f");
	run_says(&r, "entry 0x6 of the first level, at 0x18: 0x00004c01 leads to a second level at "
		     "0x4c00, which is not in the image, not all of it");
	run_says(&r, "entries 0x10 to 0x1f of the first level at 0x0, one page of 16M: not alike, "
		     "0x45071c02 in entry 0x10 but 0x46071c02 in entry 0x12");
	run_says(&r, "The access flag is clear");
	run_done(&r);
	r = run_with("iommu dump --raw %s", name, "");
	run_says(&r, "2 0x00000008 00000003 reserved type");
	run_says(&r, "12 0x00000048 46071c02 16 MiB at 0x01200000 to 0x46200000: read, write, "
		     "exec; uncached; words differ");
	run_done(&r);
	r = run_with("iommu dump --raw --no-perms --json %s", name, "");
	run_says(&r, "\"level\": 2, \"entry\": 1, \"entries\": 1, \"address\": 16388, \"word\": "
		     "1431657586, \"iova\": 3149824, \"fault\": \"none\", \"page\": 4096, "
		     "\"phys\": 1431654400,");
	run_done(&r);
	r = run_with("iommu dump --svg - %s", name, "");
	run_has(&r, "class=\"f\"");
	run_has(&r, "</svg>");
	run_done(&r);
	/* A first level that ends early; an image that ends within a word. */
	unlink(name);
	free(name);
	name = image_file(image, 0x102);
	r = run_with("iommu dump %s", name, "");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_says(&r, "the first level is not in the image from entry 0x40 at 0x100 on, for 4032 "
		     "entries");
	run_done(&r);
	unlink(name);
	free(name);
	free(image);
}

/* More findings than are shown, and than are kept. */
static void many(void **state)
{
	unsigned char *image = malloc(0x4000);
	char *name;
	struct run r;

	(void)state;
	memset(image, 0xff, 0x4000);
	name = image_file(image, 0x4000);
	r = run_with("iommu dump %s", name, "");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "4096 findings");
	run_has(&r, "and 4076 more; --json has the first 1000");
	run_done(&r);
	unlink(name);
	free(name);
	free(image);
}

static void refused(void **state)
{
	(void)state;
	run_refused("iommu", "nothing to do given: dump or map");
	run_refused("iommu dmup x", "did you mean 'dump'?");
	run_refused("iommu dump", "no FILE given");
	run_refused("iommu map", "no LIST given");
	run_refused("iommu map --table 1G x", "'--table' does not belong to 'physzone iommu map'");
	run_refused("iommu map --ttbr 1G x", "'--ttbr' does not belong to 'physzone iommu map'");
	run_refused("iommu dump --oas 32 x", "'--oas' does not belong to 'physzone iommu dump'");
	run_refused("iommu dump --sizes 4K x", "'--sizes' does not belong");
	run_refused("iommu dump --output y x", "'--output' does not belong");
	run_refused("iommu dump --ns x", "'--ns' does not belong");
	run_refused("iommu dump --coherent-walk x", "'--coherent-walk' does not belong");
	run_refused("iommu dump --ias 19 x", "--ias wants a number from 20 to 34");
	run_refused("iommu dump --ias 33 x", "--ias 33 wants --mtk");
	run_refused("iommu map --oas 35 x", "--oas 35 wants --mtk");
	run_refused("iommu map --oas 36 x", "--oas wants a number from 20 to 35");
	run_refused("iommu dump --endian middle x", "--endian wants little or big");
	run_refused("iommu dump --table 0 --ttbr 0 x", "--table and --ttbr");
	run_refused("iommu dump --json --svg - x", "--json and --svg -");
	run_refused("iommu dump --raw --svg - x", "--raw and --svg -");
	run_refused("iommu dump --base 0x8000000q x", "--base wants an address");
	run_refused("iommu dump --outptu y x", "did you mean '--output'?");
	run_refused("iommu dump --cmdline y x", "'--cmdline' does not belong to 'physzone iommu'");
	run_refused("zones --raw x", "'--raw' does not belong to 'physzone zones'");
	run_refused("iommu map --sizes 4K,2M x", "--sizes wants 4K, 64K, 1M and 16M");
	run_refused("iommu map --sizes= x", "--sizes wants");
	run_refused("iommu map --base 0x80001000 x", "--base wants a physical address that is a "
						     "multiple of 0x4000");
	run_refused("iommu map --mtk --ias 34 --base 0x80004000 x", "multiple of 0x10000");
	run_refused("iommu map --base 4G x", "--base 0x100000000: tables lie below 4 GiB");
	run_refused("iommu map --mtk-tables --oas 33 --base 8G x", "tables lie below 2^oas");
	run_refused("iommu map --base 0xffffffffffffc000 x", "room for tables behind it");
	run_refused("iommu map --ias 20 --sizes 16M x", "a page is larger than the address space");
	run_refused("iommu map --output= x", "--output wants the name of a file");
	run_refused("iommu map --output - --json x", "--json and --output - both want standard");
	run_refused("iommu map --output - --raw x", "--raw and --output - both want standard");
	run_refused("iommu map --output - --svg - x", "--svg - and --output - both want standard");
	run_refused("iommu dump ./@", "FILE@ADDR wants a file");
	run_refused("iommu dump --base 0 x@0", "--base and x@0 both say where");
	run_refused("iommu dump x@", "FILE@ADDR wants a file");
	run_refused("iommu dump x@12q", "FILE@ADDR wants a file");
}

static void images_refused(void **state)
{
	char *empty = run_file(""), *word = run_file("abcd"), *three = run_file("abc");

	(void)state;
	fails("iommu dump /nonexistent/image%.0s", "", EXIT_INPUT, "/nonexistent/image: ");
	fails("iommu map /nonexistent/list%.0s", "", EXIT_INPUT, "/nonexistent/list: ");
	fails("iommu dump /%.0s", "", EXIT_INPUT, "/: ");
	fails("iommu dump %s", empty, EXIT_INPUT, "is empty: expected an image");
	fails("iommu dump %s", three, EXIT_INPUT, "expected the first level at 0x0");
	fails("iommu dump --table 0x4000 %s", word, EXIT_INPUT,
	      "expected the first level at 0x4000, which is not in the image (0x0-0x3)");
	fails("iommu dump --ttbr 0x406a %s", word, EXIT_INPUT,
	      "expected the first level at 0x4000");
	fails("iommu dump --base 2 %s", word, EXIT_USAGE, "a multiple of 4, found 0x2");
	fails("iommu dump --base 0x100 %s", word, EXIT_USAGE, "lies at a multiple of 0x4000");
	fails("iommu dump %s@0xfffffffffffffffc", word, EXIT_USAGE, "lies at a multiple");
	fails("iommu dump %1$s@0 %2$s@4 %1$s", word, EXIT_USAGE, "FILE@ADDR");
	fails("iommu map --output /nonexistent/x %s", empty, EXIT_UNDECIDED, "/nonexistent/x");
	fails("iommu map --svg /nonexistent/x %s", empty, EXIT_UNDECIDED, "/nonexistent/x");
	unlink(empty);
	unlink(word);
	unlink(three);
	free(empty);
	free(word);
	free(three);
}

static void lists_refused(void **state)
{
	(void)state;
	/* Words that are missing, or none. */
	list_fails("x", "",
		   ":1: expected an iova (0x100000, 16M), or \"unmap\", as the first word, "
		   "found \"x\"");
	list_fails("\n# 1\n-1 0 4K r", "", ":3: expected an iova");
	list_fails("0", "",
		   ":1: expected a physical address (0x40000000, 1G) as the second word, "
		   "found the end of the line");
	list_fails("0 1Q", "", ":1: expected a physical address");
	list_fails("0 0", "", ":1: expected a size in bytes");
	list_fails("0 0 0 r", "",
		   ":1: expected a size of at least one page that ends within 64 bits, found "
		   "\"0\"");
	list_fails("0 0x1000 0xffffffffffffffff r", "",
		   ":1: expected a size of at least one page "
		   "that ends within 64 bits");
	list_fails("0 0 4K", "",
		   ":1: expected r, w or rw, and cache, noexec, mmio, priv, joined "
		   "by commas, found the end of the line");
	list_fails("0 0 4K rwx", "", "found \"rwx\"");
	list_fails("0 0 4K cache", "", ":1: expected r, w or rw");
	list_fails("0 0 4K r,,w", "", ":1: expected r, w or rw");
	list_fails("0 0 4K r 8K", "",
		   ":1: expected 4K, 64K, 1M or 16M as a page size, or the end "
		   "of the line, found \"8K\"");
	list_fails("0 0 4K r 4K x", "",
		   ":1: expected the end of the line behind the page size, found \"x\"");
	list_fails("unmap", "", ":1: expected an iova (0x100000, 16M) behind \"unmap\"");
	list_fails("unmap 0", "", ":1: expected a size in bytes");
	list_fails("0 0 4K r\nunmap 0 4K r", "",
		   ":2: expected the end of the line behind the size, "
		   "found \"r\"");
	list_fails("unmapped 0 4K", "", ":1: expected an iova");
	/* Numbers that do not fit. */
	list_fails("0x800 0 4K r", "",
		   ":1: expected an iova that is a multiple of the page, "
		   "0x1000, found 0x800");
	list_fails("0 0x10 4K r", "", ":1: expected a physical address that is a multiple");
	list_fails("0 0 5000 r", "",
		   ":1: expected a size that is a multiple of the page, 0x1000, "
		   "found 0x1388");
	list_fails("0 4K 64K r 64K", "",
		   ":1: expected a physical address that is a multiple of "
		   "the page, 0x10000, found 0x1000");
	list_fails("4G 0 4K r", "", ":1: expected iovas of 32 bits, found 0x100000000-0x100000fff");
	list_fails("0xfffff000 0 8K r", "",
		   ":1: expected iovas of 32 bits, found "
		   "0xfffff000-0x100000fff");
	list_fails("0xff000 0 8K r", "--ias 20", ":1: expected iovas of 20 bits");
	list_fails("unmap 0xfffff000 8K", "", ":1: expected iovas of 32 bits");
	list_fails("0 4G 4K r", "", ":1: expected physical addresses of 32 bits");
	list_fails("0 0xf00000 2M r", "--oas 24", ":1: expected physical addresses of 24 bits");
	list_fails("0 0 64K r 64K", "--sizes 4K,1M",
		   ":1: expected a page size that --sizes has, "
		   "found 0x10000");
	list_fails("0 0 4K r", "--sizes 64K",
		   ":1: expected a size that is a multiple of the page, "
		   "0x10000, found 0x1000");
	/* What is mapped already, and what is not. */
	list_fails("1M 1G 1M r\n\n0x1ff000 2G 8K r", "",
		   ":3: expected a range that is not mapped, found 0x1ff000, which line 1 maps to "
		   "0x400ff000");
	list_fails("0 1G 16M r\nunmap 1M 1M\n0 0 4M r", "",
		   ":3: expected a range that is not "
		   "mapped, found 0x0, which line 1");
	list_fails("unmap 1M 4K", "",
		   ":1: expected a range that is mapped, found "
		   "0x100000-0x100fff, of which 0x0 bytes are");
	list_fails("0 0 4K r\nunmap 0 8K", "",
		   ":2: expected a range that is mapped, found "
		   "0x0-0x1fff, of which 0x1000 bytes are");
	list_fails("0 0 1M r\nunmap 64K 64K", "--sizes 1M", ":2: expected ");
	list_fails("0 0 16M r\nunmap 1M 1M", "--sizes 64K,16M", ":2: expected ");
	/* A second level where no walker reads. */
	list_fails("0 0 4K r", "--base 0xffffc000", ":1: needs a second level, ");
}

/* Several lists, one after the other. */
static void lists(void **state)
{
	char *a = run_file("0 1G 4K rw\n"), *b = run_file("4K 0x40001000 4K rw\n"), *why;
	struct run r = run_with("iommu map %s %s", a, b);

	(void)state;
	run_says(&r, "1 range of 8 KiB in 2 pages (2x4K), 1 second level");
	run_done(&r);
	why = xasprintf(
		"%s:1: expected a range that is not mapped, found 0x0, which line 1 maps to "
		"0x40000000",
		a);
	fails("iommu map %1$s %1$s", a, EXIT_INPUT, why);
	free(why);
	unlink(a);
	unlink(b);
	free(a);
	free(b);
}

/* The bits of memory types that no list makes. */
static void names(void **state)
{
	struct pz_v7s_run r = { .secure = true, .access = true, .shared = true };
	char more[IOMMU_MORE_MAX];

	(void)state;
	assert_string_equal(iommu_memory(&r), "strongly ordered");
	r.c = true;
	assert_string_equal(iommu_memory(&r), "write-through");
	r.b = true;
	assert_string_equal(iommu_memory(&r), "write-back");
	r.tex = 2;
	assert_string_equal(iommu_memory(&r), "reserved");
	r.b = r.c = false;
	assert_string_equal(iommu_memory(&r), "device, own");
	r.tex = 7;
	assert_string_equal(iommu_memory(&r), "outer and inner cached apart");
	assert_string_equal(iommu_more(more, &r), "");
	r.domain = 15;
	r.secure = r.access = r.shared = false;
	r.global = true;
	assert_string_equal(iommu_more(more, &r), ", not shared, global, not secure, no access, "
						  "domain 15");
	assert_string_equal(iommu_access(&r), "read, privileged only");
	for (unsigned int i = 0; i < PZ_V7S_FAULTS; i++)
		assert_true(iommu_fault((enum pz_v7s_fault)i) &&
			    iommu_fault_key((enum pz_v7s_fault)i));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps),		 cmocka_unit_test(round_trips),
		cmocka_unit_test(addresses),	 cmocka_unit_test(nothing),
		cmocka_unit_test(outputs),	 cmocka_unit_test(orders),
		cmocka_unit_test(pictures),	 cmocka_unit_test(pieces),
		cmocka_unit_test(words),	 cmocka_unit_test(many),
		cmocka_unit_test(refused),	 cmocka_unit_test(images_refused),
		cmocka_unit_test(lists_refused), cmocka_unit_test(lists),
		cmocka_unit_test(names),
	};

	run_machines = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
