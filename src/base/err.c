/* SPDX-License-Identifier: MIT */
/* Names and sentences for codes: errno's from libc, ours from one table. */
#include "celadon/base.h"

#include <string.h>

#include "base/cc.h"

static const struct {
    int code;
    const char *name;
    const char *text;
} ours[] = {
    {CEL_EEOF, "CEL_EEOF", "The stream ended before the bytes asked for"},
    {CEL_EFORK, "CEL_EFORK", "The loop belongs to the parent of this process"},
    {CEL_ETHREAD, "CEL_ETHREAD", "Called from a thread that does not own the loop"},
    {CEL_ECLOSED, "CEL_ECLOSED", "The handle was closed while in use"},
    {CEL_EDNS, "CEL_EDNS", "The host name does not resolve"},
    {CEL_ETLS, "CEL_ETLS", "TLS failure"},
    {CEL_EPROTOCOL, "CEL_EPROTOCOL", "The peer broke the protocol"},
    {CEL_ETOOLARGE, "CEL_ETOOLARGE", "A limit was exceeded"},
    {CEL_EREDIRECT, "CEL_EREDIRECT", "Too many or broken redirects"},
    {CEL_EDECODE, "CEL_EDECODE", "The content coding is broken or unknown"},
    {CEL_EURL, "CEL_EURL", "Not a valid URL"},
    {CEL_ESELECTOR, "CEL_ESELECTOR", "Not a valid selector"},
    {CEL_EFAILED, "CEL_EFAILED", "The task failed"},
    {CEL_ETRUNCATED, "CEL_ETRUNCATED", "The body ended short of its stated length"},
    {CEL_ESTATUS, "CEL_ESTATUS", "The answer's status is not the one demanded"},
};

const char *cel_strerror(int code)
{
    const char *text;

    if (code < 0)
        code = -code;
    for (size_t i = 0; i < cel__countof(ours); i++)
        if (ours[i].code == code)
            return ours[i].text;
    text = strerrordesc_np(code);
    return text != NULL ? text : "Unknown error";
}

const char *cel_errname(int code)
{
    const char *name;

    if (code < 0)
        code = -code;
    for (size_t i = 0; i < cel__countof(ours); i++)
        if (ours[i].code == code)
            return ours[i].name;
    name = strerrorname_np(code);
    return name != NULL ? name : "EUNKNOWN";
}

const char *cel_version(void)
{
    return CEL__VERSION;
}
