/* SPDX-License-Identifier: MIT */
#include "machine/diary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cc.h"
#include "celadon/base.h"
#include "machine/under.h"

const char *cel__mark_name(uint32_t mark)
{
    static const char *const names[] = {
        [CEL__MARK_TASK] = "task runs",
        [CEL__MARK_PARTING] = "who is parted",
        [CEL__MARK_CALM] = "faults end",
        [CEL__MARK_IMPATIENT] = "patience is over",
        [CEL__MARK_RESUME] = "host goes on",
        [CEL__MARK_CLOG] = "is clogged",
        [CEL__MARK_OUTAGE] = "loses power",
        [CEL__MARK_JOB] = "job runs",
        [CEL__MARK_NAME] = "name is answered",
        [CEL__MARK_DATAGRAM] = "datagram arrives",
        [CEL__MARK_KNOCK] = "connect is sent",
        [CEL__MARK_PACKET] = "SYN arrives",
        "SYN ACK arrives",
        "connection is there",
        "data arrive",
        "ACK arrives",
        "FIN arrives",
        "RST arrives",
    };

    return mark < cel__countof(names) && names[mark] != NULL ? names[mark] : "event";
}

/* "  1.000000123  " */
static size_t format_time(int64_t at, char *out, size_t cap)
{
    return (size_t)snprintf(out, cap, "%3lld.%09lld  ", (long long)(at / CEL_SECOND),
                            (long long)(at % CEL_SECOND));
}

/* " of io/stream.c:12" */
static size_t format_place(const struct cel__note *note, char *out, size_t cap)
{
    const char *file = note->file;

    while (strncmp(file, "../", 3) == 0)
        file += 3;
    return (size_t)snprintf(out, cap, " of %s:%d", file, note->line);
}

static void format(const struct cel__diary *d, const struct cel__note *note, char *out, size_t cap)
{
    size_t len = format_time(note->at - d->began, out, cap);

    if (note->from != NULL)
        len += (size_t)snprintf(out + len, cap - len, "%s%s%s: ", note->from,
                                note->to != NULL ? " to " : "", note->to != NULL ? note->to : "");
    if (note->fault != 0)
        len +=
            (size_t)snprintf(out + len, cap - len, "fault %llu: ", (unsigned long long)note->fault);
    if (note->is_task && (note->text[0] != '\0' || note->file == NULL))
        len += (size_t)snprintf(out + len, cap - len, "\"%s\" ", note->text);
    else if (note->is_task)
        len += (size_t)snprintf(out + len, cap - len, "task ");
    len +=
        (size_t)snprintf(out + len, cap - len, "%s", note->what != NULL ? note->what : note->text);
    if (note->file != NULL && note->text[0] == '\0')
        (void)format_place(note, out + len, cap - len);
}

static void follow(struct cel__diary *d, const struct cel__note *note)
{
    char line[256];
    size_t len;

    format(d, note, line, sizeof line - 1);
    len = strlen(line);
    line[len] = '\n';
    if (cel__under.write(d->fd, line, len + 1) < 0)
        d->fd = -1;
}

/* The next one to be written: fields are set one by one, since there is one for each event. */
static struct cel__note *begin(struct cel__diary *d, const char *what, const char *from)
{
    struct cel__note *note = &d->last[d->count % CEL__DIARY_LAST];

    note->at = *d->now;
    note->fault = 0;
    note->what = what;
    note->from = from;
    note->to = NULL;
    note->file = NULL;
    note->is_task = false;
    note->text[0] = '\0';
    return note;
}

static void enter(struct cel__diary *d, const struct cel__note *note)
{
    d->count++;
    if (d->fd >= 0)
        follow(d, note);
}

void cel__diary_event(struct cel__diary *d, uint32_t mark, const char *from, const char *to)
{
    struct cel__note *note;

    if (d->is_closed)
        return;
    note = begin(d, cel__mark_name(mark), from);
    note->to = to;
    enter(d, note);
}

static void put_text(struct cel__note *note, const char *text)
{
    size_t len = strnlen(text, sizeof note->text - 1);

    memcpy(note->text, text, len);
    note->text[len] = '\0';
}

void cel__diary_task(struct cel__diary *d, const char *name, const char *file, int line,
                     const char *on)
{
    struct cel__note *note;

    d->task_file = file;
    d->task_line = line;
    if (d->is_closed)
        return;
    note = begin(d, "runs", on);
    note->file = file;
    note->line = line;
    note->is_task = true;
    if (name != NULL)
        put_text(note, name);
    enter(d, note);
}

static const char *actor(const struct cel__diary *d)
{
    return d->who != NULL ? d->who(d->arg) : NULL;
}

void cel__diary_say(struct cel__diary *d, const char *text)
{
    struct cel__note *note;

    if (d->is_closed)
        return;
    note = begin(d, NULL, actor(d));
    put_text(note, text);
    enter(d, note);
}

/* ---- faults ---- */

static bool is_wanted(const char *wanted, uint64_t number)
{
    while (wanted != NULL && *wanted != '\0') {
        char *end;
        uint64_t first = strtoull(wanted, &end, 10), last = first;

        if (*end == '-')
            last = end[1] == '\0' || end[1] == ',' ? UINT64_MAX : strtoull(end + 1, &end, 10);
        if (number >= first && number <= last)
            return true;
        wanted = strchr(end, ',');
        wanted = wanted != NULL ? wanted + 1 : NULL;
    }
    return false;
}

bool cel__diary_understands(const char *wanted)
{
    return wanted[strspn(wanted, "0123456789-,")] == '\0';
}

static void count(struct cel__diary *d, const char *what)
{
    for (size_t i = 0; i < CEL__DIARY_KINDS; i++) {
        if (d->kinds[i].what != NULL && strcmp(d->kinds[i].what, what) != 0)
            continue;
        d->kinds[i].what = what;
        d->kinds[i].count++;
        return;
    }
}

bool cel__diary_fault(struct cel__diary *d, const char *what, const char *file, int line)
{
    uint64_t number = ++d->numbers;
    struct cel__note *note;

    if (d->wanted != NULL && !is_wanted(d->wanted, number))
        return false;
    count(d, what);
    if (d->is_closed)
        return true;
    note = begin(d, what, actor(d));
    note->fault = number;
    note->file = file;
    note->line = line;
    enter(d, note);
    return true;
}

/* ---- asking ---- */

char *cel__diary_counts(const struct cel__diary *d, char *out, size_t cap)
{
    size_t len = 0;

    (void)snprintf(out, cap, "none");
    for (size_t i = 0; i < CEL__DIARY_KINDS && d->kinds[i].what != NULL && len < cap; i++)
        len += (size_t)snprintf(out + len, cap - len, "%s%s %llu", i > 0 ? ", " : "",
                                d->kinds[i].what, (unsigned long long)d->kinds[i].count);
    return out;
}

bool cel__diary_line(const struct cel__diary *d, unsigned nth, char *out, size_t cap)
{
    uint64_t kept = cel__min(d->count, (uint64_t)CEL__DIARY_LAST);

    if (nth >= kept)
        return false;
    format(d, &d->last[(d->count - kept + nth) % CEL__DIARY_LAST], out, cap);
    return true;
}
