/* SPDX-License-Identifier: MIT */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

/* Records to a file or stdout: one JSON object keyed by URL, in the order of the list; or a JSON
 * line or a CSV row each, in the order in which the pages came. */

#include <stdbool.h>

#include <celadon/crawl.h>

enum output_format { OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_CSV };

struct output;

/* path NULL or "-": stdout. fields NULL: records of status and size. NULL: complained. */
struct output *output_open(const char *path, enum output_format format,
                           const struct cel_fields *fields);
/* The work has begun, so that also without a record what is written is whole: "{}". The first
 * record begins it too. A file is only emptied now. */
void output_begin(struct output *out);
/* Takes the item out of the result. A failed URL is passed too, so that those behind it need not
 * wait. */
void output_record(struct output *out, struct cel_scraped *result);
/* Nothing more can be written: the reader is gone or the disk is full. */
bool output_is_broken(const struct output *out);
/* false: not all was written; complained. */
bool output_close(struct output *out);

#endif
