/* SPDX-License-Identifier: MIT */
#include "h1_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum cel__h1_method methods[] = {CEL__H1_GET, CEL__H1_HEAD, CEL__H1_CONNECT};

    for (size_t i = 0; i < cel__countof(methods); i++)
        fuzz_h1(CEL__H1_RESPONSE, methods[i], (const char *)data, len);
    return 0;
}
