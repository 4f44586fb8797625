/* SPDX-License-Identifier: MIT */
#include "plays.h"

const struct play plays[] = {
    {"echo", play_echo},
};
const size_t play_count = sizeof plays / sizeof plays[0];
