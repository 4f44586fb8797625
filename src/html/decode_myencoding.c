/* SPDX-License-Identifier: MIT */
/* The legacy encodings' tables are those of myencoding (part of libmodest). Its
 * decoders take a byte at a time; errors, the end of input and code points that
 * are none are handled here. UTF-8 and UTF-16 are our own: myencoding's UTF-16
 * takes a zero byte for "no byte yet". */
#include "html/decode.h"

#include <errno.h>

#include <myencoding/encoding.h>

#include "base/cc.h"
#include "base/str.h"
#include "html/utf8.h"

int cel__decode_find(struct cel_str label)
{
    myencoding_t found;

    label = cel__str_trim(label);
    if (label.len == 0 || !myencoding_by_name(label.ptr, label.len, &found))
        return -1;
    if (found == MyENCODING_UTF_16LE)
        return CEL__UTF_16LE;
    if (found == MyENCODING_UTF_16BE)
        return CEL__UTF_16BE;
    return (int)found;
}

const char *cel__decode_name(int encoding)
{
    static const char *const ours[] = {"UTF-8", "UTF-16LE", "UTF-16BE"};
    const char *name;
    size_t len;

    if (encoding <= CEL__UTF_16BE)
        return ours[encoding];
    name = myencoding_name_by_id((myencoding_t)encoding, &len);
    return name != NULL ? name : "";
}

/* Letters of other scripts stand side by side, accented Latin ones mostly alone. */
int cel__decode_guess(struct cel_str bytes)
{
    size_t head = cel__min(bytes.len, (size_t)16384), high = 0, paired = 0;
    myencoding_t found;

    for (size_t i = 1; i < head; i++) {
        high += (uint8_t)bytes.ptr[i] >= 0x80;
        paired += (uint8_t)bytes.ptr[i] >= 0x80 && (uint8_t)bytes.ptr[i - 1] >= 0x80;
    }
    if (paired * 2 > high && myencoding_detect_russian(bytes.ptr, head, &found))
        return (int)found;
    return MyENCODING_WINDOWS_1252;
}

static int decode_utf16(bool is_big, struct cel_str bytes, struct cel__buf *out)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    uint32_t lead = 0;

    for (size_t i = 0; i + 1 < bytes.len; i += 2) {
        uint32_t unit = is_big ? (uint32_t)p[i] << 8 | p[i + 1] : (uint32_t)p[i + 1] << 8 | p[i];
        bool is_low = unit >= 0xdc00 && unit <= 0xdfff;

        if (lead != 0 && is_low) {
            unit = 0x10000 + ((lead - 0xd800) << 10) + (unit - 0xdc00);
        } else if (lead != 0 && cel__utf8_add(out, 0xfffd) < 0) {
            return -ENOMEM;
        }
        lead = unit >= 0xd800 && unit <= 0xdbff ? unit : 0;
        if (lead == 0 && cel__utf8_add(out, unit) < 0)
            return -ENOMEM;
    }
    if (lead != 0 || bytes.len % 2 != 0)
        return cel__utf8_add(out, 0xfffd);
    return 0;
}

static int add_decoded(struct cel__buf *out, const myencoding_result_t *res, uint8_t byte)
{
    uint32_t code = res->result == 0 && byte != 0 ? 0xfffd : (uint32_t)res->result;

    if (cel__utf8_add(out, code) < 0)
        return -ENOMEM;
    return res->result_aux != 0 ? cel__utf8_add(out, (uint32_t)res->result_aux) : 0;
}

int cel__decode(int encoding, struct cel_str bytes, struct cel__buf *out)
{
    myencoding_custom_f decode;
    myencoding_result_t res = {0};

    if (encoding == CEL__UTF_8)
        return cel__utf8_repair(bytes, out);
    if (encoding == CEL__UTF_16LE || encoding == CEL__UTF_16BE)
        return decode_utf16(encoding == CEL__UTF_16BE, bytes, out);
    decode = myencoding_get_function_by_id((myencoding_t)encoding);
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = (uint8_t)bytes.ptr[i];
        bool was_inside = res.first != 0 || res.second != 0 || res.third != 0;
        myencoding_status_t status = decode(byte, &res);

        if (status == MyENCODING_STATUS_CONTINUE)
            continue;
        if (status == MyENCODING_STATUS_OK) {
            if (add_decoded(out, &res, byte) < 0)
                return -ENOMEM;
            res.result = res.result_aux = 0;
            continue;
        }
        res = (myencoding_result_t){0};
        if (cel__utf8_add(out, 0xfffd) < 0)
            return -ENOMEM;
        if (was_inside && byte < 0x80)
            i--; /* an ASCII byte is never swallowed by a broken sequence */
    }
    if (res.first != 0 || res.second != 0 || res.third != 0)
        return cel__utf8_add(out, 0xfffd);
    return 0;
}
