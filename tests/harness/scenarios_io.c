/* SPDX-License-Identifier: MIT */
#include "harness/scenarios_io.h"

#include <string.h>

#include "base/cc.h"
#include "celadon/process.h"

#define MS CEL_MILLISECOND

void *scenario_process(void *arg)
{
    const char *const argv[] = {"cat", NULL};
    struct cel_output output;

    if (cel_process_run(argv, NULL, "text", 4, 100, &output) == 0) {
        CEL__ASSERT(output.out_len == 4 && strcmp(output.out, "text") == 0);
        cel_output_free(&output);
    }
    return NULL;
}

void *scenario_process_stop(void *arg)
{
    const char *const argv[] = {"sleep", "1000", NULL};
    struct cel_process *p;
    struct cel_exit exit = {0};

    if (cel_process_spawn(&p, argv, NULL) < 0)
        return NULL;
    CEL_SCOPE (s, .timeout = MS)
        (void)!cel_process_wait(p, NULL);
    CEL__ASSERT(cel_process_stop(p, MS, &exit) == 0 && exit.signo != 0);
    cel_process_close(p);
    return NULL;
}
