# SPDX-License-Identifier: MIT
"""A gdb command for fibers that do not run.

    (gdb) source tools/celadon-gdb.py
    (gdb) celadon-bt FIBER [COMMAND...]

FIBER is an expression that gives the address of a suspended struct cel_fiber; COMMAND, by default
`backtrace`, is carried out as if that fiber ran. Works on a live process and on a core file, and
needs no debug information: it knows only the frame that the swap leaves on the stack
(src/fiber/switch_*.S). In a core file, whose registers cannot be set, the fiber's frames are told
as the callers of the thread's innermost one: they begin at #1.
"""
import gdb
import gdb.unwinder

WORD = 8
# Registers in the order in which they lie on the suspended stack, and the size of it all.
X86_64 = (["r15", "r14", "r13", "r12", "rbx", "rbp", "rip"], 7 * WORD, "rsp")
AARCH64 = (["x29", "pc"] + ["x%d" % n for n in range(19, 29)], 20 * WORD, "sp")


def layout_of(architecture):
    return AARCH64 if architecture.name().startswith("aarch64") else X86_64


def layout():
    return layout_of(gdb.selected_frame().architecture())


def is_core():
    """A core file has a thread, but nothing of it can be set."""
    name = layout()[0][0]
    was = int(gdb.parse_and_eval("(unsigned long)$%s" % name))
    try:
        set_register(name, was ^ 1)
    except gdb.error:
        return True
    set_register(name, was)
    return False


def read_word(address):
    memory = gdb.selected_inferior().read_memory(address, WORD)
    return int.from_bytes(memory.tobytes(), "little")


def set_register(name, value):
    gdb.execute("set $%s = %d" % (name, value), to_string=True)


class Place:
    """What names a frame to gdb."""

    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class FiberUnwinder(gdb.unwinder.Unwinder):
    """While it has a fiber, says that this called the thread's innermost frame."""

    def __init__(self):
        super().__init__("celadon-fiber")
        self.registers = None
        self.innermost = None

    def __call__(self, pending):
        if self.registers is None:
            return None
        _, _, sp_name = layout_of(pending.architecture())
        sp = pending.read_register(sp_name)
        if int(sp) != self.innermost:
            return None
        # gdb wants stacks to grow: the innermost frame is said to lie below the fiber's.
        below = gdb.Value(self.registers[sp_name] - WORD).cast(sp.type)
        info = pending.create_unwind_info(Place(below, pending.read_register("pc")))
        for name, value in self.registers.items():
            kind = pending.read_register(name).type
            info.add_saved_register(name, gdb.Value(value).cast(kind))
        return info


UNWINDER = FiberUnwinder()
gdb.unwinder.register_unwinder(None, UNWINDER, True)


def without_innermost(text):
    return "".join(line for line in text.splitlines(True) if not line.startswith("#0 "))


def in_core(registers, sp_name, command):
    """The command's words, with the fiber's frames behind the innermost one."""
    frame = gdb.newest_frame()
    UNWINDER.innermost = int(frame.read_register(sp_name))
    UNWINDER.registers = registers
    gdb.invalidate_cached_frames()
    try:
        gdb.write(without_innermost(gdb.execute(command, to_string=True)))
    finally:
        UNWINDER.registers = None
        gdb.invalidate_cached_frames()


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
        if is_core():
            values = {name: read_word(sp + i * WORD) for i, name in enumerate(registers)}
            in_core({**values, sp_name: sp + size}, sp_name, command)
            return
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
