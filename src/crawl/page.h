/* SPDX-License-Identifier: MIT */
#ifndef CEL__PAGE_H
#define CEL__PAGE_H

#include "celadon/crawl.h"

/* (parks now and then in a long page) Its fields, as cel_fields_scan; the answer's Content-Type
 * names the encoding unless `options` does. */
CEL_NODISCARD int cel__page_scan(const struct cel_response *page,
                                 const struct cel_html_options *options,
                                 const struct cel_fields *fields, struct cel_item **out,
                                 const char **truncated);

#endif
