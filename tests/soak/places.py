# SPDX-License-Identifier: MIT
"""Where a program is put: control groups of its own, a network, names and clocks of its own.

Each is a way for the child that is about to become the program (`prepare`), or says why this
machine does not have it. What is made is removed again, also after a failure."""
import contextlib
import os
import shutil
import subprocess
import time

from stage import LIBC

CLONE_NEWTIME = 0x80
CLONE_NEWNS = 0x20000
CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


class Missing(Exception):
    """What is wanted is not to be had here; the message says why."""


# ---- control groups ----

# what a group can be told and asked, in the words of both versions
WORDS = {
    1: {'memory.limit': 'memory.limit_in_bytes', 'memory.peak': 'memory.max_usage_in_bytes',
        'pids.limit': 'pids.max'},
    2: {'memory.limit': 'memory.max', 'memory.peak': 'memory.peak', 'pids.limit': 'pids.max'},
}


def parents(controller):
    """(version, folder): groups in which one could be made: the mount's own first, then ours."""
    with open('/proc/self/cgroup') as f:
        own = {c: path for _, names, path in (line.strip().split(':', 2) for line in f)
               for c in names.split(',')}
    with open('/proc/mounts') as f:
        mounts = [line.split() for line in f]
    for _, at, kind, options, *_ in mounts:
        if kind == 'cgroup' and controller in options.split(','):
            yield 1, at
            yield 1, at + own.get(controller, '/')
    for _, at, kind, *_ in mounts:
        if kind == 'cgroup2':
            yield 2, at
            yield 2, at + own.get('', '/')


class Group:
    """A control group that is there for one program."""

    def __init__(self, run, controller, limit):
        self.reasons = []
        for self.version, parent in parents(controller):
            self.path = os.path.join(parent, f'celadon_soak_{os.getpid()}_{time.monotonic_ns()}')
            try:
                self.make(parent, controller, limit)
            except OSError as e:
                self.reasons.append(f'{parent}: {e.strerror}')
                self.remove()
                continue
            run.cleanups.append(self.remove)
            self.way = f'a {controller} group (cgroup v{self.version})'
            return
        raise Missing('; '.join(self.reasons) or f'no control groups for {controller}')

    def make(self, parent, controller, limit):
        if self.version == 2:
            with open(os.path.join(parent, 'cgroup.controllers')) as f:
                if controller not in f.read().split():
                    raise FileNotFoundError(2, f'no controller {controller}')
            with open(os.path.join(parent, 'cgroup.subtree_control'), 'w') as f:
                f.write('+' + controller)
        os.mkdir(self.path)
        self.write(controller + '.limit', limit)
        if controller == 'memory' and self.version == 2:
            with contextlib.suppress(OSError):  # a kernel without swap has no such file
                self.write('memory.swap.max', 0)

    def file(self, name):
        return os.path.join(self.path, WORDS[self.version].get(name, name))

    def write(self, name, value):
        with open(self.file(name), 'w') as f:
            f.write(str(value))

    def read(self, name):
        with open(self.file(name)) as f:
            return f.read()

    def enter(self):
        """For the child that is about to become the program."""
        self.write('cgroup.procs', os.getpid())

    def add(self, pid):
        self.write('cgroup.procs', pid)

    def events(self, name):
        """Of the counter so called, in whichever file this version has it."""
        for file in ('memory.oom_control', 'memory.events', 'pids.events'):
            with contextlib.suppress(OSError):
                for line in self.read(file).splitlines():
                    if line.split()[0] == name:
                        return int(line.split()[1])
        return 0

    def remove(self):
        for _ in range(100):
            try:
                os.rmdir(self.path)
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.05)  # the last one in it is on its way out


# ---- a network ----


def needs_root():
    if os.geteuid() != 0:
        raise Missing('takes root')


def own_network(ports=None):
    """A network of its own, with so few ports, for the program and what it starts."""
    needs_root()

    def enter():
        if LIBC.unshare(CLONE_NEWNET) < 0:
            raise OSError('no network namespace')
        subprocess.check_call(['ip', 'link', 'set', 'lo', 'mtu', '1500', 'up'])
        if ports is not None:
            with open('/proc/sys/net/ipv4/ip_local_port_range', 'w') as f:
                f.write(f'32768 {32768 + ports - 1}')
    return enter


def in_network_of(program):
    def enter():
        fd = os.open(f'/proc/{program.pid}/ns/net', os.O_RDONLY)
        if LIBC.setns(fd, CLONE_NEWNET) < 0:
            raise OSError('cannot enter the network namespace')
        os.close(fd)
    return enter


class Weather:
    """What befalls the packets of a program's network: by nft and tc, which the kernel and the
    machine may have or not."""

    def __init__(self, program):
        needs_root()
        self.enter = in_network_of(program)
        self.has_nft = self.has_tc = False
        if shutil.which('nft'):
            self.has_nft = self.call('nft', 'add table ip weather; add chain ip weather in '
                                     '{ type filter hook input priority 0; }')
        if shutil.which('tc'):
            self.has_tc = self.slow() and self.fast()

    def call(self, *argv):
        return subprocess.run(argv, preexec_fn=self.enter, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def rule(self, text):
        if not self.call('nft', 'add rule ip weather in ' + text):
            raise Missing(f'nft cannot: {text}')

    def lose(self, percent):
        self.rule(f'numgen random mod 100 < {percent} drop')

    def reset(self, percent):
        self.rule(f'meta l4proto tcp numgen random mod 100 < {percent} reject with tcp reset')

    def part(self):
        self.rule('drop')

    def clear(self):
        self.call('nft', 'flush chain ip weather in')

    def slow(self):
        return self.call('tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'tbf', 'rate', '1mbit', 'burst',
                         '32kbit', 'latency', '400ms')

    def fast(self):
        return self.call('tc', 'qdisc', 'del', 'dev', 'lo', 'root')


# ---- clocks and names ----


def own_clocks(days):
    """Monotonic and boot time so many days ahead of everybody else's."""
    def enter():
        if LIBC.unshare(CLONE_NEWTIME) < 0:
            raise OSError('no time namespace')
        with open('/proc/self/timens_offsets', 'w') as f:
            f.write(f'monotonic {days * 86400} 0\nboottime {days * 86400} 0\n')
    return enter


def has_own_clocks(program):
    return os.readlink(f'/proc/{program.pid}/ns/time') != os.readlink('/proc/self/ns/time')


def own_resolv_conf(path):
    """Names are asked for as that file says."""
    def enter():
        if (LIBC.unshare(CLONE_NEWNS) < 0 or
                LIBC.mount(None, b'/', None, MS_REC | MS_PRIVATE, None) < 0 or
                LIBC.mount(path.encode(), b'/etc/resolv.conf', None, MS_BIND, None) < 0):
            raise OSError('no file system view of its own')
    return enter


def all_of(*steps):
    def enter():
        for step in steps:
            step()
    return enter
