/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdc.c - the floppy controller (82077) and channel 2 of the ISA DMA controller (8237), see hw.h.
 *
 * The DMA controller has a 16-bit address counter and an 8-bit page register: it reaches 16 MiB,
 * and on real hardware a transfer that passes a multiple of 64 KiB goes on at the start of those 64
 * KiB.
 *
 * Shortcomings: drive 0, 1.44 MB, no retries, no wait for the motor: a real drive needs half a
 * second.
 */
#include "../ports/x86_64/io.h"

#include "hw.h"

#define FDC_DOR 0x3f2	/* digital output: reset, motors, selection */
#define FDC_DOR_ON 0x0c /* not reset; interrupts and DMA */
#define FDC_DOR_MOTOR 0x10
#define FDC_STATUS 0x3f4
#define FDC_STATUS_READY 0x80
#define FDC_STATUS_TO_CPU 0x40
#define FDC_STATUS_BUSY 0x10
#define FDC_FIFO 0x3f5
#define FDC_RATE 0x3f7
#define FDC_RATE_500K 0

#define FDC_SPECIFY 0x03
#define FDC_RECALIBRATE 0x07
#define FDC_SENSE_INTERRUPT 0x08
#define FDC_SEEK 0x0f
#define FDC_READ 0xe6 /* both heads, MFM, deleted sectors skipped */
#define FDC_DRIVES 4
#define FDC_SECTORS 18
#define FDC_SIZE_512 2
#define FDC_GAP 0x1b
#define FDC_ST0_ERROR 0xc0
#define FDC_ST0_SEEK_END 0x20
#define FDC_MS 3000

#define FDC_DMA_ADDRESS 0x04
#define FDC_DMA_COUNT 0x05
#define FDC_DMA_MASK 0x0a
#define FDC_DMA_MASK_SET 0x06
#define FDC_DMA_MASK_CLEAR 0x02
#define FDC_DMA_MODE 0x0b
#define FDC_DMA_MODE_TO_MEMORY 0x46 /* single transfers, ascending */
#define FDC_DMA_FLIP_FLOP 0x0c
#define FDC_DMA_PAGE 0x81

static bool fdc_wait(uint8_t mask, uint8_t value)
{
	struct hw_wait w;

	hw_wait_start(&w, FDC_MS);
	while ((io_in8(FDC_STATUS) & mask) != value)
		if (!hw_wait_more(&w))
			return false;
	return true;
}

static bool fdc_command(const uint8_t *v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!fdc_wait(FDC_STATUS_READY | FDC_STATUS_TO_CPU, FDC_STATUS_READY))
			return false;
		io_out8(FDC_FIFO, v[i]);
	}
	return true;
}

static bool fdc_result(uint8_t *v, unsigned int n)
{
	const uint8_t want = FDC_STATUS_READY | FDC_STATUS_TO_CPU | FDC_STATUS_BUSY;

	for (unsigned int i = 0; i < n; i++) {
		if (!fdc_wait(want, want))
			return false;
		v[i] = io_in8(FDC_FIFO);
	}
	return fdc_wait(FDC_STATUS_READY | FDC_STATUS_BUSY, FDC_STATUS_READY);
}

/* What the last interrupt was for: ST0 and the cylinder. */
static bool fdc_sense(uint8_t result[2])
{
	static const uint8_t sense = FDC_SENSE_INTERRUPT;

	return fdc_command(&sense, 1) && fdc_result(result, 2);
}

/* A command that moves the heads; it is done when they stand on the cylinder. */
static bool fdc_move(const uint8_t *command, unsigned int n, unsigned int cylinder)
{
	uint8_t result[2];
	struct hw_wait w;

	if (!fdc_command(command, n))
		return false;
	hw_wait_start(&w, FDC_MS);
	do {
		/* Without an interrupt the answer is one byte, 0x80: ask while no head moves. */
		if (!fdc_wait(0x0f, 0) && !hw_wait_more(&w))
			return false;
		if (!fdc_sense(result))
			return false;
	} while (!(result[0] & FDC_ST0_SEEK_END) && hw_wait_more(&w));
	return (result[0] & (FDC_ST0_ERROR | FDC_ST0_SEEK_END)) == FDC_ST0_SEEK_END &&
	       result[1] == cylinder;
}

bool fdc_open(void)
{
	/* Steps of 8 ms, heads unload after 240 ms and load in 16 ms; DMA. */
	static const uint8_t specify[] = { FDC_SPECIFY, 0x8f, 0x10 };
	static const uint8_t recalibrate[] = { FDC_RECALIBRATE, 0 };
	uint8_t result[2];

	io_out8(FDC_DOR, 0);
	io_out8(FDC_RATE, FDC_RATE_500K);
	io_out8(FDC_DOR, FDC_DOR_ON | FDC_DOR_MOTOR);
	for (unsigned int drive = 0; drive < FDC_DRIVES; drive++)
		if (!fdc_sense(result))
			return false;
	return fdc_command(specify, sizeof(specify)) &&
	       fdc_move(recalibrate, sizeof(recalibrate), 0);
}

static void fdc_dma_start(uint64_t bus, uint32_t bytes)
{
	io_out8(FDC_DMA_MASK, FDC_DMA_MASK_SET);
	io_out8(FDC_DMA_MODE, FDC_DMA_MODE_TO_MEMORY);
	io_out8(FDC_DMA_FLIP_FLOP, 0);
	io_out8(FDC_DMA_ADDRESS, (uint8_t)bus);
	io_out8(FDC_DMA_ADDRESS, (uint8_t)(bus >> 8));
	io_out8(FDC_DMA_PAGE, (uint8_t)(bus >> 16));
	io_out8(FDC_DMA_COUNT, (uint8_t)(bytes - 1));
	io_out8(FDC_DMA_COUNT, (uint8_t)((bytes - 1) >> 8));
	io_out8(FDC_DMA_MASK, FDC_DMA_MASK_CLEAR);
}

uint64_t fdc_last_byte(void)
{
	uint8_t low;
	uint16_t next;

	io_out8(FDC_DMA_FLIP_FLOP, 0);
	low = io_in8(FDC_DMA_ADDRESS);
	next = (uint16_t)(io_in8(FDC_DMA_ADDRESS) << 8 | low);
	return (uint64_t)io_in8(FDC_DMA_PAGE) << 16 | (uint16_t)(next - 1);
}

bool fdc_read(unsigned int cylinder, uint64_t bus, uint32_t bytes)
{
	const uint8_t seek[] = { FDC_SEEK, 0, (uint8_t)cylinder };
	const uint8_t read[] = { FDC_READ,     0,	    (uint8_t)cylinder, 0,   1,
				 FDC_SIZE_512, FDC_SECTORS, FDC_GAP,	       0xff };
	uint8_t result[7];

	if (!fdc_move(seek, sizeof(seek), cylinder))
		return false;
	fdc_dma_start(bus, bytes);
	return fdc_command(read, sizeof(read)) && fdc_result(result, sizeof(result)) &&
	       !(result[0] & FDC_ST0_ERROR);
}
