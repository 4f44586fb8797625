/* SPDX-License-Identifier: MIT */
/* The one file that includes libidn2. */
#include "proto/idna.h"

#include <errno.h>
#include <idn2.h>

#include "base/mem.h"

int cel__idna_to_ascii(struct cel__buf *b, struct cel_str name)
{
    char *text = cel__mem_strndup(name.ptr, name.len), *ascii = NULL;
    int r;

    if (text == NULL)
        return -ENOMEM;
    r = idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    cel__mem_free(text);
    if (r == IDN2_MALLOC)
        return -ENOMEM;
    if (r != IDN2_OK)
        return -CEL_EURL;
    r = cel__buf_add_text(b, ascii);
    idn2_free(ascii);
    return r;
}
