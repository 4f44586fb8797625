/* SPDX-License-Identifier: MIT */
#include "task/layout.h"

#include <stddef.h>

#include "fiber/stack.h"
#include "loop/alive.h"
#include "loop/proactor.h"
#include "task/place.h"
#include "task/slab.h"

/* Named after the source, so that whoever knows one knows the other. */
#define FIELD(type, member) {#type "." #member, offsetof(struct type, member)},
#define SIZE(type)          {"sizeof " #type, sizeof(struct type)},
#define NUMBER(name)        {#name, name},
#define OP(name)            {"op " #name, CEL__OP_##name},
#define EVENT(name, w, v)   {"event " #name, CEL__EVENT_##name},

/* clang-format off */
static const struct cel__layout_entry entries[] = {
    SIZE(cel_loop) FIELD(cel_loop, alive) FIELD(cel_loop, sched.current) FIELD(cel_loop, backend)
    FIELD(cel_loop, backend_data) FIELD(cel_loop, now) FIELD(cel_loop, ops_in_flight)
    FIELD(cel_loop, jobs) FIELD(cel_loop, trace) FIELD(cel_loop, inbox.head)
    FIELD(cel_loop, fds.chunks) FIELD(cel_loop, fds.chunk_count) FIELD(cel_loop, fds.live)
    FIELD(cel_loop, tasks) FIELD(cel_loop, wheel) FIELD(cel__backend, name)

    FIELD(cel__tasks, chunks) FIELD(cel__tasks, live)
    FIELD(cel__chunk, next) FIELD(cel__chunk, room)
    NUMBER(CEL__CHUNK_TASKS) NUMBER(CEL__CHUNK_ALIGN)

    SIZE(cel_task) FIELD(cel_task, future.state) FIELD(cel_task, future.code)
    FIELD(cel_task, scope) FIELD(cel_task, wait) FIELD(cel_task, wait_on) FIELD(cel_task, fiber)
    NUMBER(CEL__PENDING) NUMBER(CEL__ASLEEP_MARK)
    SIZE(cel__wait) FIELD(cel__wait, what) FIELD(cel__wait, on) FIELD(cel__wait, at)
    NUMBER(CEL__ON_OP) NUMBER(CEL__ON_FUTURE) NUMBER(CEL__ON_TIMER) NUMBER(CEL__ON_LOCK)
    NUMBER(CEL__ON_SCOPE) NUMBER(CEL__ON_LINE)
    FIELD(cel_lock, owner_) FIELD(cel_lock, line_) FIELD(cel__waitq, what) FIELD(cel__waitq, of)

    SIZE(cel_fiber) FIELD(cel_fiber, ctx.sp) FIELD(cel_fiber, link) FIELD(cel_fiber, top)
    FIELD(cel_fiber, stack) FIELD(cel_fiber, state) FIELD(cel_fiber, name) FIELD(cel_fiber, file)
    FIELD(cel_fiber, line) FIELD(cel_fiber, since) NUMBER(CEL__FIBER_NEW)
    SIZE(cel__stack) FIELD(cel__stack, top) FIELD(cel__stack, class) NUMBER(CEL__STACK_MIN)

    SIZE(cel__scope) FIELD(cel__scope, parent) FIELD(cel__scope, task) FIELD(cel__scope, code)
    FIELD(cel__scope, live) FIELD(cel__scope, flags) FIELD(cel_scope, timer_)
    NUMBER(CEL__SCOPE_SHIELDED) NUMBER(CEL__SCOPE_GROUP) NUMBER(CEL__SCOPE_EXPIRED)
    NUMBER(CEL__SCOPE_TASK)

    SIZE(cel__wheel) FIELD(cel__wheel, armed) FIELD(cel__wheel, slots) FIELD(cel__wheel, homeless)
    FIELD(cel__wheel, due_first) FIELD(cel__wheel, due_used) FIELD(cel__wheel, due)
    NUMBER(CEL__WHEEL_LEVELS) NUMBER(CEL__WHEEL_SLOTS) NUMBER(CEL__WHEEL_DUE)
    SIZE(cel__agenda) FIELD(cel__agenda, head)
    SIZE(cel__page) FIELD(cel__page, next) FIELD(cel__page, used) FIELD(cel__page, entries)
    SIZE(cel__entry) FIELD(cel__entry, timer)
    SIZE(cel__timer) FIELD(cel__timer, at) FIELD(cel__timer, next) FIELD(cel__timer, deadline)
    FIELD(cel__timer, fire)

    SIZE(cel__fd) FIELD(cel__fd, fd) FIELD(cel__fd, slot) FIELD(cel__fd, generation)
    FIELD(cel__fd, ready) FIELD(cel__fd, readers) FIELD(cel__fd, writers)
    FIELD(cel__fd, backend_data) NUMBER(CEL__FD_CHUNK) NUMBER(CEL__FD_IN) NUMBER(CEL__FD_OUT)
    SIZE(cel__op) FIELD(cel__op, link) FIELD(cel__op, fd) FIELD(cel__op, done) FIELD(cel__op, arg)
    FIELD(cel__op, kind)
    OP(READ) OP(LOAN) OP(WRITE) OP(WRITEV) OP(RECVMSG) OP(SENDMSG) OP(ACCEPT) OP(CONNECT) OP(POLL)
    OP(PREAD) OP(PWRITE) OP(FSYNC) OP(FDATASYNC) OP(PREADV) OP(PWRITEV)

    FIELD(cel__proactor, slots.all) FIELD(cel__proactor, slots.count) FIELD(cel__proactor, ended)
    SIZE(cel__slot) FIELD(cel__slot, op)

    SIZE(cel__trace) FIELD(cel__trace, at) FIELD(cel__trace, mask) FIELD(cel__trace, ring)
    SIZE(cel__event_record) FIELD(cel__event_record, time) FIELD(cel__event_record, what)
    FIELD(cel__event_record, value) FIELD(cel__event_record, kind)
    CEL__EVENTS(EVENT)
};
/* clang-format on */

const struct cel__layout cel__debug_layout = {
    .magic = "celadon",
    .version = CEL__LAYOUT_VERSION,
    .count = cel__countof(entries),
    .entries = entries,
    .loops = &cel__loops_alive,
};
