# SPDX-License-Identifier: MIT
"""gdb commands for programs that use Celadon, on a live process or a core file.

    (gdb) source tools/celadon-gdb.py
    celadon-loops                   the loops of the process, and what they do
    celadon-tasks                   each task: its number, state, what it waits for, scopes, stack
    celadon-task TASK [COMMAND...]  COMMAND, by default `backtrace`, as if that task ran
    celadon-bt FIBER [COMMAND...]   the same, of a fiber by its address
    celadon-timers                  what is armed, the earliest first
    celadon-ops                     operations in flight
    celadon-fds                     descriptors under a loop's care
    celadon-trace [COUNT]           the last events, where the program traces

TASK is a number that celadon-tasks told, valid until the program goes on, or an address; FIBER is
an expression that gives the address of a suspended struct cel_fiber.

No debug information is needed: offsets come from the table `cel__debug_layout` of the library
at hand (src/task/layout.c), frames from what the swap leaves on the stack (src/fiber/switch_*.S).
In a core file, whose registers cannot be set, a fiber's frames are told as the callers of the
thread's innermost one: they begin at #1. `set debuginfod enabled off` keeps gdb from the network.
"""
import gdb
import gdb.unwinder

WORD = 8
VERSION = 1
LOOPS_MAX = 4096  # of one list: memory may be broken
CHAIN_MAX = 1 << 20
SCOPES_MAX = 16
TICK = 1 << 20  # ns; the unit of a fiber's `since`

# ---- the memory ----


def read(address, size):
    return gdb.selected_inferior().read_memory(address, size).tobytes()


def read_int(address, size=WORD, signed=False):
    return int.from_bytes(read(address, size), "little", signed=signed)


def read_word(address):
    return read_int(address)


def read_string(address, most=200):
    """What is unreadable is said, not raised: memory may be broken, and the rest matters."""
    if address == 0:
        return ""
    text = bytearray()
    try:
        while len(text) < most:
            byte = read(address + len(text), 1)
            if byte == b"\0":
                break
            text += byte
    except gdb.MemoryError:
        return "<unreadable>"
    return "".join(chr(c) if 32 <= c < 127 else "?" for c in text)


class Layout(dict):
    """Names to offsets, sizes and numbers, as the library tells them."""

    def __init__(self):
        super().__init__()
        try:
            at = int(gdb.parse_and_eval("(unsigned long)&cel__debug_layout"))
            head = read(at, 32)
        except gdb.error:
            raise gdb.GdbError("no Celadon here: no symbol cel__debug_layout, or no process")
        if head[:8] != b"celadon\0" or int.from_bytes(head[8:12], "little") != VERSION:
            raise gdb.GdbError("this script and the library are of different versions")
        count = int.from_bytes(head[12:16], "little")
        table = read(int.from_bytes(head[16:24], "little"), count * 48)
        for i in range(count):
            name = table[i * 48:i * 48 + 44].rstrip(b"\0").decode()
            self[name] = int.from_bytes(table[i * 48 + 44:i * 48 + 48], "little")
        self.loops = int.from_bytes(head[24:32], "little")

    def names(self, prefix):
        """Of an enumeration: number -> name."""
        return {n: name[len(prefix):] for name, n in self.items() if name.startswith(prefix)}


class Record:
    """A struct of the library, read as a whole."""

    def __init__(self, layout, kind, address):
        self.layout = layout
        self.kind = kind
        self.address = address
        self.bytes = read(address, layout["sizeof " + kind])

    def offset(self, field):
        return self.layout["%s.%s" % (self.kind, field)]

    def at(self, field):
        return self.address + self.offset(field)

    def get(self, field, size=WORD, signed=False):
        at = self.offset(field)
        return int.from_bytes(self.bytes[at:at + size], "little", signed=signed)


def duration(ns):
    us = abs(ns) // 1000
    sign = "-" if ns < 0 else ""
    if us < 10000:
        return "%s%d us" % (sign, us)
    if us < 10000000:
        return "%s%d ms" % (sign, us // 1000)
    return "%s%d.%03d s" % (sign, us // 1000000, us // 1000 % 1000)


def function_name(address):
    text = gdb.execute("info symbol %d" % address, to_string=True)
    return text.split()[0] if not text.startswith("No symbol") else "0x%x" % address


def say(text):
    gdb.write(text + "\n")


# ---- loops ----


class Loop(Record):
    def __init__(self, layout, address):
        super().__init__(layout, "cel_loop", address)
        self.now = self.get("now", signed=True)
        self.running = self.get("sched.current")
        self.backend = read_string(
            read_word(self.get("backend") + layout["cel__backend.name"]))

    def task_addresses(self):
        """In the order of their memory: the oldest chunk first."""
        tasks = self.get("tasks")
        if tasks == 0:
            return
        chunks, at = [], read_word(tasks + self.layout["cel__tasks.chunks"])
        while at != 0 and len(chunks) < CHAIN_MAX:
            chunks.append(at)
            at = read_word(at + self.layout["cel__chunk.next"])
        align = self.layout["CEL__CHUNK_ALIGN"]
        for chunk in reversed(chunks):
            first = (chunk + self.layout["cel__chunk.room"] + align - 1) & ~(align - 1)
            for i in range(self.layout["CEL__CHUNK_TASKS"]):
                yield first + i * self.layout["sizeof cel_task"]

    def fds(self):
        chunks = self.get("fds.chunks")
        size = self.layout["sizeof cel__fd"]
        for i in range(self.get("fds.chunk_count", 4)):
            chunk = read_word(chunks + i * WORD)
            for slot in range(self.layout["CEL__FD_CHUNK"]):
                if read_int(chunk + slot * size + self.layout["cel__fd.fd"], 4, True) >= 0:
                    yield Record(self.layout, "cel__fd", chunk + slot * size)

    def ops(self):
        """Those in the lines of descriptors, and with io_uring what slots and ended ops hold."""
        seen = {}
        for fd in self.fds():
            for line in ("readers", "writers"):
                for op in ring(fd.at(line)):
                    seen[op] = fd
        if self.backend == "uring":
            for op in self.uring_ops():
                seen.setdefault(op, None)
        return [Record(self.layout, "cel__op", op) for op in seen]

    def uring_ops(self):
        data = self.get("backend_data")
        slots = read_word(data + self.layout["cel__proactor.slots.all"])
        count = read_int(data + self.layout["cel__proactor.slots.count"], 4)
        size = self.layout["sizeof cel__slot"]
        for i in range(count):
            op = read_word(slots + i * size + self.layout["cel__slot.op"])
            if op != 0:
                yield op
        yield from ring(data + self.layout["cel__proactor.ended"])


def ring(head):
    """The nodes of an intrusive list whose links are the first members."""
    at, count = read_word(head), 0
    while at not in (head, 0) and count < CHAIN_MAX:
        yield at
        at = read_word(at)
        count += 1


def loops(layout):
    return [Loop(layout, node - layout["cel_loop.alive"])
            for node in ring(layout.loops)][:LOOPS_MAX]


# ---- tasks ----


class Task(Record):
    def __init__(self, loop, number, address):
        super().__init__(loop.layout, "cel_task", address)
        self.loop = loop
        self.number = number
        self.fiber = Record(loop.layout, "cel_fiber", self.at("fiber"))
        self.name = read_string(self.fiber.get("name")) or "task"
        self.is_running = self.fiber.address == loop.running
        self.is_new = self.fiber.get("state", 1) == loop.layout["CEL__FIBER_NEW"]

    def site(self):
        return "%s:%d" % (read_string(self.fiber.get("file")), self.fiber.get("line", 4))

    def stack(self):
        """-> (lowest address, the end), of the fiber of the task's tree that would go on."""
        top = Record(self.layout, "cel_fiber", self.fiber.get("top") or self.fiber.address)
        if top.get("stack") == 0:
            return 0, 0
        stack = Record(self.layout, "cel__stack", top.get("stack"))
        size = self.layout["CEL__STACK_MIN"] << stack.get("class", 1)
        return stack.get("top") - size, stack.get("top")

    def holds(self, address):
        low, high = self.stack()
        return low <= address < high

    def state(self, tasks):
        if self.is_running:
            return "running"
        if self.is_new:
            return "not started"
        if self.fiber.get("link") != 0:
            return "ready"
        ticks = (self.loop.now // TICK - self.fiber.get("since", 4)) & 0xffffffff
        return "parked %s; for %s" % (self.wait(tasks), duration(ticks * TICK))

    def wait(self, tasks):
        if self.get("wait") == 0:
            return ""
        wait = Record(self.layout, "cel__wait", self.get("wait"))
        what = read_string(wait.get("what"))
        on, at = wait.get("on", 1), self.get("wait_on")
        try:
            return what + self.more(on, at, at + wait.get("at", 1), tasks)
        except gdb.MemoryError:
            return what + "<unreadable>"

    def more(self, on, at, inner, tasks):
        """What the library's own reports say behind `what`; see enum cel__wait_on."""
        layout = self.layout
        if on == layout["CEL__ON_OP"]:
            return op_words(Record(layout, "cel__op", at))
        if on == layout["CEL__ON_FUTURE"]:
            return name_of(tasks, read_word(inner), "a future")
        if on == layout["CEL__ON_TIMER"]:
            timer = Record(layout, "cel__timer", inner)
            return duration(timer.get("deadline", signed=True) - self.loop.now) + " left"
        if on == layout["CEL__ON_LOCK"]:
            lock = read_word(inner) - layout["cel_lock.line_"]
            return name_of(tasks, read_word(lock + layout["cel_lock.owner_"]), "nobody")
        if on == layout["CEL__ON_SCOPE"]:
            live = read_int(at + layout["cel__scope.live"], 4)
            return "%d tasks of a scope to end" % live
        if on == layout["CEL__ON_LINE"]:
            line = read_word(inner)
            words = [read_string(read_word(line + layout["cel__waitq." + part]))
                     for part in ("what", "of")]
            return " ".join(words).rstrip()
        return ""

    def scopes(self):
        layout, words, at = self.layout, [], self.get("scope")
        while at != 0 and len(words) < SCOPES_MAX:
            scope = Record(layout, "cel__scope", at)
            if scope.get("task") == 0:
                break
            words.append(self.scope_words(scope))
            at = scope.get("parent")
        return " < ".join(words)

    def scope_words(self, scope):
        layout, flags = self.layout, scope.get("flags", 1)
        is_task = flags & layout["CEL__SCOPE_TASK"]
        if is_task:
            fiber = Record(layout, "cel_fiber", scope.get("task") + layout["cel_task.fiber"])
            words = read_string(fiber.get("name")) or "task"
        else:
            words = ("group" if flags & layout["CEL__SCOPE_GROUP"] else
                     "shield" if flags & layout["CEL__SCOPE_SHIELDED"] else "scope")
        if scope.get("code", 4) != 0:
            is_late = flags & layout["CEL__SCOPE_EXPIRED"]
            words += ", expired" if is_late else ", cancelled"
        if not is_task:
            timer = Record(layout, "cel__timer", scope.address + layout["cel_scope.timer_"])
            if timer.get("at") != 0:
                left = timer.get("deadline", signed=True) - self.loop.now
                words += ", deadline in " + duration(left)
        return words

    def stack_words(self):
        low, high = self.stack()
        sp = read_word(self.fiber.get("top") + self.layout["cel_fiber.ctx.sp"])
        if self.is_running or self.is_new or not low <= sp < high:
            return ""
        return "; stack %d of %d bytes" % (high - sp, high - low)


def tasks_of(layout):
    """All tasks that have not ended, of all loops, numbered from 1."""
    found = []
    for loop in loops(layout):
        for address in loop.task_addresses():
            state = read_int(address + layout["cel_task.future.state"], 1)
            if state == layout["CEL__PENDING"]:
                found.append(Task(loop, len(found) + 1, address))
    return found


def name_of(tasks, address, otherwise):
    for task in tasks:
        if task.address == address:
            return 'task %d "%s"' % (task.number, task.name)
    return otherwise


def owner_of(tasks, address):
    """Whose stack holds what lies there: sleeps, deadlines and ops mostly do."""
    for task in tasks:
        if task.holds(address):
            return '  of task %d "%s"' % (task.number, task.name)
    return ""


def op_words(op):
    kinds = op.layout.names("op ")
    words = kinds.get(op.get("kind", 1), "operation").lower()
    words = "read" if words == "loan" else words  # into a buffer of the loop's
    if op.get("fd") == 0:
        return words
    return "%s on descriptor %d" % (words, read_int(op.get("fd") + op.layout["cel__fd.fd"], 4, True))


# ---- commands that tell ----


def tell_loop(loop, tasks):
    tasks_at = loop.get("tasks")
    live = read_int(tasks_at + loop.layout["cel__tasks.live"], 4) if tasks_at != 0 else 0
    wheel = loop.at("wheel")
    armed = read_word(wheel + loop.layout["cel__wheel.armed"])
    say("loop 0x%x (%s): %d tasks, %d operations in flight, %d timers, %d descriptors, %d jobs; %s"
        % (loop.address, loop.backend, live, loop.get("ops_in_flight", 4), armed,
           loop.get("fds.live", 4), loop.get("jobs", 4), activity(loop, tasks)))


def activity(loop, tasks):
    if loop.running != 0:
        return "running " + name_of(tasks, loop.running - loop.layout["cel_task.fiber"], "a fiber")
    return "idle in the kernel" if loop.get("inbox.head") == loop.layout["CEL__ASLEEP_MARK"] else "between tasks"


def tell_loops(layout, argument):
    tasks = tasks_of(layout)
    for loop in loops(layout):
        tell_loop(loop, tasks)


def tell_tasks(layout, argument):
    tasks = tasks_of(layout)
    for task in tasks:
        say('task %d 0x%x "%s" (spawned at %s): %s%s' %
            (task.number, task.address, task.name, task.site(), task.state(tasks),
             task.stack_words()))
        say("    in " + task.scopes())


def wheel_timers(loop):
    """Addresses, from the wheel's slots, from what is due, and from those without a page."""
    layout, wheel = loop.layout, loop.at("wheel")
    slots = layout["CEL__WHEEL_LEVELS"] * layout["CEL__WHEEL_SLOTS"]
    size = layout["sizeof cel__agenda"]
    table = read(wheel + layout["cel__wheel.slots"], slots * size)
    for i in range(slots):
        head = i * size + layout["cel__agenda.head"]
        page = int.from_bytes(table[head:head + WORD], "little")
        while page != 0:
            record = Record(layout, "cel__page", page)
            yield from entries(layout, record.at("entries"), 0, record.get("used", 4))
            page = record.get("next")
    first = read_int(wheel + layout["cel__wheel.due_first"], 4)
    used = read_int(wheel + layout["cel__wheel.due_used"], 4)
    yield from entries(layout, wheel + layout["cel__wheel.due"], first,
                       min(used, layout["CEL__WHEEL_DUE"]))
    timer = read_word(wheel + layout["cel__wheel.homeless"])
    while timer != 0:
        yield timer
        timer = read_word(timer + layout["cel__timer.next"])


def entries(layout, table, first, last):
    for i in range(first, last):
        at = table + i * layout["sizeof cel__entry"]
        timer = read_word(at + layout["cel__entry.timer"])
        if timer != 0:
            yield timer


def tell_timers(layout, argument):
    tasks = tasks_of(layout)
    for loop in loops(layout):
        timers = [Record(layout, "cel__timer", at) for at in wheel_timers(loop)]
        for timer in sorted(timers, key=lambda t: t.get("deadline", signed=True)):
            say("timer 0x%x in %s: %s%s" %
                (timer.address, duration(timer.get("deadline", signed=True) - loop.now),
                 function_name(timer.get("fire")), owner_of(tasks, timer.address)))


def tell_ops(layout, argument):
    tasks = tasks_of(layout)
    for loop in loops(layout):
        for op in loop.ops():
            say("op 0x%x: %s%s" % (op.address, op_words(op), owner_of(tasks, op.address)))


def fd_words(fd):
    ready = fd.get("ready", 1)
    sides = [word for word, bit in (("readable", "CEL__FD_IN"), ("writable", "CEL__FD_OUT"))
             if ready & fd.layout[bit]]
    waiting = [sum(1 for _ in ring(fd.at(line))) for line in ("readers", "writers")]
    return "%s; %d waiting to read, %d to write" % (
        "perhaps " + " and ".join(sides) if sides else "not ready", waiting[0], waiting[1])


def tell_fds(layout, argument):
    for loop in loops(layout):
        for fd in loop.fds():
            say("descriptor %d: slot %d, life %d, %s" %
                (fd.get("fd", 4), fd.get("slot", 4), fd.get("generation", 4), fd_words(fd)))


def event_words(event, loop, tasks, names):
    name = names.get(event.get("kind", 4), "?")
    what, value = event.get("what"), event.get("value", signed=True)
    words = "    %s ago  %s" % (duration(loop.now - event.get("time", signed=True)), name)
    if what != 0:
        words += "  " + name_of(tasks, what, "0x%x" % what)
    if name == "task_park":
        return words + "  " + read_string(value & (1 << 64) - 1)
    return words + "  %d" % value


def tell_trace(layout, argument):
    count = int(argument) if argument.strip() else 32
    tasks, names = tasks_of(layout), layout.names("event ")
    for loop in loops(layout):
        if loop.get("trace") == 0:
            say("loop 0x%x: no trace runs" % loop.address)
            continue
        trace = Record(layout, "cel__trace", loop.get("trace"))
        at, mask = trace.get("at"), trace.get("mask")
        say("loop 0x%x: %d events" % (loop.address, at))
        for i in range(at - min(count, at, mask + 1), at):
            place = trace.at("ring") + (i & mask) * layout["sizeof cel__event_record"]
            event = Record(layout, "cel__event_record", place)
            say(event_words(event, loop, tasks, names))


class Teller(gdb.Command):
    def __init__(self, name, tell, doc):
        self.__doc__ = doc
        self.tell = tell
        super().__init__(name, gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        self.tell(Layout(), argument)


# ---- frames of what does not run ----

# Registers in the order in which they lie on the suspended stack, and the size of it all.
X86_64 = (["r15", "r14", "r13", "r12", "rbx", "rbp", "rip"], 7 * WORD, "rsp")
# In the record of a fiber that a hop suspended: where to go on, its frame, and the mark.
HOP_PC, HOP_FRAME, HOP_ON = 16, 24, 52
AARCH64 = (["x29", "pc"] + ["x%d" % n for n in range(19, 29)], 20 * WORD, "sp")


def frame_layout_of(architecture):
    return AARCH64 if architecture.name().startswith("aarch64") else X86_64


def frame_layout():
    return frame_layout_of(gdb.selected_frame().architecture())


def is_core():
    """A core file has a thread, but nothing of it can be set."""
    name = frame_layout()[0][0]
    was = int(gdb.parse_and_eval("(unsigned long)$%s" % name))
    try:
        set_register(name, was ^ 1)
    except gdb.error:
        return True
    set_register(name, was)
    return False


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
        _, _, sp_name = frame_layout_of(pending.architecture())
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


def with_registers(registers, command, from_tty):
    """On a live thread: the registers are set, and set back."""
    saved = {name: int(gdb.parse_and_eval("(unsigned long)$%s" % name)) for name in registers}
    try:
        for name, value in registers.items():
            set_register(name, value)
        gdb.execute(command, from_tty)
    finally:
        for name, value in saved.items():
            set_register(name, value)


def suspended_registers(fiber):
    """-> the registers of a suspended fiber, by name, as far as they are known."""
    names, size, sp_name = frame_layout()
    sp = read_word(fiber)
    if names is X86_64[0] and read_int(fiber + HOP_ON, 4) != 0:
        return {"rip": read_word(fiber + HOP_PC), "rbp": read_word(fiber + HOP_FRAME), "rsp": sp}
    registers = {name: read_word(sp + i * WORD) for i, name in enumerate(names)}
    registers[sp_name] = sp + size
    return registers


def as_if_running(fiber, command, from_tty):
    """fiber: the address of a suspended one."""
    registers = suspended_registers(fiber)
    gdb.newest_frame().select()
    if is_core():
        in_core(registers, frame_layout()[2], command)
    else:
        with_registers(registers, command, from_tty)


class FiberBacktrace(gdb.Command):
    """celadon-bt FIBER [COMMAND...]: the backtrace of a suspended fiber."""

    def __init__(self):
        super().__init__("celadon-bt", gdb.COMMAND_STACK, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not words:
            raise gdb.GdbError("celadon-bt FIBER [COMMAND...]")
        fiber = int(gdb.parse_and_eval("(unsigned long)(%s)" % words[0]))
        as_if_running(fiber, " ".join(words[1:]) or "backtrace", from_tty)


def thread_of(task):
    """The thread whose stack pointer is on the task's stack."""
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        sp = int(gdb.newest_frame().read_register(frame_layout()[2]))
        if task.holds(sp):
            return thread
    return None


class TaskBacktrace(gdb.Command):
    """celadon-task TASK [COMMAND...]: the backtrace of a task, by number or address."""

    def __init__(self):
        super().__init__("celadon-task", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if not words:
            raise gdb.GdbError("celadon-task TASK [COMMAND...]")
        wanted = int(gdb.parse_and_eval("(unsigned long)(%s)" % words[0]))
        command = " ".join(words[1:]) or "backtrace"
        for task in tasks_of(Layout()):
            if wanted in (task.number, task.address):
                self.tell(task, command, from_tty)
                return
        raise gdb.GdbError("no task %s: see celadon-tasks" % words[0])

    def tell(self, task, command, from_tty):
        if task.is_new:
            raise gdb.GdbError("the task has not started: it has no frames")
        if not task.is_running:
            as_if_running(task.fiber.get("top"), command, from_tty)
            return
        before = gdb.selected_thread()
        try:
            if thread_of(task) is None:
                raise gdb.GdbError("no thread is on the stack of this task")
            gdb.execute(command, from_tty)
        finally:
            before.switch()


Teller("celadon-loops", tell_loops, "The loops of the process, and what they do.")
Teller("celadon-tasks", tell_tasks, "Each task: its state, what it waits for, scopes, stack.")
Teller("celadon-timers", tell_timers, "What is armed, the earliest first.")
Teller("celadon-ops", tell_ops, "Operations in flight.")
Teller("celadon-fds", tell_fds, "Descriptors under a loop's care.")
Teller("celadon-trace", tell_trace, "celadon-trace [COUNT]: the last events.")
FiberBacktrace()
TaskBacktrace()
