/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FIELD_SELECTORS_H
#define TESTS_FIELD_SELECTORS_H

/* Selectors of each kind, for whatever holds fields taken while parsing against fields taken from
 * the tree. The fuzzer's corpus names them by their places: new ones go to the end. */

static const char *const selectors[] = {
    "p",
    "*",
    "a[href]",
    "a::attr(href)",
    ".a, #x",
    "body > *",
    "div p",
    "p ~ b",
    "h1 + p",
    "b::text",
    "p::html",
    "div::inner-html",
    "td:first-child",
    "li:nth-child(2n+1)",
    "tr:nth-of-type(2) td",
    ":is(b, i) a",
    "p:not(.a)",
    ":root > body",
    "svg|*",
    "[class]::attr(class)",
    "table *",
    "html",
    "p:nth-child(2 of .a, b)",
    "font > *::text",
    "::text",
    "p:last-child", /* from here on not all are answered on the way */
    "div:has(b)",
    "p:empty",
    "select option",
    "math|mi",
    "body::text",
    ":link",
    "template *",
    "title",
    "[class~=a i]",
    "[id^=x] ~ *",
    ":where(td, th) b",
    "li:not(:first-child) > a",
    "frameset frame",
    "noscript::text",
    "b b b",
    "* > * + *",
    "p:first-of-type",
    "body",
    "head > *",
    "meta::attr(charset)",
    "script::text",
    "caption ~ tr"};

#endif
