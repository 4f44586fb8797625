/* SPDX-License-Identifier: MIT */
#ifndef CEL__HTML_H
#define CEL__HTML_H

#include "celadon/html.h"
#include "html/encoding.h"
#include "html/tree.h"

struct cel_html {
    struct cel__tree tree;
    enum cel__cut cut;
    enum cel__encoding charset;
};

#endif
