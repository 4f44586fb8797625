/* SPDX-License-Identifier: MIT */
#ifndef CEL__PAGE_H
#define CEL__PAGE_H

#include "celadon/crawl.h"

/* The page as a document; the answer's Content-Type names the encoding unless `options` does.
 * -ENOMEM. */
CEL_NODISCARD int cel__page_parse(const struct cel_response *page,
                                  const struct cel_html_options *options, struct cel_html **out);

#endif
