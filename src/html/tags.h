/* SPDX-License-Identifier: MIT */
#ifndef CEL__TAGS_H
#define CEL__TAGS_H

/* What the parsing section of the HTML standard says of each element, as bits. */

#include <stdint.h>

#include "html/names.h"
#include "html/node.h"

#define CEL__TAG_SPECIAL      0x0001u
#define CEL__TAG_SCOPE        0x0002u /* ends every scope but a table's */
#define CEL__TAG_LIST         0x0004u /* ends a list item's scope */
#define CEL__TAG_BUTTON       0x0008u /* ends a button's scope */
#define CEL__TAG_TABLE_SCOPE  0x0010u /* ends a table's scope */
#define CEL__TAG_IMPLIED      0x0020u /* its end tag may be implied */
#define CEL__TAG_IMPLIED_ALL  0x0040u /* ... when all are, for a template */
#define CEL__TAG_FORMATTING   0x0080u
#define CEL__TAG_HEADING      0x0100u
#define CEL__TAG_FOSTERS      0x0200u /* what does not belong into it goes before the table */
#define CEL__TAG_ROW_CONTEXT  0x0400u /* tr template html */
#define CEL__TAG_BODY_CONTEXT 0x0800u /* tbody thead tfoot template html */
#define CEL__TAG_TEXT_POINT   0x1000u /* a MathML text integration point */
#define CEL__TAG_HTML_POINT   0x2000u /* an HTML integration point */
#define CEL__TAG_BREAKOUT     0x4000u /* its start tag ends foreign content */

/* How a start or end tag is treated in the body, see construct_body.c. */
enum cel__body_start {
    CEL__BODY_ORDINARY,
    CEL__BODY_BLOCK,
    CEL__BODY_HEADING,
    CEL__BODY_FORMATTING,
    CEL__BODY_VOID,
    CEL__BODY_ITEM,
    CEL__BODY_IN_HEAD,
    CEL__BODY_STRAY,
    CEL__BODY_OTHER /* by a switch on the name */
};

enum cel__body_end {
    CEL__BODY_END_ORDINARY,
    CEL__BODY_END_BLOCK,
    CEL__BODY_END_FORMATTING,
    CEL__BODY_END_OTHER
};

struct cel__tag {
    uint16_t flags;
    uint8_t body_start;
    uint8_t body_end;
};

extern const struct cel__tag cel__tags[CEL__NAME_FIXED];

/* Of an HTML element or an HTML tag. */
static inline unsigned cel__tag_flags(uint32_t name)
{
    return name < CEL__NAME_FIXED ? cel__tags[name].flags : 0;
}

#endif
