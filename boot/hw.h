/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw.h - the devices of a PC that move data by themselves, polled.
 *
 * Each driver does what the tests in devices.c need and no more. None allocates: whoever calls
 * brings memory and passes the addresses that the device shall put on the bus, right or wrong.
 * Every wait has an end. A function returns true when the device did what it was told.
 */
#ifndef BOOT_HW_H
#define BOOT_HW_H

#include <physzone/types.h>

/*
 * clock.c: time limits, by channel 0 of the interval timer. A limit may come late, when nobody asks
 * for more than 50 ms, but never early.
 */
struct hw_wait {
	uint32_t left; /* ticks */
	uint16_t last; /* what the timer showed */
};

void hw_wait_start(struct hw_wait *w, uint32_t ms);
/* Whether there is time left. */
bool hw_wait_more(struct hw_wait *w);
/* Wait until a register in memory, masked, has a value. */
bool hw_wait_reg(uint64_t reg, uint32_t mask, uint32_t value, uint32_t ms);

/* pci.c: configuration space of bus 0. A function is named by its address, 0 for none. */
uint32_t pci_function(unsigned int slot, unsigned int function, uint32_t vendor_device);
/* The first function of a class (base, sub and interface). */
uint32_t pci_function_of_class(uint32_t class);
/* Where the firmware put a memory BAR, 0 when it did not. */
uint64_t pci_bar(uint32_t at, unsigned int index);
/* Let a function answer in memory, and be master of the bus. */
void pci_enable(uint32_t at);

/* edu.c: QEMU's edu device, whose DMA engine has 4096 bytes of memory and masks addresses. */
#define EDU_BYTES 4096u
/* One transfer: this version of QEMU ends when a transfer ends with the last byte of the memory. */
#define EDU_MOST (EDU_BYTES / 2)

struct edu {
	uint64_t regs; /* 0: there is none */
};

bool edu_open(struct edu *e, unsigned int slot);
/* Begin to move bytes between the bus and the start of the device's memory. */
void edu_start_read(const struct edu *e, uint64_t bus, uint32_t bytes);
void edu_start_write(const struct edu *e, uint64_t bus, uint32_t bytes);
/* Wait until it is done. */
bool edu_wait(const struct edu *e);

/* fdc.c: the floppy controller, with drive 0 on channel 2 of the ISA DMA controller. */
#define FDC_SECTOR 512u
#define FDC_TRACK (18 * FDC_SECTOR)
#define FDC_CYLINDER (2 * FDC_TRACK)

bool fdc_open(void);
/*
 * Read from the start of a cylinder, at most all of it. The DMA controller takes the lowest 24 bits
 * of the address.
 */
bool fdc_read(unsigned int cylinder, uint64_t bus, uint32_t bytes);
/* Where the DMA controller put the last byte, by its own registers. */
uint64_t fdc_last_byte(void);

/* ahci.c: one disk on an AHCI controller. */
#define AHCI_SECTOR 512u
#define AHCI_SEGMENTS 16u
/* Memory for commands: one page, all of which the controller writes or reads. */
#define AHCI_MEMORY 4096u

struct ahci_segment {
	uint64_t bus;
	uint32_t bytes; /* even */
};

struct ahci {
	uint64_t port; /* registers of the disk's port */
	uint64_t regs; /* registers of the controller; 0: there is none */
	void *memory;
	uint64_t memory_bus;
};

/* Find the controller. Whether it knows 64-bit addresses. */
bool ahci_find(struct ahci *a, bool *wide);
/* Start the disk, with the command memory at an address. */
bool ahci_open(struct ahci *a, void *memory, uint64_t memory_bus);
/* Stop it: the command memory is free again. */
void ahci_close(struct ahci *a);
/* Begin to read sectors from the start of the disk on, as many as the segments take. */
void ahci_start_read(const struct ahci *a, uint64_t sector, const struct ahci_segment *v,
		     uint32_t count);
/* Wait until it is done. */
bool ahci_wait(const struct ahci *a);

#endif
