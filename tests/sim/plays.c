/* SPDX-License-Identifier: MIT */
#include "plays.h"

const struct play plays[] = {
    {"tasks", play_tasks},   {"times", play_times}, {"sync", play_sync},
    {"queues", play_queues}, {"pools", play_pools}, {"deadlines", play_deadlines},
    {"lines", play_lines},   {"echo", play_echo},   {"datagrams", play_datagrams},
    {"files", play_files},   {"saves", play_saves}, {"crash", play_crash},
    {"twins", play_twins},   {"tls", play_tls},     {"http", play_http},
    {"peers", play_peers},   {"web", play_web},     {"scrape", play_scrape},
};
const size_t play_count = sizeof plays / sizeof plays[0];
