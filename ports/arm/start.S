/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start.S - from the entry of the ELF image to C, and what the processor enters on exceptions.
 *
 * The loader enters without MMU, .bss zeroed. Interrupts stay off, and all but user_call() runs in
 * supervisor mode. An abort that fault.c waits for is recorded there; then the load or store is
 * skipped, or the call that could not be fetched returns. All other exceptions end in
 * port_exception(vector, status, instruction).
 */
#include "layout.h"

#define MODE_USER 0x10
#define MODE_SUPERVISOR 0x13
#define MODE_ABORT 0x17
#define MODE_UNDEFINED 0x1b
#define MODE_SYSTEM 0x1f

	.syntax unified
	.arm
	.section .text.start, "ax"
	.globl start
start:
	cpsid	aif, #MODE_ABORT
	ldr	sp, =start_abort_stack_end
	cps	#MODE_UNDEFINED
	ldr	sp, =start_abort_stack_end
	cps	#MODE_SUPERVISOR
	ldr	sp, =start_stack_end
	ldr	r0, =start_vectors
	mcr	p15, 0, r0, c12, c0, 0	/* VBAR */
	mov	r0, #0
	mcr	p15, 0, r0, c13, c0, 1	/* CONTEXTIDR: address space 0 */
	isb
	bl	port_start
	ldr	r0, =PORT_RAM
	mov	r1, #0
	bl	port_main
1:	wfi
	b	1b

	.balign 32
start_vectors:
	b	start_other_0
	b	start_other_1
	b	start_supervisor_call
	b	start_prefetch_abort
	b	start_data_abort
	b	start_other_5
	b	start_other_6
	b	start_other_7

	.macro other vector
start_other_\vector:
	mov	r0, #\vector
	b	start_other
	.endm
	other 0
	other 1
	other 5
	other 6
	other 7
start_other:
	mov	r1, #0
	sub	r2, lr, #4
	ldr	sp, =start_abort_stack_end
	bl	port_exception

start_data_abort:
	sub	lr, lr, #8
	push	{r0-r3, r12, lr}
	mrc	p15, 0, r0, c5, c0, 0	/* DFSR */
	mrc	p15, 0, r1, c6, c0, 0	/* DFAR */
	mov	r2, lr
	bl	fault_data
	pop	{r0-r3, r12, lr}
	add	lr, lr, #4		/* behind the instruction, in the mode that it ran in */
	movs	pc, lr

start_prefetch_abort:
	sub	lr, lr, #4
	push	{r0-r3, r12, lr}
	mrc	p15, 0, r0, c5, c0, 1	/* IFSR */
	mrc	p15, 0, r1, c6, c0, 2	/* IFAR */
	mov	r2, lr
	bl	fault_fetch
	pop	{r0-r3, r12, lr}
	cps	#MODE_SUPERVISOR
	bx	lr			/* of the call that was not fetched */

/* Only user_call() makes supervisor calls: here its lr is the way back too. */
start_supervisor_call:
	b	user_back

/* uint32_t user_call(uint32_t addr): call a function in user mode, on no stack. */
	.globl user_call
user_call:
	push	{r4, lr}
	adr	r1, user_return
	cps	#MODE_SYSTEM
	mov	lr, r1
	cps	#MODE_SUPERVISOR
	adr	lr, user_back		/* where a prefetch abort goes on */
	cps	#MODE_USER
	bx	r0
user_return:
	svc	#0
user_back:
	pop	{r4, pc}

/* _Noreturn void semihosting_exit(const uint32_t *block): SYS_EXIT_EXTENDED. */
	.globl semihosting_exit
semihosting_exit:
	mov	r1, r0
	mov	r0, #0x20
	.inst	0xe10f0070		/* hlt #0xf000 */
2:	wfi
	b	2b

	.ltorg

	.bss
	.balign 8
start_abort_stack:
	.skip 4096
start_abort_stack_end:
start_stack:
	.skip 256 * 1024
start_stack_end:

	.section .note.GNU-stack, "", %progbits
