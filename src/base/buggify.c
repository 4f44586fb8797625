/* SPDX-License-Identifier: MIT */
#include "base/buggify.h"

/* Absent where there is no place. */
/* lint: naked-extern: the linker defines them */
extern struct cel__rare __start_cel_rare[] __attribute__((weak, visibility("hidden")));
/* lint: naked-extern: the linker defines them */
extern struct cel__rare __stop_cel_rare[] __attribute__((weak, visibility("hidden")));

bool (*cel__buggify)(struct cel__rare *place);

struct cel__rare *cel__rare_places(size_t *count)
{
    *count = (size_t)(__stop_cel_rare - __start_cel_rare);
    return __start_cel_rare;
}
