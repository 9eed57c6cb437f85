/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start.h - between the exception vectors of start.S and C.
 */
#ifndef PORTS_ARM_START_H
#define PORTS_ARM_START_H

#include <stdint.h>

/* What start.S calls on aborts, with the fault status and address registers. */
void fault_data(uint32_t dfsr, uint32_t dfar, uint32_t instruction);
void fault_fetch(uint32_t ifsr, uint32_t ifar, uint32_t instruction);

/* And on all other exceptions. */
_Noreturn void port_exception(uint32_t vector, uint32_t status, uint32_t instruction);

/* And before port_main(). */
void port_start(void);

/* What start.S has for C. */
uint32_t user_call(uint32_t addr);
_Noreturn void semihosting_exit(const uint32_t *block);

#endif
