/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.c - words of devices that text, JSON and picture share.
 */
#include "devices.h"

const char *dev_iommu_name(enum dev_iommu i)
{
	switch (i) {
	case DEV_IOMMU_NONE:
		break;
	case DEV_IOMMU_TRANSLATES:
		return "translates";
	case DEV_IOMMU_IDENTITY:
		return "identity";
	case DEV_IOMMU_UNKNOWN:
		return "unknown";
	}
	return "none";
}

const char *dev_region_name(enum dev_region_kind k)
{
	switch (k) {
	case DEV_REGION_OTHER:
		break;
	case DEV_REGION_COHERENT:
		return "coherent";
	case DEV_REGION_CMA:
		return "cma";
	case DEV_REGION_RESTRICTED:
		return "restricted";
	}
	return "other";
}
