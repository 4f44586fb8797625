# SPDX-License-Identifier: MIT
"""A gdb command for fibers that do not run.

    (gdb) source tools/celadon-gdb.py
    (gdb) celadon-bt FIBER [COMMAND...]

FIBER is an expression that gives the address of a suspended struct cel_fiber; COMMAND, by default
`backtrace`, is carried out as if that fiber ran. Works on a live process and needs no debug
information: it knows only the frame that the swap leaves on the stack (src/fiber/switch_*.S).
"""
import gdb

WORD = 8
# Registers in the order in which they lie on the suspended stack, and the size of it all.
X86_64 = (["r15", "r14", "r13", "r12", "rbx", "rbp", "rip"], 7 * WORD, "rsp")
AARCH64 = (["x29", "pc"] + ["x%d" % n for n in range(19, 29)], 20 * WORD, "sp")


def layout():
    name = gdb.selected_frame().architecture().name()
    return AARCH64 if name.startswith("aarch64") else X86_64


def read_word(address):
    memory = gdb.selected_inferior().read_memory(address, WORD)
    return int.from_bytes(memory.tobytes(), "little")


def set_register(name, value):
    gdb.execute("set $%s = %d" % (name, value), to_string=True)


class FiberBacktrace(gdb.Command):
    """celadon-bt FIBER [COMMAND...]: the backtrace of a suspended fiber."""

    def __init__(self):
        super().__init__("celadon-bt", gdb.COMMAND_STACK, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not words:
            raise gdb.GdbError("celadon-bt FIBER [COMMAND...]")
        fiber = int(gdb.parse_and_eval("(unsigned long)(%s)" % words[0]))
        command = " ".join(words[1:]) or "backtrace"
        registers, size, sp_name = layout()
        sp = read_word(fiber)

        gdb.newest_frame().select()
        names = registers + [sp_name]
        saved = [int(gdb.parse_and_eval("(unsigned long)$%s" % name)) for name in names]
        try:
            for i, name in enumerate(registers):
                set_register(name, read_word(sp + i * WORD))
            set_register(sp_name, sp + size)
            gdb.execute(command, from_tty)
        finally:
            for name, value in zip(names, saved):
                set_register(name, value)


FiberBacktrace()
