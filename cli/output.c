/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"

/* A finished record that waits for those before it in the list. */
struct held {
    char *text; /* NULL: failed, nothing to print */
    bool is_done;
};

struct output {
    FILE *file;
    const char *path;
    enum output_format format;
    const struct cel_fields *fields;
    struct held *held; /* by index; JSON only */
    size_t held_cap, next;
    bool has_begun;
    bool has_printed;
    bool is_live;    /* somebody may be reading along */
    bool has_failed; /* memory */
    int error;       /* errno of the first write that failed */
};

/* Not emptied yet: what was there stays if nothing can be put in its place. */
static FILE *open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (file == NULL && fd >= 0)
        close(fd);
    return file;
}

struct output *output_open(const char *path, enum output_format format,
                           const struct cel_fields *fields)
{
    struct output *out = calloc(1, sizeof *out);
    struct stat st;

    if (out == NULL) {
        complain("out of memory");
        return NULL;
    }
    *out = (struct output){.path = path, .format = format, .fields = fields};
    if (path != NULL && strcmp(path, "-") == 0)
        out->path = NULL;
    out->file = out->path != NULL ? open_file(path) : stdout;
    if (out->file == NULL) {
        complain("cannot write %s: %s", path, cel_strerror(errno));
        free(out);
        return NULL;
    }
    out->is_live = fstat(fileno(out->file), &st) == 0 && !S_ISREG(st.st_mode);
    return out;
}

void output_begin(struct output *out)
{
    if (out->has_begun)
        return;
    out->has_begun = true;
    if (out->path != NULL && ftruncate(fileno(out->file), 0) < 0 && !out->is_live)
        out->error = errno;
}

bool output_is_broken(const struct output *out)
{
    return out->error != 0 || out->has_failed;
}

/* ---- JSON ---- */

/* URLs are bytes of the command line: what is no UTF-8 is written as U+FFFD, byte by byte. */
static size_t utf8_length(const unsigned char *s)
{
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
               : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
               : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                             : 0;

    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

static void json_string(FILE *to, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    fputc('"', to);
    while (*s != '\0') {
        size_t n = utf8_length(s);

        if (n == 0)
            fputs("\\ufffd", to);
        else if (*s == '"' || *s == '\\')
            fprintf(to, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(to, "\\u%04x", *s);
        else
            fwrite(s, 1, n, to);
        s += n != 0 ? n : 1;
    }
    fputc('"', to);
}

/* The fields' object without its braces' beginning when `joins` something before it. */
static void json_body(FILE *to, struct cel_scraped *result)
{
    const char *json = result->item != NULL ? cel_item_json(result->item, NULL) : NULL;

    if (json != NULL)
        fputs(json + 1, to); /* behind the brace */
    else
        fprintf(to, "\"status\":%d,\"bytes\":%zu,\"elapsed_ms\":%lld}", result->status,
                result->body_bytes, (long long)(result->elapsed / CEL_MILLISECOND));
}

static char *json_entry(struct cel_scraped *result)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (to == NULL)
        return NULL;
    json_string(to, result->url);
    fputs(":{", to);
    json_body(to, result);
    if (fclose(to) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool hold(struct output *out, size_t index)
{
    size_t cap = out->held_cap != 0 ? out->held_cap : 256;
    struct held *grown;

    while (cap <= index)
        cap *= 2;
    if (cap == out->held_cap)
        return true;
    grown = realloc(out->held, cap * sizeof *grown);
    if (grown == NULL)
        return false;
    memset(grown + out->held_cap, 0, (cap - out->held_cap) * sizeof *grown);
    out->held = grown;
    out->held_cap = cap;
    return true;
}

static void print_in_order(struct output *out)
{
    while (out->next < out->held_cap && out->held[out->next].is_done) {
        struct held *h = &out->held[out->next++];

        if (h->text == NULL)
            continue;
        fprintf(out->file, "%s%s", out->has_printed ? ",\n" : "{", h->text);
        out->has_printed = true;
        free(h->text);
        h->text = NULL;
    }
}

static void record_json(struct output *out, struct cel_scraped *result)
{
    if (!hold(out, result->index)) {
        out->has_failed = true;
        return;
    }
    out->held[result->index].is_done = true;
    if (result->code == 0) {
        out->held[result->index].text = json_entry(result);
        out->has_failed |= out->held[result->index].text == NULL;
    }
    print_in_order(out);
}

static void record_jsonl(struct output *out, struct cel_scraped *result)
{
    if (result->code < 0)
        return;
    fputs("{\"url\":", out->file);
    json_string(out->file, result->url);
    fputc(result->item == NULL || cel_item_count(result->item) != 0 ? ',' : ' ', out->file);
    json_body(out->file, result);
    fputc('\n', out->file);
}

/* ---- CSV, RFC 4180 ---- */

static void csv_cell(FILE *to, const char *bytes, size_t len)
{
    fputc('"', to);
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '"')
            fputc('"', to);
        fputc(bytes[i], to);
    }
    fputc('"', to);
}

static void csv_head(struct output *out)
{
    fputs("url", out->file);
    for (size_t i = 0; out->fields != NULL && i < cel_fields_count(out->fields); i++) {
        const char *name = cel_fields_name(out->fields, i);

        fputc(',', out->file);
        csv_cell(out->file, name, strlen(name));
    }
    if (out->fields == NULL)
        fputs(",status,bytes,elapsed_ms", out->file);
    fputs("\r\n", out->file);
}

static void csv_values(FILE *to, const struct cel_item *item, size_t i)
{
    fputc(',', to);
    if (cel_item_kind(item, i) == CEL_ITEM_MISSING)
        return;
    fputc('"', to);
    for (size_t k = 0; k < cel_item_values(item, i); k++) {
        struct cel_str v = cel_item_value(item, i, k);

        if (k != 0)
            fputc('\n', to);
        for (size_t at = 0; at < v.len; at++) {
            if (v.ptr[at] == '"')
                fputc('"', to);
            fputc(v.ptr[at], to);
        }
    }
    fputc('"', to);
}

static void record_csv(struct output *out, struct cel_scraped *result)
{
    if (!out->has_printed)
        csv_head(out);
    out->has_printed = true;
    if (result->code < 0)
        return;
    csv_cell(out->file, result->url, strlen(result->url));
    if (result->item == NULL)
        fprintf(out->file, ",%d,%zu,%lld", result->status, result->body_bytes,
                (long long)(result->elapsed / CEL_MILLISECOND));
    for (size_t i = 0; result->item != NULL && i < cel_item_count(result->item); i++)
        csv_values(out->file, result->item, i);
    fputs("\r\n", out->file);
}

void output_record(struct output *out, struct cel_scraped *result)
{
    output_begin(out);
    errno = 0;
    switch (out->format) {
    case OUTPUT_JSON:
        record_json(out, result);
        break;
    case OUTPUT_JSONL:
        record_jsonl(out, result);
        break;
    case OUTPUT_CSV:
        record_csv(out, result);
        break;
    }
    if (out->is_live && out->format != OUTPUT_JSON)
        fflush(out->file);
    if (ferror(out->file) != 0 && out->error == 0)
        out->error = errno != 0 ? errno : EIO;
}

bool output_close(struct output *out)
{
    bool is_whole;

    errno = 0;
    if (out->has_begun && out->format == OUTPUT_JSON)
        fputs(out->has_printed ? "}\n" : "{}\n", out->file);
    if (out->has_begun && out->format == OUTPUT_CSV && !out->has_printed)
        csv_head(out);
    if ((fflush(out->file) != 0 || ferror(out->file) != 0) && out->error == 0)
        out->error = errno != 0 ? errno : EIO;
    if (out->file != stdout && fclose(out->file) != 0 && out->error == 0)
        out->error = errno;
    is_whole = out->error == 0 && !out->has_failed;
    if (!is_whole)
        complain("not all of the output was written to %s: %s",
                 out->path != NULL ? out->path : "standard output",
                 out->has_failed ? "out of memory" : cel_strerror(out->error));
    for (size_t i = 0; i < out->held_cap; i++)
        free(out->held[i].text);
    free(out->held);
    free(out);
    return is_whole;
}
