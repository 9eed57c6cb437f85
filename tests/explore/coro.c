/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coro.c - coroutines for the explorer.
 *
 * Shortcomings: the floating point control words are not switched; nothing here uses them. One
 * thread of the process uses coroutines.
 */
#include "coro.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define CORO_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CORO_ASAN 1
#endif
#endif
#ifdef CORO_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define CORO_STACK ((size_t)128 << 10)
#define CORO_GUARD ((size_t)64 << 10) /* a multiple of any page size of a host */

void coro_init(struct coro *c)
{
	unsigned char *p = mmap(NULL, CORO_GUARD + CORO_STACK, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p, CORO_GUARD, PROT_NONE)) {
		perror("no stack for a coroutine");
		exit(2);
	}
	c->stack = p + CORO_GUARD;
	c->size = CORO_STACK;
	c->done = true;
}

void coro_drop(struct coro *c)
{
	munmap(c->stack - CORO_GUARD, CORO_GUARD + CORO_STACK);
	c->stack = NULL;
}

/* What the frames of a forgotten run left behind is no error of the next. */
static void coro_clean(struct coro *c)
{
	c->done = false;
#ifdef CORO_ASAN
	__asan_unpoison_memory_region(c->stack, c->size);
#endif
}

static struct coro *coro_first; /* the coroutine that runs for the first time */

static void coro_entry(void)
{
	struct coro *c = coro_first;

	c->fn(c->arg);
	c->done = true;
	coro_stop(c);
	abort();
}

#if CORO_WHOLE

/* void coro_switch(void **save, void *to): keep what a callee keeps, and change stacks. */
void coro_switch(void **save, void *to);
__asm__(".text\n"
	".globl coro_switch\n"
	".type coro_switch, @function\n"
	"coro_switch:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, %rax\n"
	"	movq %rsi, %rsp\n"
	"	movq %rax, (%rdi)\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size coro_switch, . - coro_switch\n");

void coro_start(struct coro *c, void (*fn)(void *arg), void *arg)
{
	uintptr_t *top = (uintptr_t *)(void *)(c->stack + c->size);

	coro_clean(c);
	c->fn = fn;
	c->arg = arg;
	*--top = 0; /* where a return address would be: the stack is aligned as after a call */
	*--top = (uintptr_t)coro_entry;
	for (int i = 0; i < 6; i++)
		*--top = 0;
	c->sp = top;
}

void coro_resume(struct coro *c)
{
	coro_first = c;
	coro_switch(&c->sp, c->sp);
}

void coro_stop(struct coro *c)
{
	coro_switch(&c->sp, c->sp);
}

#else

void coro_start(struct coro *c, void (*fn)(void *arg), void *arg)
{
	coro_clean(c);
	c->fn = fn;
	c->arg = arg;
	getcontext(&c->self);
	c->self.uc_stack.ss_sp = c->stack;
	c->self.uc_stack.ss_size = c->size;
	c->self.uc_link = NULL;
	makecontext(&c->self, coro_entry, 0);
}

void coro_resume(struct coro *c)
{
	coro_first = c;
	swapcontext(&c->back, &c->self);
}

void coro_stop(struct coro *c)
{
	swapcontext(&c->self, &c->back);
}

#endif
