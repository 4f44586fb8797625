/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "task/state.h"

const char *cel__task_site(const struct cel_task *task, char site[CEL__SITE_MAX])
{
    if (task->fiber.line != 0)
        (void)snprintf(site, CEL__SITE_MAX, "spawned at %s:%d", task->fiber.file, task->fiber.line);
    else
        (void)snprintf(site, CEL__SITE_MAX, "spawned by %s", task->fiber.file);
    return site;
}
