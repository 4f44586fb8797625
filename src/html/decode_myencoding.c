/* SPDX-License-Identifier: MIT */
/* The tables of the legacy encodings are those of myencoding (part of libmodest).
 * Its decoders are asked for one character at a time and never for a stream: their
 * memory of earlier bytes is wrong in several (a zero byte of UTF-16, the lead of
 * Shift_JIS, the states of ISO-2022-JP, the ranges of gb18030). */
#include "html/tables.h"

#include <myencoding/encoding.h>
#include <myencoding/resource.h>

#include "base/cc.h"
#include "base/str.h"

int cel__tables_find(struct cel_str label)
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

const char *cel__tables_name(int encoding)
{
    static const char *const names[] = {[CEL__UTF_8] = "UTF-8",
                                        [CEL__UTF_16LE] = "UTF-16LE",
                                        [CEL__UTF_16BE] = "UTF-16BE",
                                        [MyENCODING_X_USER_DEFINED] = "x-user-defined",
                                        [MyENCODING_BIG5] = "Big5",
                                        [MyENCODING_EUC_JP] = "EUC-JP",
                                        [MyENCODING_EUC_KR] = "EUC-KR",
                                        [MyENCODING_GB18030] = "gb18030",
                                        [MyENCODING_GBK] = "GBK",
                                        [MyENCODING_IBM866] = "IBM866",
                                        [MyENCODING_ISO_2022_JP] = "ISO-2022-JP",
                                        [MyENCODING_ISO_8859_10] = "ISO-8859-10",
                                        [MyENCODING_ISO_8859_13] = "ISO-8859-13",
                                        [MyENCODING_ISO_8859_14] = "ISO-8859-14",
                                        [MyENCODING_ISO_8859_15] = "ISO-8859-15",
                                        [MyENCODING_ISO_8859_16] = "ISO-8859-16",
                                        [MyENCODING_ISO_8859_2] = "ISO-8859-2",
                                        [MyENCODING_ISO_8859_3] = "ISO-8859-3",
                                        [MyENCODING_ISO_8859_4] = "ISO-8859-4",
                                        [MyENCODING_ISO_8859_5] = "ISO-8859-5",
                                        [MyENCODING_ISO_8859_6] = "ISO-8859-6",
                                        [MyENCODING_ISO_8859_7] = "ISO-8859-7",
                                        [MyENCODING_ISO_8859_8] = "ISO-8859-8",
                                        [MyENCODING_ISO_8859_8_I] = "ISO-8859-8-I",
                                        [MyENCODING_KOI8_R] = "KOI8-R",
                                        [MyENCODING_KOI8_U] = "KOI8-U",
                                        [MyENCODING_MACINTOSH] = "macintosh",
                                        [MyENCODING_SHIFT_JIS] = "Shift_JIS",
                                        [MyENCODING_WINDOWS_1250] = "windows-1250",
                                        [MyENCODING_WINDOWS_1251] = "windows-1251",
                                        [MyENCODING_WINDOWS_1252] = "windows-1252",
                                        [MyENCODING_WINDOWS_1253] = "windows-1253",
                                        [MyENCODING_WINDOWS_1254] = "windows-1254",
                                        [MyENCODING_WINDOWS_1255] = "windows-1255",
                                        [MyENCODING_WINDOWS_1256] = "windows-1256",
                                        [MyENCODING_WINDOWS_1257] = "windows-1257",
                                        [MyENCODING_WINDOWS_1258] = "windows-1258",
                                        [MyENCODING_WINDOWS_874] = "windows-874",
                                        [MyENCODING_X_MAC_CYRILLIC] = "x-mac-cyrillic"};

    return names[encoding];
}

enum cel__scheme cel__tables_scheme(int encoding)
{
    switch (encoding) {
    case CEL__UTF_8:
        return CEL__SCHEME_UTF_8;
    case CEL__UTF_16LE:
    case CEL__UTF_16BE:
        return CEL__SCHEME_UTF_16;
    case MyENCODING_GBK:
    case MyENCODING_GB18030:
        return CEL__SCHEME_GB18030;
    case MyENCODING_BIG5:
    case MyENCODING_EUC_KR:
        return CEL__SCHEME_PAIRS;
    case MyENCODING_SHIFT_JIS:
        return CEL__SCHEME_SHIFT_JIS;
    case MyENCODING_EUC_JP:
        return CEL__SCHEME_EUC_JP;
    case MyENCODING_ISO_2022_JP:
        return CEL__SCHEME_ISO_2022_JP;
    default:
        return CEL__SCHEME_SINGLE;
    }
}

int cel__tables_windows_1252(void)
{
    return MyENCODING_WINDOWS_1252;
}

int cel__tables_cyrillic(struct cel_str bytes)
{
    myencoding_t best = MyENCODING_DEFAULT;

    /* Its answer is whether it is sure; a short page leaves it unsure and right. */
    (void)myencoding_detect_russian(bytes.ptr, bytes.len, &best);
    return best != MyENCODING_DEFAULT ? (int)best : -1;
}

static uint32_t ask(myencoding_t encoding, myencoding_result_t *res, uint8_t byte, uint32_t *second)
{
    if (myencoding_get_function_by_id(encoding)(byte, res) != MyENCODING_STATUS_OK)
        return 0;
    *second = (uint32_t)res->result_aux;
    return (uint32_t)res->result;
}

uint32_t cel__tables_single(int encoding, uint8_t byte)
{
    myencoding_result_t res = {0};
    uint32_t second;

    return ask((myencoding_t)encoding, &res, byte, &second);
}

/* The first place of a table is "none" to myencoding, which two of them do not mean. */
uint32_t cel__tables_pair(int encoding, uint8_t lead, uint8_t trail, uint32_t *second)
{
    myencoding_result_t res = {.first = lead};

    if (encoding == MyENCODING_SHIFT_JIS && lead == 0x81 && trail == 0x40)
        return 0x3000;
    if (encoding == MyENCODING_EUC_KR && lead == 0x81 && trail == 0x41)
        return 0xac02;
    return ask((myencoding_t)encoding, &res, trail, second);
}

uint32_t cel__tables_jis(bool is_0212, uint8_t lead, uint8_t trail)
{
    myencoding_result_t res = {.first = lead, .flag = is_0212};
    uint32_t second;

    return ask(MyENCODING_EUC_JP, &res, trail, &second);
}

uint32_t cel__tables_gb18030_range(uint32_t pointer)
{
    size_t i = cel__countof(myencoding_map_gb18030_ranges);

    if (pointer >= 189000)
        return pointer - 189000 <= 0xfffff ? 0x10000 + pointer - 189000 : 0;
    if (pointer > 39419)
        return 0;
    if (pointer == 7457)
        return 0xe7c7;
    while (--i > 0 && myencoding_map_gb18030_ranges[i][0] > pointer)
        ;
    return (uint32_t)(myencoding_map_gb18030_ranges[i][1] + pointer -
                      myencoding_map_gb18030_ranges[i][0]);
}
