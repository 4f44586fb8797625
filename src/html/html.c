/* SPDX-License-Identifier: MIT */
/* From bytes to a document: size limit, encoding, tree builder. */
#include "html/html.h"

#include <errno.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "html/builders.h"
#include "html/charset.h"
#include "html/charset_meta.h"
#include "html/decode.h"
#include "html/tree_dump.h"
#include "html/parse.h"
#include "html/utf8.h"

#define MAX_BYTES      (16u << 20)
#define MAX_BYTES_TOP  (256u << 20) /* its text and values, decoded, stay below 4 GiB */
#define MAX_DEPTH      512
#define MAX_NODES      1000000
#define MAX_ATTRIBUTES 256
#define MAX_SMALL_TOP  4096
#define MAX_NAMES      65536
#define MAX_NAME       1024
#define MAX_VALUE      (4u << 20)
#define PLUS_BYTES     (64u << 10)
#define PORTION        (64u << 10) /* between pauses: an eighth of a millisecond */
#define DECODE_PORTION 1024
#define DECODED_MOST   3 /* times the bytes of any encoding */

static size_t limit_of(size_t asked, size_t usual, size_t top)
{
    return asked == 0 ? usual : cel__min(asked, top);
}

void cel__page_bytes_init(struct cel__page_bytes *p, const void *bytes, size_t len,
                          const struct cel_html_options *options)
{
    size_t most = limit_of(options->max_bytes, MAX_BYTES, MAX_BYTES_TOP);

    *p = (struct cel__page_bytes){.bytes = {bytes != NULL ? bytes : "", cel__min(len, most)},
                                  .cut = len > most ? CEL__CUT_SIZE : CEL__CUT_NONE};
    p->charset = cel__charset_sniff(p->bytes, cel__str(options->charset));
    p->bytes.ptr += p->charset.skip;
    p->bytes.len -= p->charset.skip;
}

/* As they stand. */
static bool are_utf8(const struct cel__page_bytes *p)
{
    return p->charset.encoding == CEL__UTF_8 && cel__utf8_valid(p->bytes) == p->bytes.len;
}

int cel__page_bytes_decode(struct cel__page_bytes *p)
{
    int r;

    if (are_utf8(p))
        return 0;
    r = cel__decode(p->charset.encoding, p->bytes, &p->room);
    p->bytes = cel__buf_str(&p->room);
    return r;
}

void cel__page_bytes_fini(struct cel__page_bytes *p)
{
    cel__buf_fini(&p->room);
}

struct cel__tree_limits cel__html_limits(const struct cel_html_options *options, size_t len)
{
    return (struct cel__tree_limits){
        .depth = (uint32_t)limit_of(options->max_depth, MAX_DEPTH, MAX_SMALL_TOP),
        .nodes = (uint32_t)limit_of(options->max_nodes, MAX_NODES, UINT32_MAX / 2),
        .attributes = (uint32_t)limit_of(options->max_attributes, MAX_ATTRIBUTES, MAX_SMALL_TOP),
        .bytes = 2 * len + PLUS_BYTES,
        .names = MAX_NAMES,
        .name = MAX_NAME,
        .value = MAX_VALUE};
}

int cel__html_feed(struct cel__parser *parser, struct cel_str html,
                   const struct cel_html_options *options)
{
    /* What is wrong in a portion is kept until its end. */
    size_t portion = options->pause != NULL || options->error != NULL ? PORTION : html.len;
    int r = 0;

    while (html.len != 0 && r == 0 && !cel__parser_has_enough(parser)) {
        size_t n = cel__min(html.len, portion);

        r = cel__parser_feed(parser, html.ptr, n);
        html.ptr += n;
        html.len -= n;
        if (options->pause != NULL && html.len != 0 && !cel__parser_has_enough(parser))
            options->pause(options->pause_arg);
    }
    return r;
}

/* What is not UTF-8 is decoded a little at a time, so that the page is not there twice. */
static int feed_decoded(struct cel__parser *parser, const struct cel__page_bytes *page,
                        const struct cel_html_options *options)
{
    struct cel_str rest = page->bytes;
    struct cel__decoder decoder;
    struct cel__buf room = {0};
    size_t since_pause = 0;
    int r = 0;

    cel__decoder_init(&decoder, page->charset.encoding);
    while (rest.len != 0 && r == 0 && !cel__parser_has_enough(parser)) {
        struct cel_str some = {rest.ptr, cel__min(rest.len, (size_t)DECODE_PORTION)};

        rest.ptr += some.len;
        rest.len -= some.len;
        cel__buf_clear(&room);
        r = cel__decoder_feed(&decoder, some, rest.len == 0, &room);
        if (r == 0)
            r = cel__parser_feed(parser, room.ptr, room.len);
        since_pause += some.len;
        if (options->pause != NULL && since_pause >= PORTION && rest.len != 0) {
            options->pause(options->pause_arg);
            since_pause = 0;
        }
    }
    cel__buf_fini(&room);
    return r;
}

static void tell_error(void *arg, const struct cel__error *error)
{
    const struct cel_html_options *o = arg;
    struct cel_html_error told = {.code = cel__parse_error_text(error->code),
                                  .line = error->line,
                                  .column = error->column,
                                  .offset = error->at,
                                  .element = error->element,
                                  .meaning = cel__parse_error_meaning(error->code)};

    o->error(o->error_arg, &told);
}

/* "svg path": a name and, before a blank, whose it is. */
static void set_context(struct cel__parse_options *options, struct cel_str context)
{
    options->context_ns = CEL__NS_HTML;
    if (cel__str_starts(context, CEL_LIT("svg ")))
        options->context_ns = CEL__NS_SVG;
    else if (cel__str_starts(context, CEL_LIT("math ")))
        options->context_ns = CEL__NS_MATHML;
    if (options->context_ns != CEL__NS_HTML)
        (void)cel__str_split(&context, ' ', &options->context);
    options->context = context;
}

/* Where markup is not written in ASCII, bytes do not tell what room a page needs. */
static struct cel_str preview_of(const struct cel__page_bytes *page)
{
    bool is_wide =
        page->charset.encoding == CEL__UTF_16LE || page->charset.encoding == CEL__UTF_16BE;

    return is_wide ? (struct cel_str){"", 0} : page->bytes;
}

static int build_html5(struct cel_html *doc, const struct cel__page_bytes *page,
                       const struct cel_html_options *o, enum cel__cut *cut)
{
    bool is_utf8 = are_utf8(page);
    size_t most_bytes = is_utf8 ? page->bytes.len : DECODED_MOST * page->bytes.len;

    struct cel__parse_options options = {.scripting = o->scripting,
                                         .limits = cel__html_limits(o, most_bytes),
                                         .positions = o->positions,
                                         .error = o->error != NULL ? tell_error : NULL,
                                         .error_arg = (void *)o,
                                         .preview = preview_of(page)};
    struct cel__parser *parser;
    int r;

    set_context(&options, cel__str(o->fragment));
    r = cel__parser_new(&parser, &options);
    if (r < 0)
        return r;
    r = is_utf8 ? cel__html_feed(parser, page->bytes, o) : feed_decoded(parser, page, o);
    if (r == 0)
        r = cel__parser_end(parser, &doc->tree, cut);
    cel__parser_free(parser);
    return r;
}

static int build_libxml2(struct cel_html *doc, struct cel_str html,
                         const struct cel_html_options *o, enum cel__cut *cut)
{
    struct cel__tree_limits limits = cel__html_limits(o, html.len);
    struct cel__tree_builder builder;
    int r = cel__tree_begin(&builder, &doc->tree, &limits, html.len), finished;

    if (r < 0)
        return r;
    if (html.len != 0)
        r = cel__build_libxml2(&builder, html);
    finished = cel__tree_finish(&builder);
    *cut = builder.cut;
    return r < 0 ? r : finished;
}

static int decode_for_libxml2(struct cel_html *doc, const struct cel__page_bytes *page,
                              const struct cel_html_options *o, enum cel__cut *cut)
{
    struct cel__page_bytes decoded = *page;
    int r = cel__page_bytes_decode(&decoded);

    if (r == 0)
        r = build_libxml2(doc, decoded.bytes, o, cut);
    cel__page_bytes_fini(&decoded);
    return r;
}

/* Decodes and builds. */
static int read_page(struct cel_html *doc, const struct cel__page_bytes *page,
                     const struct cel_html_options *o)
{
    enum cel__cut cut = CEL__CUT_NONE;
    int r;

    doc->charset = page->charset.encoding;
    /* No page at all is a document with nothing in it, by either parser. */
    if (o->parser == CEL_HTML_LIBXML2 || page->bytes.len == 0)
        r = decode_for_libxml2(doc, page, o, &cut);
    else
        r = build_html5(doc, page, o, &cut);
    doc->cut = page->cut != CEL__CUT_NONE ? page->cut : cut;
    return r;
}

/* The same without a word of mistakes, for when it is not sure to be the last time. */
static int read_quietly(struct cel_html *doc, const struct cel__page_bytes *page,
                        const struct cel_html_options *o)
{
    struct cel_html_options quiet = *o;

    quiet.error = NULL;
    return read_page(doc, page, &quiet);
}

static int read_again(struct cel_html *doc, const struct cel__page_bytes *page,
                      const struct cel_html_options *o)
{
    cel__tree_fini(&doc->tree);
    return read_page(doc, page, o);
}

/* A meta element that names another encoding than the one that was assumed: once more from the
 * beginning, in that one. */
static int read_as_named(struct cel_html *doc, struct cel__page_bytes *page,
                         const struct cel_html_options *o)
{
    int named = cel__charset_of_tree(&doc->tree);

    if (named >= 0 && named != (int)doc->charset && doc->charset != CEL__UTF_16LE &&
        doc->charset != CEL__UTF_16BE) {
        page->charset.encoding = (enum cel__encoding)named;
        return read_again(doc, page, o);
    }
    return o->error != NULL ? read_again(doc, page, o) : 0;
}

int cel_html_parse(struct cel_html **out, const void *bytes, size_t len,
                   const struct cel_html_options *options)
{
    static const struct cel_html_options usual;
    const struct cel_html_options *o = options != NULL ? options : &usual;
    struct cel_html *doc = cel__mem_zalloc(sizeof *doc);
    struct cel__page_bytes page;
    int r;

    if (doc == NULL)
        return -ENOMEM;
    cel__page_bytes_init(&page, bytes, len, o);
    /* What libxml2 takes for a meta element says nothing. */
    if (page.charset.is_certain || o->parser == CEL_HTML_LIBXML2)
        r = read_page(doc, &page, o);
    else
        r = read_quietly(doc, &page, o);
    if (r == 0 && !page.charset.is_certain && o->parser == CEL_HTML_HTML5)
        r = read_as_named(doc, &page, o);
    if (r < 0) {
        cel_html_free(doc);
        return r;
    }
    *out = doc;
    return 0;
}

void cel_html_free(struct cel_html *doc)
{
    if (doc == NULL)
        return;
    cel__tree_fini(&doc->tree);
    cel__mem_free(doc);
}

const char *cel__cut_name(enum cel__cut cut)
{
    static const char *const names[] = {
        [CEL__CUT_NONE] = NULL,       [CEL__CUT_SIZE] = "size",
        [CEL__CUT_DEPTH] = "depth",   [CEL__CUT_NODES] = "nodes",
        [CEL__CUT_MEMORY] = "memory", [CEL__CUT_ATTRIBUTES] = "attributes",
        [CEL__CUT_NAMES] = "names",   [CEL__CUT_LENGTH] = "length"};

    return names[cut];
}

const char *cel_html_truncated(const struct cel_html *doc)
{
    return cel__cut_name(doc->cut);
}

const char *cel_html_charset(const struct cel_html *doc)
{
    return cel__encoding_name(doc->charset);
}

char *cel_html_dump(const struct cel_html *doc, size_t *len)
{
    struct cel__buf out = {0};

    if (cel__dump(&doc->tree, 0, true, &out) < 0 || cel__buf_cstr(&out) == NULL) {
        cel__buf_fini(&out);
        return NULL;
    }
    if (len != NULL)
        *len = out.len;
    return out.ptr;
}
