/* SPDX-License-Identifier: MIT */
#include "machine/cargo.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cc.h"
#include "machine/opened.h"
#include "machine/socket.h"
#include "machine/under.h"

static int copy_of(int fd)
{
    struct cel__socket *s = cel__socket_find(fd);
    struct cel__opened *o = cel__opened_find(fd);
    int copy;

    if (s != NULL)
        return cel__socket_number(s);
    if (o != NULL)
        return cel__opened_share(o);
    copy = cel__under.fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? -errno : copy;
}

int cel__cargo_pack(struct cel__cargo **out, struct cel__machine *m, const int *fds, unsigned count)
{
    struct cel__cargo *cargo = cel__machine_alloc(sizeof *cargo + count * sizeof *fds);

    cel__list_init(&cargo->link);
    for (unsigned i = 0; i < count; i++) {
        int r = copy_of(fds[i]);

        if (r < 0) {
            cel__cargo_drop(cargo);
            return r;
        }
        cargo->fds[cargo->count++] = r;
    }
    *out = cargo;
    return 0;
}

void cel__cargo_drop(struct cel__cargo *cargo)
{
    if (cargo == NULL)
        return;
    cel__list_unlink(&cargo->link);
    for (unsigned i = 0; i < cargo->count; i++)
        cel__sys_floor.close(cargo->fds[i]);
    cel__machine_release(cargo);
}

void cel__cargo_drop_all(struct cel__list *cargos)
{
    while (!cel__list_is_empty(cargos))
        cel__cargo_drop(cel__container_of(cargos->next, struct cel__cargo, link));
}

size_t cel__cargo_limit(const struct cel__list *cargos, uint64_t read, size_t n)
{
    CEL__LIST_EACH (node, cargos) {
        const struct cel__cargo *cargo = cel__container_of(node, struct cel__cargo, link);

        if (cargo->at > read)
            return cel__min(n, (size_t)(cargo->at - read));
    }
    return n;
}

struct cel__cargo *cel__cargo_land(struct cel__list *cargos, uint64_t read)
{
    struct cel__cargo *first;

    if (cel__list_is_empty(cargos))
        return NULL;
    first = cel__container_of(cargos->next, struct cel__cargo, link);
    if (first->at >= read)
        return NULL;
    cel__list_unlink(&first->link);
    return first;
}
