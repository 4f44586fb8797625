/* SPDX-License-Identifier: MIT */
#include "http/form.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "proto/percent.h"

/* The set leaves '%' and has "%20" for a space; a form has "%25" and '+'. */
static void add_word(struct cel__buf *out, const char *word)
{
    while (*word != '\0') {
        size_t plain = strcspn(word, " %");

        cel__percent_encode(out, (struct cel_str){word, plain}, CEL__PERCENT_FORM);
        word += plain;
        if (*word == '\0')
            return;
        cel__buf_add_text(out, *word == ' ' ? "+" : "%25");
        word++;
    }
}

int cel__form_add(struct cel__buf *out, const struct cel_pair *pairs)
{
    for (const struct cel_pair *p = pairs; p->name != NULL; p++) {
        if (p != pairs)
            cel__buf_add_char(out, '&');
        add_word(out, p->name);
        cel__buf_add_char(out, '=');
        add_word(out, p->value != NULL ? p->value : "");
    }
    return out->failed ? -ENOMEM : 0;
}

int cel__form_add_to_url(struct cel__buf *out, struct cel_str url, const struct cel_pair *pairs)
{
    const char *hash = memchr(url.ptr, '#', url.len);
    struct cel_str before = {url.ptr, hash != NULL ? (size_t)(hash - url.ptr) : url.len};
    char last = before.len != 0 ? before.ptr[before.len - 1] : '\0';
    bool has_query = before.len != 0 && memchr(before.ptr, '?', before.len) != NULL;

    cel__buf_add_str(out, before);
    if (pairs->name != NULL && last != '?' && last != '&')
        cel__buf_add_char(out, has_query ? '&' : '?');
    cel__form_add(out, pairs);
    if (hash != NULL)
        cel__buf_add(out, hash, url.len - before.len);
    return out->failed ? -ENOMEM : 0;
}

char *cel_form_encode(const struct cel_pair *pairs)
{
    struct cel__buf out = {0};

    cel__form_add(&out, pairs);
    if (cel__buf_cstr(&out) != NULL && !out.failed)
        return out.ptr;
    cel__buf_fini(&out);
    return NULL;
}
