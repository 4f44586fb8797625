/* SPDX-License-Identifier: MIT */
/* A selector's life: copy the source, parse, free. */
#include "html/selector.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "html/names.h"

int cel_selector_new(struct cel_selector **out, const char *css, struct cel_error *error)
{
    struct cel_selector *s = cel__mem_zalloc(sizeof *s);
    struct cel_error unread;
    size_t len = strlen(css);
    char *copy;
    int r = -ENOMEM;

    cel__names_ready();
    if (error == NULL)
        error = &unread;
    *error = (struct cel_error){0};
    if (s == NULL)
        goto fail;
    copy = cel__selector_alloc(s, len + 1);
    if (copy == NULL)
        goto fail;
    memcpy(copy, css, len + 1);
    s->source = copy;
    r = cel__selector_parse(s, (struct cel_str){copy, len}, error);
    if (r < 0)
        goto fail;
    *out = s;
    return 0;

fail:
    error->code = r;
    cel_selector_free(s);
    return r;
}

void cel_selector_free(struct cel_selector *s)
{
    if (s == NULL)
        return;
    cel__selector_drop(s);
    cel__mem_free(s);
}
