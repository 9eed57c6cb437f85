/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.c - accesses that may fault, see mmu.h, and what becomes of all other faults.
 *
 * An access is armed, made by one instruction, and what the abort handlers of start.S found is
 * taken out. An abort while none is armed ends the run.
 */
#include "../port.h"

#include "mmu.h"
#include "start.h"

static struct {
	volatile bool armed;
	struct mmu_access found;
} fault_state;

static bool fault_record(struct mmu_access found)
{
	if (!fault_state.armed)
		return false;
	fault_state.armed = false;
	fault_state.found = found;
	return true;
}

/* Bits 10 and 3:0 of a fault status register. */
static uint32_t fault_status(uint32_t fsr)
{
	return fsr & 0x40f;
}

void fault_data(uint32_t dfsr, uint32_t dfar, uint32_t instruction)
{
	struct mmu_access found = { .fault = true, .status = fault_status(dfsr), .addr = dfar };

	found.write = dfsr >> 11 & 1;
	if (!fault_record(found))
		port_exception(4, dfsr, instruction);
}

void fault_fetch(uint32_t ifsr, uint32_t ifar, uint32_t instruction)
{
	struct mmu_access found = { .fault = true, .status = fault_status(ifsr), .addr = ifar };

	found.fetch = true;
	if (!fault_record(found))
		port_exception(3, ifsr, instruction);
}

void port_exception(uint32_t vector, uint32_t status, uint32_t instruction)
{
	port_print("\nBail out! exception ");
	port_print_dec(vector);
	port_print(", status ");
	port_print_hex(status);
	port_print(", at ");
	port_print_hex(instruction);
	port_print("\n");
	port_exit(false);
}

static void fault_arm(void)
{
	fault_state.found = (struct mmu_access){ 0 };
	fault_state.armed = true;
	__asm__ volatile("dsb" : : : "memory");
}

static struct mmu_access fault_take(uint32_t value)
{
	struct mmu_access found;

	__asm__ volatile("dsb" : : : "memory");
	fault_state.armed = false;
	found = fault_state.found;
	if (!found.fault)
		found.value = value;
	return found;
}

struct mmu_access mmu_load(uint32_t addr)
{
	uint32_t v = 0;

	fault_arm();
	__asm__ volatile("ldr %0, [%1]" : "+&r"(v) : "r"(addr) : "memory");
	return fault_take(v);
}

struct mmu_access mmu_store(uint32_t addr, uint32_t value)
{
	fault_arm();
	__asm__ volatile("str %0, [%1]" : : "r"(value), "r"(addr) : "memory");
	return fault_take(value);
}

struct mmu_access mmu_load_user(uint32_t addr)
{
	uint32_t v = 0;

	fault_arm();
	__asm__ volatile("ldrt %0, [%1], #0" : "+&r"(v), "+&r"(addr) : : "memory");
	return fault_take(v);
}

struct mmu_access mmu_store_user(uint32_t addr, uint32_t value)
{
	fault_arm();
	__asm__ volatile("strt %1, [%0], #0" : "+&r"(addr) : "r"(value) : "memory");
	return fault_take(value);
}

struct mmu_access mmu_call(uint32_t addr)
{
	register uint32_t r0 __asm__("r0") = addr;

	fault_arm();
	__asm__ volatile("blx %0" : "+r"(r0) : : "r1", "r2", "r3", "r12", "lr", "cc", "memory");
	return fault_take(r0);
}

struct mmu_access mmu_call_user(uint32_t addr)
{
	uint32_t v;

	fault_arm();
	v = user_call(addr);
	return fault_take(v);
}
