/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_map.h - streaming mappings: memory that is there already, handed to a device for a while.
 *
 * What a device reaches it is given as it is; that costs a comparison and is not recorded. Anything
 * else goes through a bounce buffer: out of its reach, not aligned or placed as it wants, private
 * memory for a device that sees shared memory only, and all memory of a restricted device.
 *
 * Data moves as follows. A mapping belongs to the device until it is unmapped or synced for the
 * CPU, and again once it is synced for the device.
 *   map              original to buffer, for each direction: a device that writes only a part
 *                    leaves the rest as it was, and nobody's old data is seen
 *   sync for device  original to buffer, unless PZ_DMA_FROM_DEVICE
 *   sync for CPU     buffer to original, unless PZ_DMA_TO_DEVICE
 *   unmap            as a sync for the CPU of the whole, unless PZ_DMA_SKIP_CPU_SYNC
 * Caches of devices that are not coherent are cared for by hooks, behind the first two and before
 * the others.
 * Source followed: docs/facts/dma.md, sections 1 and 4; docs/design/dma_map.md has the argument.
 */
#ifndef PHYSZONE_DMA_MAP_H
#define PHYSZONE_DMA_MAP_H

#include <physzone/dma.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pz_dma_map - hand memory to a device
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @phys: the memory's physical address
 * @size: bytes, at least 1
 * @dir: who will write
 * @attrs: PZ_DMA_*
 *
 * Context: any.
 * Return: the bus address, or PZ_DMA_ERROR: pz_dma_map_try() says why.
 */
uint64_t pz_dma_map(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		    enum pz_dma_dir dir, uint32_t attrs);

/**
 * pz_dma_map_try - hand memory to a device, or say why not
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @phys: the memory's physical address
 * @size: bytes, at least 1
 * @dir: who will write
 * @attrs: PZ_DMA_*
 * @bus: the bus address, written on success only
 *
 * Context: any.
 * Return: 0; -PZ_EINVAL for a size of 0, memory that wraps, an unknown direction or attribute;
 * -PZ_ERANGE when the device does not reach the memory and no bounce buffer could ever do, or the
 * memory cannot be copied; -PZ_ENOMEM when bounce buffers are full now.
 */
int pz_dma_map_try(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		   enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus);

/**
 * pz_dma_mapping_error - whether a mapping has failed
 * @dev: the device
 * @bus: what pz_dma_map() or pz_dma_map_resource() returned
 *
 * Context: any.
 * Return: true when it has.
 */
bool pz_dma_mapping_error(const struct pz_dma_dev *dev, uint64_t bus);

/**
 * pz_dma_unmap - take memory back
 * @dev: the device that it was mapped for
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @bus: its bus address
 * @size: its size
 * @dir: its direction
 * @attrs: PZ_DMA_SKIP_CPU_SYNC when what the device wrote is not wanted
 *
 * Misuse of a bounced mapping is told to pz_bug() and changes nothing: what is not mapped (any
 * more), another device's, another size or direction. Misuse of others is found by dma_debug.h.
 *
 * Context: any.
 */
void pz_dma_unmap(struct pz_dma_dev *dev, uint32_t cpu, uint64_t bus, uint64_t size,
		  enum pz_dma_dir dir, uint32_t attrs);

/**
 * pz_dma_sync_for_cpu - let the CPU see what a device wrote
 * @dev: the device
 * @bus: a bus address inside a mapping
 * @size: bytes from there on
 * @dir: the mapping's direction, or one of the two when that is PZ_DMA_BIDIRECTIONAL
 *
 * What of @size lies beyond a bounced mapping is told to pz_bug() and left alone; so is all of it
 * when nothing is mapped there, or in another direction.
 *
 * Context: any.
 */
void pz_dma_sync_for_cpu(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir);

/**
 * pz_dma_sync_for_device - let a device see what the CPU wrote
 * @dev: the device
 * @bus: a bus address inside a mapping
 * @size: bytes from there on
 * @dir: as for pz_dma_sync_for_cpu(), which also says what is misuse
 *
 * Context: any.
 */
void pz_dma_sync_for_device(struct pz_dma_dev *dev, uint64_t bus, uint64_t size,
			    enum pz_dma_dir dir);

/**
 * pz_dma_map_sg - hand scattered memory to a device
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @sg: the elements: phys and len are read; bus and bus_len of the first @mapped are written
 * @n: how many elements
 * @dir: who will write
 * @attrs: PZ_DMA_*
 * @mapped: elements that the device is told, at most @n; written on success only
 *
 * Elements that follow each other on the bus become one, as far as the device's longest segment and
 * its boundary allow. What is behind @mapped has a bus_len of 0.
 *
 * Context: any.
 * Return: as pz_dma_map_try(), -PZ_EINVAL for an element longer than the device's longest segment,
 * and -PZ_ENOSPC when the device is not told so many. On error nothing is mapped; @sg's bus
 * addresses mean nothing, and what it describes has not been written.
 */
int pz_dma_map_sg(struct pz_dma_dev *dev, uint32_t cpu, struct pz_sg *sg, uint32_t n,
		  enum pz_dma_dir dir, uint32_t attrs, uint32_t *mapped);

/**
 * pz_dma_unmap_sg - take scattered memory back
 * @dev: the device that it was mapped for
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @sg: the elements as they were mapped
 * @n: how many were given to pz_dma_map_sg(), not how many came out
 * @dir: their direction
 * @attrs: as for pz_dma_unmap()
 *
 * Context: any.
 */
void pz_dma_unmap_sg(struct pz_dma_dev *dev, uint32_t cpu, struct pz_sg *sg, uint32_t n,
		     enum pz_dma_dir dir, uint32_t attrs);

/**
 * pz_dma_sync_sg_for_cpu - pz_dma_sync_for_cpu() of each element
 * @dev: the device
 * @sg: the elements as they were mapped
 * @n: how many were given to pz_dma_map_sg()
 * @dir: their direction
 *
 * Context: any.
 */
void pz_dma_sync_sg_for_cpu(struct pz_dma_dev *dev, const struct pz_sg *sg, uint32_t n,
			    enum pz_dma_dir dir);

/**
 * pz_dma_sync_sg_for_device - pz_dma_sync_for_device() of each element
 * @dev: the device
 * @sg: the elements as they were mapped
 * @n: how many were given to pz_dma_map_sg()
 * @dir: their direction
 *
 * Context: any.
 */
void pz_dma_sync_sg_for_device(struct pz_dma_dev *dev, const struct pz_sg *sg, uint32_t n,
			       enum pz_dma_dir dir);

/**
 * pz_dma_map_resource - hand another device's registers to a device
 * @dev: the device
 * @phys: their physical address; no memory
 * @size: bytes, at least 1
 * @dir: who will write
 * @attrs: PZ_DMA_*
 *
 * Windows are for memory and do not apply: the bus address is the physical one. No cache work, and
 * nothing to bounce.
 *
 * Context: any.
 * Return: the bus address, or PZ_DMA_ERROR when the device does not drive such addresses.
 */
uint64_t pz_dma_map_resource(struct pz_dma_dev *dev, uint64_t phys, uint64_t size,
			     enum pz_dma_dir dir, uint32_t attrs);

/**
 * pz_dma_unmap_resource - take registers back
 * @dev: the device that they were mapped for
 * @bus: their bus address
 * @size: their size
 * @dir: their direction
 * @attrs: PZ_DMA_*
 *
 * Context: any.
 */
void pz_dma_unmap_resource(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
			   uint32_t attrs);

/**
 * pz_dma_max_mapping - the largest mapping that is not refused for its size
 * @dev: the device
 *
 * Unlimited for a device that reaches all memory as it is. Else what the largest pool of bounce
 * buffers in its reach holds while it is empty, wherever the memory begins. A larger one is served
 * where page frames in reach lie in a row, but nobody promises.
 *
 * Context: any. Cost: O(pools).
 * Return: bytes, 0 when only memory in its reach can be mapped, UINT64_MAX for any.
 */
uint64_t pz_dma_max_mapping(const struct pz_dma_dev *dev);

/**
 * pz_dma_needs_sync - whether syncs of a mapping do anything
 * @dev: the device
 * @bus: a bus address inside the mapping
 *
 * Context: any.
 * Return: true when the device is not coherent, or the mapping is bounced.
 */
bool pz_dma_needs_sync(const struct pz_dma_dev *dev, uint64_t bus);

#ifdef __cplusplus
}
#endif

#endif
