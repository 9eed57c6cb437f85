/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start.S - from the PVH entry point to C.
 *
 * The loader enters in 32-bit protected mode without paging, the physical address of its start info
 * in EBX (Xen's PVH boot protocol). The first PORT_MAPPED_GIB GiB are mapped twice with 2 MiB
 * pages, one to one and at PORT_DIRECT, and port_main() is called in 64-bit mode with that address. Interrupts stay off; each of the
 * processor's 32 exceptions ends in port_exception(vector, error, instruction).
 */
#include "layout.h"

	.section .note.Xen, "a", @note
	.balign 4
	.long 4			/* length of the name */
	.long 8			/* length of the entry point */
	.long 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad start32

	.section .text.start, "ax"
	.code32
	.globl start32
start32:
	cli
	cld
	movl $start_stack_end, %esp

	/* Page tables: two top entries, a middle one for each GiB, 512 pages of 2 MiB in each. */
	movl $start_pdpt, %eax
	orl $3, %eax
	movl %eax, start_pml4
	movl %eax, start_pml4 + PORT_DIRECT_ENTRY * 8
	movl $start_pd, %eax
	orl $3, %eax
	xorl %ecx, %ecx
1:	movl %eax, start_pdpt(, %ecx, 8)
	addl $4096, %eax
	incl %ecx
	cmpl $PORT_MAPPED_GIB, %ecx
	jne 1b
	movl $0x83, %eax
	xorl %edx, %edx
	xorl %ecx, %ecx
2:	movl %eax, start_pd(, %ecx, 8)
	movl %edx, start_pd + 4(, %ecx, 8)
	addl $0x200000, %eax
	adcl $0, %edx
	incl %ecx
	cmpl $(PORT_MAPPED_GIB * 512), %ecx
	jne 2b

	movl %cr4, %eax
	orl $0x20, %eax		/* PAE */
	movl %eax, %cr4
	movl $start_pml4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx	/* EFER: long mode */
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80000001, %eax	/* paging, protection */
	movl %eax, %cr0
	lgdt start_gdt_pointer
	ljmp $8, $start64

	.code64
start64:
	movw $16, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	xorl %eax, %eax
	movw %ax, %fs
	movw %ax, %gs
	movq $start_stack_end, %rsp
	xorl %ebp, %ebp
	call start_idt_load
	movl %ebx, %edi
	call port_main
3:	hlt
	jmp 3b

/* Fill in the gates: every stub is 16 bytes long. */
start_idt_load:
	movq $start_stubs, %rax
	movq $start_idt, %rdx
	movl $32, %ecx
4:	movw %ax, (%rdx)
	movw $8, 2(%rdx)
	movw $0x8e00, 4(%rdx)
	movq %rax, %rsi
	shrq $16, %rsi
	movw %si, 6(%rdx)
	movl $0, 8(%rdx)	/* all code lies below 4 GiB */
	movl $0, 12(%rdx)
	addq $16, %rax
	addq $16, %rdx
	decl %ecx
	jnz 4b
	lidt start_idt_pointer
	ret

	.balign 16
start_stubs:
	.set vector, 0
	.rept 32
	.balign 16
	/* Vectors 8, 10 to 14, 17, 21, 29 and 30 push an error code of their own. */
	.if !((0x60227d00 >> vector) & 1)
	pushq $0
	.endif
	pushq $vector
	jmp start_exception
	.set vector, vector + 1
	.endr
	.balign 16

start_exception:
	popq %rdi
	popq %rsi
	movq (%rsp), %rdx
	andq $-16, %rsp
	call port_exception
5:	hlt
	jmp 5b

	.section .rodata
	.balign 8
start_gdt:
	.quad 0
	.quad 0x00209a0000000000	/* 64-bit code */
	.quad 0x0000920000000000	/* data */
start_gdt_pointer:
	.word start_gdt_pointer - start_gdt - 1
	.long start_gdt
start_idt_pointer:
	.word 32 * 16 - 1
	.quad start_idt

	.bss
	.balign 4096
start_pml4:
	.skip 4096
start_pdpt:
	.skip 4096
start_pd:
	.skip PORT_MAPPED_GIB * 4096
start_idt:
	.skip 32 * 16
	.balign 16
start_stack:
	.skip 256 * 1024
start_stack_end:

	.section .note.GNU-stack, "", @progbits
