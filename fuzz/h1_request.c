/* SPDX-License-Identifier: MIT */
#include "h1_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_h1(CEL__H1_REQUEST, CEL__H1_OTHER_METHOD, (const char *)data, len);
    return 0;
}
