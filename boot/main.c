/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - the image: what the machine has to test of its own, then every contract suite, as TAP on
 * the console.
 */
#include "../tests/contract/suites_decl.h"

#include "image.h"

#define BOOT_ARENA_SIZE (32u << 20)

static _Alignas(16) unsigned char boot_store[BOOT_ARENA_SIZE];

static const struct {
	const char *name;
	void (*fn)(struct tap *t);
} boot_suites[] = {
#define SUITE(name) { #name, contract_##name },
#include "../tests/contract/suites.h"
#undef SUITE
};

static void boot_write(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	port_write(s, n);
}

static void boot_check_arena(struct tap *t, const struct port_arena *a)
{
	CHECK_NAMED(t, a->live == 0 && a->blocks == 0 && a->mismatches == 0,
		    "all memory was given back with its size");
}

void port_main(uint64_t handed_over)
{
	struct port_arena arena;
	struct tap t = { boot_write, NULL, &arena.meta, NULL, 0, 0 };

	port_arena_init(&arena, boot_store, sizeof(boot_store));
	port_print("# physzone on bare metal\n");
	for (size_t i = 0; boot_own[i].name; i++) {
		t.suite = boot_own[i].name;
		boot_own[i].fn(&t, handed_over);
		boot_check_arena(&t, &arena);
	}
	for (size_t i = 0; i < sizeof(boot_suites) / sizeof(boot_suites[0]); i++) {
		tap_suite(&t, boot_suites[i].name, boot_suites[i].fn);
		t.suite = boot_suites[i].name;
		boot_check_arena(&t, &arena);
	}
	port_exit(tap_done(&t) == 0);
}
