# SPDX-License-Identifier: MIT
"""Calls, phrases and marks in the text of files."""
import re
import subprocess
import sys

# A call of this name, not a member's and not a longer name's.
CALL = r'(?<![\w.>])(?:{})\s*\('

BANNED = [
    ('strcpy|strcat|sprintf|vsprintf|gets|stpcpy', 'writes without a bound: use snprintf or '
     'cel__buf'),
    ('strtok', 'keeps hidden state: use cel__str'),
    ('atoi|atol|atoll|atof', 'cannot tell an error from 0: use cel__str or strtol'),
    ('gethostbyname|gethostbyaddr|inet_ntoa|inet_addr', 'is not reentrant and knows no IPv6'),
    ('localtime|gmtime|asctime|ctime|strerror', 'returns shared storage: use the _r form, or '
     'cel_strerror'),
    ('signal', 'has two meanings: use sigaction'),
    ('tmpnam|mktemp|tempnam', 'races: use mkstemp'),
    ('alloca', 'has no bound, and a task\'s stack is small'),
]
ALLOCATING = 'malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf|' \
    'aligned_alloc|posix_memalign|memalign|getline|getdelim|open_memstream'

# What else of libc enters the kernel; the entries of the table itself are read from its header.
ENTERING = (
    'open|creat|stat|lstat|statx|access|faccessat|readlink|readlinkat|rename|renameat|renameat2|'
    'unlinkat|link|linkat|symlink|mkdir|mkdirat|rmdir|chdir|fchdir|getcwd|realpath|chmod|fchmod|'
    'opendir|fdopendir|readdir|fopen|fdopen|freopen|popen|system|tmpfile|mkstemp|mkostemp|'
    'fork|vfork|execv|execve|execvp|execl|execlp|posix_spawn|posix_spawnp|wait|wait3|wait4|waitid|'
    'kill|killpg|tgkill|sigqueue|sigwait|sigwaitinfo|sigsuspend|pause|alarm|setitimer|'
    'nanosleep|usleep|sleep|select|pselect|ppoll|epoll_create|epoll_wait|epoll_pwait|'
    'accept|sendto|recvfrom|sendmmsg|recvmmsg|getaddrinfo|getnameinfo|getifaddrs|if_nameindex|'
    'dup|dup2|dup3|pipe|ioctl|flock|lockf|fallocate|posix_fallocate|ftruncate|truncate|fdatasync|'
    'sync|syncfs|sync_file_range|lseek|preadv|preadv2|pwritev|pwritev2|copy_file_range|splice|tee|'
    'vmsplice|mremap|msync|mlock|mincore|memfd_create|shm_open|timerfd_create|timerfd_settime|'
    'inotify_init1|inotify_add_watch|pidfd_open|getrlimit|setrlimit|prlimit|prctl|syscall|'
    'sched_getaffinity|sched_setaffinity|sched_yield|setns|unshare|mount|uname|sysinfo|'
    'gethostname|gettimeofday|times|getrusage|getentropy|arc4random')

# Put so that these lines do not match themselves.
PHRASES = [
    (r'/wor[k]/|/far[m]/|/tmp/studi[o]', 'names a path of one machine'),
    (r'deb\.debia[n]\.org|registry\.npmj[s]|pyp[i]\.org|pythonhoste[d]\.org|crate[s]\.io|'
     r'proxy\.golan[g]\.org|rubygem[s]\.org', 'names the host of a package registry'),
    (r'(?i)\bissue[ ]?#?\d+\b', 'refers to a tracker that the reader does not have: say it here'),
]
LEFT_TO_DO = re.compile(r'\b(TODO|FIXME|XXX|HACK)\b')
SPDX = 'SPDX-License-Identifier: MIT'
BINARY = ('.png', '.jpg', '.gif', '.ico', '.gz', '.br', '.zst', '.woff2', '.pdf', '.bin')


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def banned(p):
    seam = seam_calls(p)
    for path in p.sources():
        code = p.code(path)
        rules = [('banned', names, why) for names, why in BANNED]
        if path.startswith('src/') and path != 'src/base/mem.c':
            rules.append(('malloc', ALLOCATING, 'goes past cel__mem, the one door to the heap'))
        if path.startswith('src/') and not path.startswith('src/base/sys.') and seam:
            rules.append(('seam', seam, 'goes past cel__sys, where tests make calls fail'))
        for rule, names, why in rules:
            for m in re.finditer(CALL.format(names), code):
                name = m.group(0).rstrip('( \t\n')
                yield from p.finding(path, line_of(code, m.start()), rule, f'{name} {why}')


def seam_calls(p):
    """struct cel__sys's entries and all that should be one, as a regular expression."""
    if 'src/base/sys.h' not in p.files:
        return ''
    entries = set(re.findall(r'\(\*(\w+)\)\(', p.code('src/base/sys.h')))
    return '|'.join(sorted(entries | set(ENTERING.split('|'))))


def phrases(p):
    for path in p.files:
        if path.endswith(BINARY) or path.startswith(('fuzz/corpus/', 'tests/data/')):
            continue
        text = p.text(path)
        for pattern, why in PHRASES:
            for m in re.finditer(pattern, text):
                yield from p.finding(path, line_of(text, m.start()), 'phrase',
                                     f'"{m.group(0)}" {why}')
    for path in p.sources():
        for m in LEFT_TO_DO.finditer(p.text(path)):
            yield from p.finding(path, line_of(p.text(path), m.start()), 'todo',
                                 f'{m.group(0)}: do it, or say what is true today')


def spdx(p):
    for path in p.having('.c', '.h', '.S', '.py', '.sh') + \
            [f for f in p.files if f.startswith('tools/') or f == 'Makefile']:
        head = p.text(path).split('\n', 2)[:2]
        if path != 'tools/FLOORS' and not any(SPDX in l for l in head):
            mark = f'# {SPDX}' if not path.endswith(('.c', '.h', '.S')) else f'/* {SPDX} */'
            yield from p.finding(path, 1, 'spdx', f'begin it with {mark}')


def scripts(p):
    """Shell and Python scripts parse."""
    for path in p.files:
        if path.endswith(BINARY) or not p.text(path).startswith('#!'):
            continue
        first = p.text(path).split('\n', 1)[0]
        if 'python' in first:
            try:
                compile(p.text(path), path, 'exec')
            except SyntaxError as e:
                yield from p.finding(path, e.lineno or 1, 'script', str(e.msg))
        elif 'sh' in first:
            r = subprocess.run(['bash', '-n', p.at(path)], text=True, stderr=subprocess.PIPE,
                               check=False)
            if r.returncode != 0:
                yield from p.finding(path, 1, 'script', r.stderr.strip().splitlines()[0])


def packages(p):
    """Each library that meson looks for can be installed by tools/deps."""
    if 'tools/deps' not in p.files:
        return
    known = set(re.findall(r'^\w+\s+pc:(\S+)', p.text('tools/deps'), re.M)) | {'threads'}
    for path in p.having('meson.build'):
        text = re.sub(r'#[^\n]*', '', p.text(path))
        for m in re.finditer(r"\bdependency\('([^']+)'", text):
            if m.group(1) not in known:
                yield from p.finding(path, line_of(text, m.start()), 'package',
                                     f'add a line "build pc:{m.group(1)} PACKAGE" to tools/deps')


def manual(p):
    """Each exported function has its words, so that its man page has them."""
    if 'tools/man' not in p.files:
        return
    r = subprocess.run([sys.executable, p.at('tools/man'), '--check'], text=True,
                       stdout=subprocess.PIPE, check=False)
    for line in r.stdout.splitlines():
        path, number, _, text = line.split(':', 3)
        yield from p.finding(path, int(number), 'man', text.strip())


CHECKS = [banned, phrases, spdx, scripts, packages, manual]
