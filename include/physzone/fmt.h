/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fmt.h - text from numbers, without a libc.
 *
 * A conversion is % [-0#] [width] [.precision] [l, ll, z, h, hh] and one of
 *   s  a string, "(null)" for NULL; the precision is the most bytes it takes
 *   c  a character
 *   d  i  a signed number in decimal
 *   u  an unsigned number in decimal
 *   x  X  an unsigned number in hexadecimal; # puts 0x or 0X before it, also before 0
 *   p  a pointer, as %#lx
 *   %  a percent sign
 * Width and precision are numbers or *. A - pads on the right, a 0 pads numbers with zeros. The
 * macros of <inttypes.h> (PRIu64, PRIx64) fit. Any other conversion is written as it stands, and so
 * is the rest of the format, for the type of its argument is not known.
 */
#ifndef PHYSZONE_FMT_H
#define PHYSZONE_FMT_H

#include <physzone/types.h>

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pz_vsnprintf - write formatted text into a buffer
 * @buf: the buffer; may be NULL when @size is 0
 * @size: bytes of @buf; text that does not fit is cut, and a 0 byte ends it unless @size is 0
 * @fmt: the format
 * @ap: the arguments; indeterminate afterwards
 *
 * Context: any.
 * Return: length of the whole text without the 0 byte; the text was cut when it is @size or more.
 */
size_t pz_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/**
 * pz_snprintf - write formatted text into a buffer
 * @buf: the buffer; may be NULL when @size is 0
 * @size: bytes of @buf
 * @fmt: the format
 *
 * Context: any.
 * Return: as pz_vsnprintf().
 */
size_t pz_snprintf(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif

#endif
