/* SPDX-License-Identifier: MIT */
#include "loop/op.h"

#include "base/cc.h"

const char *cel__op_name(const struct cel__op *op)
{
    static const char *const names[] = {
        [CEL__OP_READ] = "read",           [CEL__OP_LOAN] = "read",
        [CEL__OP_WRITE] = "write",         [CEL__OP_WRITEV] = "write",
        [CEL__OP_RECVMSG] = "receive",     [CEL__OP_SENDMSG] = "send",
        [CEL__OP_ACCEPT] = "accept",       [CEL__OP_CONNECT] = "connect",
        [CEL__OP_POLL] = "readiness",      [CEL__OP_PREAD] = "file read",
        [CEL__OP_PWRITE] = "file write",   [CEL__OP_FSYNC] = "file sync",
        [CEL__OP_FDATASYNC] = "file sync", [CEL__OP_PREADV] = "file read",
        [CEL__OP_PWRITEV] = "file write"};

    return op->kind < cel__countof(names) && names[op->kind] != NULL ? names[op->kind]
                                                                     : "an operation";
}
