/* SPDX-License-Identifier: MIT */
/* The tokenizer cases of html5lib: each in each of its states, whole, cut at each byte, and byte by
 * byte. What the tokenizer says and what the case expects are both written as text, a line for a
 * token and a line for an error, and must be the same text. */
#include "support/check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "html/tokenizer.h"
#include "html5lib.h"

#define SHOWN 8 /* failures of a file that are told */

struct listener {
    struct cel__names names;
    struct cel__buf tokens;
    struct cel__buf text; /* text tokens in a row are one */
    char **errors;
    size_t error_count;
};

/* ---- as text ---- */

static void add_quoted(struct cel__buf *out, struct cel_str s)
{
    cel__buf_add_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];

        if (c < ' ' || c == '"' || c == '\\' || c >= 0x7f)
            cel__buf_printf(out, "\\x%02x", c);
        else
            cel__buf_add_char(out, (char)c);
    }
    cel__buf_add_char(out, '"');
}

static void add_text_line(struct cel__buf *out, struct cel_str text)
{
    if (text.len == 0)
        return;
    cel__buf_add_text(out, "text ");
    add_quoted(out, text);
    cel__buf_add_char(out, '\n');
}

static void add_doctype(struct cel__buf *out, const struct cel_str part[3], bool is_correct)
{
    cel__buf_add_text(out, "doctype");
    for (size_t i = 0; i < 3; i++) {
        cel__buf_add_char(out, ' ');
        if (part[i].ptr == NULL)
            cel__buf_add_text(out, "null");
        else
            add_quoted(out, part[i]);
    }
    cel__buf_add_text(out, is_correct ? "\n" : " quirks\n");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines in the order of their text; frees them. */
static void add_sorted(struct cel__buf *out, char **lines, size_t count)
{
    if (count != 0)
        qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++) {
        cel__buf_add_text(out, lines[i]);
        cel__buf_add_char(out, '\n');
        free(lines[i]);
    }
    free(lines);
}

static char *attr_line(struct cel_str name, struct cel_str value)
{
    struct cel__buf b = {0};
    char *line;

    cel__buf_add_text(&b, "  ");
    add_quoted(&b, name);
    cel__buf_add_char(&b, '=');
    add_quoted(&b, value);
    line = strdup(cel__buf_cstr(&b));
    cel__buf_fini(&b);
    return line;
}

static char *error_line(const char *code, long long line, long long column)
{
    char *text;

    assert_true(asprintf(&text, "error %5lld:%-5lld %s", line, column, code) > 0);
    return text;
}

/* ---- what the tokenizer says ---- */

static void add_start(struct listener *l, const struct cel__token *t)
{
    char **lines = calloc(t->attr_count + 1, sizeof *lines);

    cel__buf_add_text(&l->tokens, "start ");
    add_quoted(&l->tokens, cel__names_text(&l->names, t->name));
    cel__buf_add_text(&l->tokens, t->is_self_closing ? " /\n" : "\n");
    for (uint32_t i = 0; i < t->attr_count; i++)
        lines[i] = attr_line(cel__names_text(&l->names, t->attrs[i].name), t->attrs[i].value);
    add_sorted(&l->tokens, lines, t->attr_count);
}

static int hear(void *arg, const struct cel__token *t)
{
    struct listener *l = arg;

    if (t->kind == CEL__TOKEN_TEXT) {
        assert_true(t->text.len != 0);
        return cel__buf_add_str(&l->text, t->text);
    }
    add_text_line(&l->tokens, cel__buf_str(&l->text));
    cel__buf_clear(&l->text);
    switch (t->kind) {
    case CEL__TOKEN_START:
        add_start(l, t);
        break;
    case CEL__TOKEN_END:
        cel__buf_add_text(&l->tokens, "end ");
        add_quoted(&l->tokens, cel__names_text(&l->names, t->name));
        cel__buf_add_char(&l->tokens, '\n');
        break;
    case CEL__TOKEN_COMMENT:
        cel__buf_add_text(&l->tokens, "comment ");
        add_quoted(&l->tokens, t->text);
        cel__buf_add_char(&l->tokens, '\n');
        break;
    case CEL__TOKEN_DOCTYPE:
        add_doctype(&l->tokens, (struct cel_str[3]){t->text, t->public_id, t->system_id},
                    !t->force_quirks);
        break;
    default:
        cel__buf_add_text(&l->tokens, "eof\n");
    }
    return 0;
}

static void hear_error(void *arg, const struct cel__error *error)
{
    struct listener *l = arg;

    l->errors = realloc(l->errors, (l->error_count + 1) * sizeof *l->errors);
    l->errors[l->error_count++] =
        error_line(cel__parse_error_text(error->code), error->line, error->column);
}

static enum cel__token_state state_of(const char *name)
{
    static const struct {
        const char *name;
        enum cel__token_state state;
    } states[] = {
        {"Data state", CEL__STATE_DATA},          {"PLAINTEXT state", CEL__STATE_PLAINTEXT},
        {"RCDATA state", CEL__STATE_RCDATA},      {"RAWTEXT state", CEL__STATE_RAWTEXT},
        {"Script data state", CEL__STATE_SCRIPT}, {"CDATA section state", CEL__STATE_CDATA}};

    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i].name, name) == 0)
            return states[i].state;
    fail_msg("unknown state %s", name);
    return CEL__STATE_DATA;
}

/* Bytes go in as [0, cut), [cut, len); with a cut behind the end, one by one. */
static void feed_cut(struct cel__tokenizer *t, struct cel_str input, size_t cut)
{
    /* Pieces have blocks of their own, so that reading past one is seen. */
    for (size_t at = 0, len; at < input.len; at += len) {
        char *piece;

        len = cut > input.len ? 1 : at < cut ? cut : input.len - at;
        piece = malloc(len);
        memcpy(piece, input.ptr + at, len);
        assert_int_equal(cel__tokenizer_feed(t, piece, len), 0);
        free(piece);
    }
    assert_int_equal(cel__tokenizer_end(t), 0);
}

static void tokenize(struct cel_str input, size_t cut, const char *state, const char *last_start,
                     struct cel__buf *out)
{
    struct listener l = {0};
    struct cel__tokenizer_options options = {
        .sink = hear, .error = hear_error, .arg = &l, .names = &l.names};
    struct cel__tokenizer *t;

    cel__names_ready();
    cel__names_init(&l.names);
    assert_int_equal(cel__tokenizer_new(&t, &options), 0);
    if (last_start != NULL)
        cel__tokenizer_set_last_start(t, cel__names_add(&l.names, cel__str(last_start)));
    cel__tokenizer_set_state(t, state_of(state));
    feed_cut(t, input, cut);
    cel__tokenizer_free(t);
    cel__buf_add_str(out, cel__buf_str(&l.tokens));
    add_sorted(out, l.errors, l.error_count);
    cel__buf_fini(&l.tokens);
    cel__buf_fini(&l.text);
    cel__names_fini(&l.names);
}

/* ---- what a case expects ---- */

static void add_utf8(struct cel__buf *out, unsigned code)
{
    /* Surrogates too, as three bytes: some cases are about them. */
    if (code < 0x80) {
        cel__buf_add_char(out, (char)code);
    } else if (code < 0x800) {
        cel__buf_add_char(out, (char)(0xc0 | code >> 6));
        cel__buf_add_char(out, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        cel__buf_add_char(out, (char)(0xe0 | code >> 12));
        cel__buf_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        cel__buf_add_char(out, (char)(0x80 | (code & 0x3f)));
    } else {
        cel__buf_add_char(out, (char)(0xf0 | code >> 18));
        cel__buf_add_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
        cel__buf_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        cel__buf_add_char(out, (char)(0x80 | (code & 0x3f)));
    }
}

static bool read_escape(struct cel_str s, size_t at, unsigned *code)
{
    char digits[5] = {0};

    if (at + 6 > s.len || s.ptr[at] != '\\' || s.ptr[at + 1] != 'u')
        return false;
    memcpy(digits, s.ptr + at + 2, 4);
    *code = (unsigned)strtoul(digits, NULL, 16);
    return true;
}

/* The string, unescaped once more when the case says so. */
static struct cel_str string_of(const json_t *value, bool is_escaped, struct cel__buf *room)
{
    struct cel_str s = {json_string_value(value), json_string_length(value)};
    unsigned code, low;

    if (s.ptr == NULL || !is_escaped)
        return s;
    cel__buf_clear(room);
    for (size_t i = 0; i < s.len; i++) {
        if (!read_escape(s, i, &code)) {
            cel__buf_add_char(room, s.ptr[i]);
            continue;
        }
        i += 5;
        if ((code & 0xfc00) == 0xd800 && read_escape(s, i + 1, &low) && (low & 0xfc00) == 0xdc00) {
            code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
            i += 6;
        }
        add_utf8(room, code);
    }
    return cel__buf_str(room);
}

static void expect_start(const json_t *token, bool is_escaped, struct cel__buf *out)
{
    json_t *attrs = json_array_get(token, 2), *value;
    char **lines = calloc(json_object_size(attrs) + 1, sizeof *lines);
    struct cel__buf room = {0}, name_room = {0};
    const char *key;
    size_t count = 0;

    cel__buf_add_text(out, "start ");
    add_quoted(out, string_of(json_array_get(token, 1), is_escaped, &room));
    cel__buf_add_text(out, json_is_true(json_array_get(token, 3)) ? " /\n" : "\n");
    json_object_foreach(attrs, key, value)
    {
        json_t *name = json_string(key);

        lines[count++] =
            attr_line(string_of(name, is_escaped, &name_room), string_of(value, is_escaped, &room));
        json_decref(name);
    }
    add_sorted(out, lines, count);
    cel__buf_fini(&room);
    cel__buf_fini(&name_room);
}

static void expect_doctype(const json_t *token, bool is_escaped, struct cel__buf *out)
{
    struct cel__buf room[3] = {0};
    struct cel_str part[3];

    for (size_t i = 0; i < 3; i++)
        part[i] = string_of(json_array_get(token, i + 1), is_escaped, &room[i]);
    add_doctype(out, part, json_is_true(json_array_get(token, 4)));
    for (size_t i = 0; i < 3; i++)
        cel__buf_fini(&room[i]);
}

static void expect_token(const json_t *token, bool is_escaped, struct cel__buf *out)
{
    const char *kind = json_string_value(json_array_get(token, 0));
    struct cel__buf room = {0};
    struct cel_str text = string_of(json_array_get(token, 1), is_escaped, &room);

    if (strcmp(kind, "StartTag") == 0) {
        expect_start(token, is_escaped, out);
    } else if (strcmp(kind, "DOCTYPE") == 0) {
        expect_doctype(token, is_escaped, out);
    } else if (strcmp(kind, "Character") == 0) {
        add_text_line(out, text);
    } else {
        cel__buf_add_text(out, strcmp(kind, "EndTag") == 0 ? "end " : "comment ");
        add_quoted(out, text);
        cel__buf_add_char(out, '\n');
    }
    cel__buf_fini(&room);
}

static void expected_of(const json_t *test, bool is_escaped, struct cel__buf *out)
{
    json_t *errors = json_object_get(test, "errors"), *value;
    char **lines = calloc(json_array_size(errors) + 1, sizeof *lines);
    size_t i;

    json_array_foreach(json_object_get(test, "output"), i, value)
        expect_token(value, is_escaped, out);
    cel__buf_add_text(out, "eof\n");
    json_array_foreach(errors, i, value)
    {
        lines[i] = error_line(json_string_value(json_object_get(value, "code")),
                              json_integer_value(json_object_get(value, "line")),
                              json_integer_value(json_object_get(value, "col")));
    }
    add_sorted(out, lines, json_array_size(errors));
}

/* ---- running ---- */

/* -> 0, or 1 when some cut of the input in that state gave something else. */
static int run_state(const json_t *test, struct cel_str input, const char *state,
                     struct cel_str expected, bool is_told)
{
    const char *last_start = json_string_value(json_object_get(test, "lastStartTag"));

    for (size_t cut = 0; cut <= input.len + 1; cut++) {
        struct cel__buf out = {0};
        bool is_same;

        tokenize(input, cut, state, last_start, &out);
        is_same = cel__str_eq(cel__buf_str(&out), expected);
        if (!is_same && is_told)
            printf(
                "\n\"%s\" in %s, cut %zu of %zu\n--- input\n%.*s\n--- expected\n%.*s--- got\n%.*s",
                json_string_value(json_object_get(test, "description")), state, cut, input.len,
                CEL_STR(input), CEL_STR(expected), CEL_STR(cel__buf_str(&out)));
        cel__buf_fini(&out);
        if (!is_same)
            return 1;
    }
    return 0;
}

static int run_case(const json_t *test, int *ran, int failed)
{
    bool is_escaped = json_is_true(json_object_get(test, "doubleEscaped"));
    json_t *states = json_object_get(test, "initialStates"), *state;
    struct cel__buf room = {0}, expected = {0};
    struct cel_str input = string_of(json_object_get(test, "input"), is_escaped, &room);
    int before = failed;
    size_t i;

    expected_of(test, is_escaped, &expected);
    if (states == NULL) {
        failed += run_state(test, input, "Data state", cel__buf_str(&expected), failed < SHOWN);
        ++*ran;
    }
    json_array_foreach(states, i, state)
    {
        failed += run_state(test, input, json_string_value(state), cel__buf_str(&expected),
                            failed < SHOWN);
        ++*ran;
    }
    cel__buf_fini(&room);
    cel__buf_fini(&expected);
    return failed - before;
}

static void tokenizer_file_gives_its_tokens(void **state)
{
    const char *path = *state;
    json_error_t error;
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &error), *tests, *test;
    int failed = 0, ran = 0;
    size_t i;

    if (root == NULL)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    /* xmlViolation.test is of parsers that make XML of what they read, and has no "tests". */
    tests = json_object_get(root, "tests");
    json_array_foreach(tests, i, test) failed += run_case(test, &ran, failed);
    json_decref(root);
    if (failed != 0)
        fail_msg("%d of %d fail", failed, ran);
    assert_true(ran != 0 || tests == NULL);
}

int main(void)
{
    struct CMUnitTest tests[64] = {0};
    char **files;
    size_t count = suite_files("tokenizer", ".test", &files);
    int r;

    assert_true(count <= sizeof tests / sizeof *tests);
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){.name = strrchr(files[i], '/') + 1,
                                       .test_func = tokenizer_file_gives_its_tokens,
                                       .initial_state = files[i]};
    r = _cmocka_run_group_tests("tokenizer", tests, count, NULL, NULL);
    suite_files_free(files, count);
    return r;
}
