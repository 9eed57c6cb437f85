/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suites.h - the suites of the contract, one line each: SUITE(name) runs contract_name().
 */
SUITE(tap)
SUITE(range)
SUITE(limits)
SUITE(reach)
SUITE(fmt)
SUITE(log)
SUITE(bug)
SUITE(fault)
SUITE(map)
SUITE(memblock)
SUITE(linux_arch)
SUITE(linux_cmdline)
SUITE(linux_x86)
SUITE(linux_crash)
SUITE(linux_edges)
SUITE(linux_boot)
SUITE(linux_gfp)
SUITE(linux_meminfo)
SUITE(zone)
SUITE(mm)
