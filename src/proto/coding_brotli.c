/* SPDX-License-Identifier: MIT */
/* Brotli, by its library; the one file that includes it. */
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <errno.h>
#include <stdint.h>

#include "base/mem.h"
#include "proto/codec.h"

static void *take(void *opaque, size_t size)
{
    return cel__mem_alloc(size);
}

static void give(void *opaque, void *ptr)
{
    cel__mem_free(ptr);
}

static int unbrotli_open(void **state, unsigned max_members)
{
    *state = BrotliDecoderCreateInstance(take, give, NULL);
    return *state != NULL ? 0 : -ENOMEM;
}

static int unbrotli_step(void *state, enum cel__codec_op op, const char *in, size_t in_len,
                         size_t *used, char *out, size_t out_cap, size_t *made, const char **why)
{
    const uint8_t *next_in = (const uint8_t *)in;
    uint8_t *next_out = (uint8_t *)out;
    size_t left_in = in_len, left_out = out_cap;
    BrotliDecoderErrorCode e;

    *used = *made = 0;
    if (BrotliDecoderIsFinished(state)) { /* what follows is passed over */
        *used = in_len;
        return 1;
    }
    switch (BrotliDecoderDecompressStream(state, &left_in, &next_in, &left_out, &next_out, NULL)) {
    case BROTLI_DECODER_RESULT_ERROR:
        e = BrotliDecoderGetErrorCode(state);
        *why = "brotli data is broken";
        return e <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                       e >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
                   ? -ENOMEM
                   : -CEL_EDECODE;
    case BROTLI_DECODER_RESULT_SUCCESS:
        *used = in_len - left_in;
        *made = out_cap - left_out;
        return 1;
    default:
        *used = in_len - left_in;
        *made = out_cap - left_out;
        return 0;
    }
}

static void unbrotli_close(void *state)
{
    BrotliDecoderDestroyInstance(state);
}

static int brotli_open(void **state, unsigned max_members)
{
    BrotliEncoderState *s = BrotliEncoderCreateInstance(take, give, NULL);

    if (s == NULL)
        return -ENOMEM;
    BrotliEncoderSetParameter(s, BROTLI_PARAM_QUALITY, 5);
    BrotliEncoderSetParameter(s, BROTLI_PARAM_LGWIN, 19);
    *state = s;
    return 0;
}

static int brotli_step(void *state, enum cel__codec_op op, const char *in, size_t in_len,
                       size_t *used, char *out, size_t out_cap, size_t *made, const char **why)
{
    static const BrotliEncoderOperation operations[] = {
        BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH};
    const uint8_t *next_in = (const uint8_t *)in;
    uint8_t *next_out = (uint8_t *)out;
    size_t left_in = in_len, left_out = out_cap;

    *used = *made = 0;
    if (!BrotliEncoderCompressStream(state, operations[op], &left_in, &next_in, &left_out,
                                     &next_out, NULL)) {
        *why = "brotli encoder failed";
        return -CEL_EDECODE;
    }
    *used = in_len - left_in;
    *made = out_cap - left_out;
    if (op == CEL__CODEC_FLUSH)
        return left_in == 0 && !BrotliEncoderHasMoreOutput(state);
    return op == CEL__CODEC_FINISH && BrotliEncoderIsFinished(state);
}

static void brotli_close(void *state)
{
    BrotliEncoderDestroyInstance(state);
}

const struct cel__codec cel__codec_unbrotli = {unbrotli_open, unbrotli_step, unbrotli_close};
const struct cel__codec cel__codec_brotli = {brotli_open, brotli_step, brotli_close};
