# SPDX-License-Identifier: MIT
"""What the load tests stand on: programs that are started, talked to and looked at from outside,
and the figures that come of it."""
import contextlib
import ctypes
import json
import os
import resource
import selectors
import signal
import subprocess
import tempfile
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORE = resource.getrlimit(resource.RLIMIT_CORE)[1]
WAIT = 120  # seconds for any one step of a program


class Broken(Exception):
    """A program did not do what its test needs; the message says which and what."""


# ---- programs ----


class Program:
    """A child that prints lines and may be told lines; it dies with us."""

    def __init__(self, run, argv, limits=(), prepare=lambda: None, log='error', env=()):
        def prepare_child():
            resource.setrlimit(resource.RLIMIT_CORE, (CORE, CORE))
            for what, value in limits:
                resource.setrlimit(what, (value, value))
            prepare()
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # not before: a change of user clears it

        env = dict(os.environ, CELADON_BACKEND=run.backend, CELADON_LOG=log, **dict(env))
        self.name = ' '.join(os.path.basename(argv[0]).split() + argv[1:2])
        self.errors = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, preexec_fn=prepare_child,
                                        env=env, cwd=run.folder)
        self.pid = self.process.pid
        self.text = b''

    def line(self, seconds=WAIT):
        line = self.line_or_none(seconds)
        if line is None:
            raise Broken(f'{self.name} said nothing for {seconds} s')
        return line

    def line_or_none(self, seconds):
        until = time.monotonic() + seconds
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            while b'\n' not in self.text:
                if not waiting.select(max(0, until - time.monotonic())):
                    return None
                more = os.read(self.process.stdout.fileno(), 65536)
                if not more:
                    raise Broken(f'{self.name} ended: {self.last_words()}')
                self.text += more
        line, _, self.text = self.text.partition(b'\n')
        return line.decode()

    def json(self, seconds=WAIT):
        return json.loads(self.line(seconds))

    def tell(self, line):
        self.process.stdin.write(line.encode() + b'\n')
        self.process.stdin.flush()

    def words(self):
        self.errors.seek(0)
        return self.errors.read().strip().splitlines()

    def last_words(self):
        return (self.words() or ['without a word'])[-1]

    def status(self, key):
        with open(f'/proc/{self.pid}/status') as f:
            for line in f:
                if line.startswith(key + ':'):
                    return int(line.split()[1])
        raise Broken(f'{self.name} ended: {self.last_words()}')

    def metrics(self):
        """What cel_metrics tells there, by name."""
        self.tell('metrics')
        found = {}
        while (line := self.line()) != '.':
            if not line.startswith('#'):
                name, _, value = line.rpartition(' ')
                found[name.removeprefix('celadon_')] = float(value)
        return found

    def rss(self):
        return self.status('VmRSS') * 1024

    def peak(self):
        return self.status('VmHWM') * 1024

    def fds(self):
        return len(os.listdir(f'/proc/{self.pid}/fd'))

    def cpu(self):
        with open(f'/proc/{self.pid}/stat') as f:
            fields = f.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def end(self, signo=signal.SIGTERM):
        if self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
            self.process.send_signal(signo)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Broken(f'{self.name} did not stop in 15 s')
        return self.process.returncode


class Run:
    """One test on one backend: its programs and its figures."""

    def __init__(self, test, backend, args, rows):
        self.test, self.backend, self.args, self.rows = test, backend, args, rows
        self.programs, self.cleanups = [], []
        self.folder = os.path.join(args.build, 'soak')  # where cores are left
        os.makedirs(self.folder, exist_ok=True)

    def start(self, name, *argv, **how):
        path = os.path.join(self.args.build, 'tests/soak/soak_' + name)
        return self.start_any([path] + [str(a) for a in argv], **how)

    def start_any(self, argv, **how):
        program = Program(self, argv, **how)
        self.programs.append(program)
        return program

    def echo(self, **how):
        server = self.start('server', 'echo', '127.0.0.1:0', **how)
        return server, server.line()

    def tell(self, what, value, unit, bound=None, ok=None):
        row = {'test': self.test, 'backend': self.backend, 'what': what,
               'value': round(value, 3) if isinstance(value, float) else value,
               'unit': unit, 'bound': bound, 'ok': True if ok is None else bool(ok)}
        self.rows.append(row)
        mark = 'FAIL' if not row['ok'] else 'ok' if bound else '-'
        print(f"{mark:<5}{self.test:<12}{self.backend:<7}{what:<58}{row['value']:>12} {unit:<11}"
              f"{bound or ''}", flush=True)

    def cannot(self, what, reason):
        """A figure that is asked for and cannot be had here: never passed over in silence."""
        self.tell(f'NOT DONE: {what}: {reason}', 0, '')
        self.rows[-1]['not_done'] = True

    def at_most(self, what, value, limit, unit):
        self.tell(what, value, unit, f'<= {limit:g}', value <= limit)

    def at_least(self, what, value, limit, unit):
        self.tell(what, value, unit, f'>= {limit:g}', value >= limit)

    def exactly(self, what, value, wanted, unit=''):
        self.tell(what, value, unit, f'= {wanted}', value == wanted)

    def keep(self, name, text):
        """For who looks into a broken bound."""
        with open(os.path.join(self.folder, f'{self.test}_{self.backend}_{name}'), 'w') as f:
            f.write(text)

    def end(self):
        if any(not row['ok'] for row in self.rows):
            for i, program in enumerate(self.programs):
                if program.words():
                    self.keep(f'{i}.log', f'{program.name}\n' + '\n'.join(program.words()) + '\n')
        for program in reversed(self.programs):
            with contextlib.suppress(Broken):
                program.process.send_signal(signal.SIGCONT)
                program.end()
        for clean in reversed(self.cleanups):
            clean()


def await_that(claim, seconds, what):
    """Seconds until it holds."""
    begin = time.monotonic()
    while not claim():
        if time.monotonic() - begin > seconds:
            raise Broken(f'not within {seconds} s: {what}')
        time.sleep(0.005)
    return time.monotonic() - begin


def settle(program, seconds=60):
    """Until it has done what it was asked for and is idle; -> the processor time of a second."""
    begin, last = time.monotonic(), program.cpu()
    while time.monotonic() - begin < seconds:
        time.sleep(1)
        spent, last = program.cpu() - last, program.cpu()
        if spent <= 0.03:
            return spent
    raise Broken(f'{program.name} was not idle within {seconds} s')


def ok_count(counts):
    return counts['ended']['ok']


def failures(counts):
    return sum(n for kind, n in counts['ended'].items() if kind != 'ok')
