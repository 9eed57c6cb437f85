/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg.c - see svg.h. The widths are those of a wide common font (DejaVu): where another is used
 * the text is narrower, never wider.
 */
#include "svg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../options.h"
#include "../vec.h"

#define SVG_SANS 0.62
#define SVG_MONO 0.605

void svg_escape(struct out *o, const char *s)
{
	size_t n = strlen(s);

	while (n) {
		uint32_t c = 0;
		unsigned int len = utf8_decode(s, n, &c);

		if (!len || c == 0xfffe || c == 0xffff) {
			out_str(o, "\xef\xbf\xbd");
			len = len ? len : 1;
		} else if (c == '&') {
			out_str(o, "&amp;");
		} else if (c == '<') {
			out_str(o, "&lt;");
		} else if (c == '>') {
			out_str(o, "&gt;");
		} else if (c == '"') {
			out_str(o, "&quot;");
		} else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
			out_str(o, "\xef\xbf\xbd");
		} else {
			out_mem(o, s, len);
		}
		s += len;
		n -= len;
	}
}

double svg_text_width(const char *s, double size, bool mono)
{
	return (double)text_columns(s) * size * (mono ? SVG_MONO : SVG_SANS);
}

static void svg_text_full(struct out *o, double x, double y, double size, enum svg_anchor anchor,
			  const char *cls, const char *s, const char *tip)
{
	static const char *const anchors[] = { "start", "middle", "end" };

	out_printf(o,
		   "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" text-anchor=\"%s\" class=\"%s\">",
		   x, y, size, anchors[anchor], cls);
	if (tip) {
		out_str(o, "<title>");
		svg_escape(o, tip);
		out_str(o, "</title>");
	}
	svg_escape(o, s);
	out_str(o, "</text>\n");
}

void svg_text(struct out *o, double x, double y, double size, enum svg_anchor anchor,
	      const char *cls, const char *s)
{
	svg_text_full(o, x, y, size, anchor, cls, s, NULL);
}

void svg_text_fit(struct out *o, double x, double y, double size, enum svg_anchor anchor,
		  const char *cls, double room, const char *s)
{
	bool mono = strstr(cls, "mono") != NULL;
	double wide = room / svg_text_width("x", size, mono);
	unsigned int most = wide > 0 ? (unsigned int)wide : 0, columns = 0;
	size_t n;
	char *text;

	if (text_columns(s) <= most) {
		svg_text(o, x, y, size, anchor, cls, s);
		return;
	}
	if (most < 4)
		return;
	for (n = 0; s[n] && columns + 1 < most; n++)
		columns += ((unsigned char)s[n + 1] & 0xc0u) != 0x80u;
	text = xasprintf("%.*s\xe2\x80\xa6", (int)n, s);
	svg_text_full(o, x, y, size, anchor, cls, text, s);
	free(text);
}

void svg_box(struct out *o, double x, double y, double w, double h, double round, const char *cls,
	     const char *tip)
{
	out_printf(o, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"", x,
		   y, w, h, cls);
	if (round > 0)
		out_printf(o, " rx=\"%g\"", round);
	if (!tip) {
		out_str(o, "/>\n");
		return;
	}
	out_str(o, "><title>");
	svg_escape(o, tip);
	out_str(o, "</title></rect>\n");
}

int svg_save(const struct out *picture, const char *file, char **err)
{
	FILE *f = fopen(file, "wb");
	int failed = 0;

	if (!f) {
		failed = errno;
	} else {
		if (fwrite(picture->v, 1, picture->n, f) != picture->n)
			failed = errno;
		if (fclose(f) && !failed)
			failed = errno;
	}
	if (!failed)
		return 0;
	*err = xasprintf("%s: cannot write: %s", file, strerror(failed));
	return EXIT_UNDECIDED;
}
