/* SPDX-License-Identifier: MIT */
#ifndef CEL__HTML_H
#define CEL__HTML_H

#include "celadon/html.h"
#include "html/encoding.h"
#include "html/charset.h"
#include "html/tree.h"

/* A page's bytes on their way to a parser. */
struct cel__page_bytes {
    struct cel_str bytes;
    struct cel__charset charset;
    enum cel__cut cut; /* CEL__CUT_SIZE: there were more */
    struct cel__buf room;
};

/* Which encoding, without its mark, not more than the limit. */
void cel__page_bytes_init(struct cel__page_bytes *p, const void *bytes, size_t len,
                          const struct cel_html_options *options);
/* As UTF-8: the bytes themselves when they are. -ENOMEM; fini is due in any case. */
CEL_NODISCARD int cel__page_bytes_decode(struct cel__page_bytes *p);
void cel__page_bytes_fini(struct cel__page_bytes *p);
/* The public word for it, or NULL. */
const char *cel__cut_name(enum cel__cut cut);
/* For so many bytes of UTF-8. */
struct cel__tree_limits cel__html_limits(const struct cel_html_options *options, size_t len);

struct cel__parser;

/* All of it, with the pauses that the options ask for. As cel__parser_feed. */
CEL_NODISCARD int cel__html_feed(struct cel__parser *parser, struct cel_str html,
                                 const struct cel_html_options *options);

struct cel_html {
    struct cel__tree tree;
    enum cel__cut cut;
    enum cel__encoding charset;
};

#endif
