/* SPDX-License-Identifier: MIT */
#include "http/jar.h"
void cel__jar_init(struct cel__jar *jar)
{
    *jar = (struct cel__jar){0};
}
void cel__jar_fini(struct cel__jar *jar)
{
    cel__map_fini(&jar->domains);
}
int cel__jar_set(struct cel__jar *jar, const struct cel__target *from, struct cel_str line)
{
    return 0;
}
int cel__jar_write(struct cel__jar *jar, const struct cel__target *to, struct cel__buf *out)
{
    return 0;
}
