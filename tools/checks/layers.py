# SPDX-License-Identifier: MIT
"""Who may include what: floors, circles, own header first, the library's face."""
import concurrent.futures
import os
import re
import subprocess

from project import find_cycles, module

UMBRELLA = 'include/celadon/celadon.h'
# Headers of C, POSIX and the kernel; whatever else stands in <> belongs to a library.
SYSTEM_FOLDERS = {'arpa', 'asm', 'asm-generic', 'bits', 'linux', 'net', 'netinet', 'sys'}
SYSTEM_HEADERS = set('''
    alloca assert byteswap ctype dirent dlfcn elf endian err errno execinfo fcntl features fenv
    float fnmatch ftw getopt glob grp ifaddrs inttypes iso646 langinfo limits link locale malloc
    math memory netdb poll pthread pty pwd regex sched search semaphore setjmp signal spawn
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdio_ext stdlib stdnoreturn string
    strings sysexits syslog termios tgmath threads time uchar ucontext unistd utime wchar wctype
    immintrin emmintrin tmmintrin smmintrin nmmintrin wmmintrin xmmintrin x86intrin cpuid
    arm_neon arm_acle'''.split())
TOOLING_FOLDERS = {'sanitizer', 'valgrind'}


def floors(p):
    """Same folder or a lower floor; never up, never to the wing beside."""
    for path in p.sources('src/') + p.public_headers():
        if path == UMBRELLA:
            continue
        here = p.place(path)
        if here is None:
            what = 'name it on the line of its floor' if path.startswith('include/') else \
                'add its folder'
            yield from p.finding(path, 1, 'floor', f'is on no floor: {what} in tools/FLOORS')
            continue
        for inc in p.includes(path):
            target = p.resolve(path, inc.name)
            there = p.place(target) if target else None
            if there is None:
                continue
            if there[0] > here[0]:
                yield from p.finding(path, inc.line, 'floor',
                    f'{here[1]}/ includes {inc.name} of the higher floor {there[1]}/: pass a '
                    'function pointer up whose type the lower floor declares')
            elif there[0] == here[0] and there[1] != here[1]:
                yield from p.finding(path, inc.line, 'floor',
                    f'{here[1]}/ includes {inc.name} of the wing beside it, {there[1]}/: move '
                    'what both need to a lower floor')


def spelled(p):
    """In src/ an include line shows the floor: "base/buf.h", and "celadon/x.h" in quotes."""
    for path in p.sources('src/') + p.public_headers():
        for inc in p.includes(path):
            target = p.resolve(path, inc.name)
            if target is None:
                if inc.quoted:
                    yield from p.finding(path, inc.line, 'include',
                                         f'"{inc.name}" is no file of the tree: use <> or mend it')
                continue
            full = re.sub(r'^(src|include)/', '', target)
            if not inc.quoted or inc.name != full:
                yield from p.finding(path, inc.line, 'include', f'write #include "{full}"')
            if not target.startswith(('src/', 'include/')):
                yield from p.finding(path, inc.line, 'include',
                                     f'the library includes {target}, which is outside of it')
            if path.startswith('include/') and target.startswith('src/'):
                yield from p.finding(path, inc.line, 'include',
                                     'a public header includes an internal one')


def circles(p):
    """The include graph of modules, a .c with its .h as one node."""
    graph, example = {}, {}
    for path in p.sources('src/') + p.public_headers():
        for inc in p.includes(path):
            target = p.resolve(path, inc.name)
            if target and module(target) != module(path):
                graph.setdefault(module(path), set()).add(module(target))
                example.setdefault((module(path), module(target)), (path, inc.line))
    for cycle in find_cycles(graph):
        steps = [f'{example[a, b][0]}:{example[a, b][1]}' for a, b in zip(cycle, cycle[1:])]
        path, line = example[cycle[0], cycle[1]]
        yield from p.finding(path, line, 'include-circle', ' -> '.join(cycle) + ' (' +
                             ', '.join(steps) + '): take one of these includes out')


def own_first(p):
    for path in p.having('.c', under='src/'):
        own = path[:-2] + '.h'
        incs = p.includes(path)
        if own in p.files and (not incs or p.resolve(path, incs[0].name) != own):
            yield from p.finding(path, incs[0].line if incs else 1, 'own-header',
                                 f'the first include must be "{own[4:]}", so that it proves that '
                                 'the header needs nothing before it')


def umbrella(p):
    for path in p.sources('src/') + p.public_headers():
        for inc in p.includes(path):
            if os.path.basename(inc.name) == 'celadon.h':
                yield from p.finding(path, inc.line, 'umbrella',
                                     'celadon.h is for users: include the headers that are needed')
    if UMBRELLA in p.files:
        for header in sorted(set(p.public_headers()) - p.reach(UMBRELLA) - {UMBRELLA}):
            yield from p.finding(UMBRELLA, 1, 'umbrella', f'lacks {header}')


def public_test_files(p):
    """The sources that tests/*/meson.build lists for tests of the library's face."""
    for path in p.having('meson.build', under='tests/'):
        text = re.sub(r'#[^\n]*', '', p.text(path))
        for block in re.findall(r'public(?:_backend)?_tests\s*\+=\s*\{(.*?)\}', text, re.S):
            for files in re.findall(r'files\((.*?)\)', block, re.S):
                for name in re.findall(r"'([^']+)'", files):
                    yield os.path.normpath(os.path.join(os.path.dirname(path), name))


def face_only(p):
    """What stands for a user includes only <celadon/...>, its own folder and the system."""
    users = p.sources('cli/') + p.sources('green/') + p.sources('sim/') + p.sources('examples/') + \
        p.sources('bench/ours/') + [f for f in public_test_files(p) if f in p.files]
    for path in users:
        top = path.split('/')[0]
        for inc in p.includes(path):
            target = p.resolve(path, inc.name)
            if target is None or target.startswith((top + '/', 'tests/support/')):
                if inc.quoted and inc.name.startswith('celadon/'):
                    yield from p.finding(path, inc.line, 'face', f'write #include <{inc.name}>')
            elif target.startswith('include/celadon/'):
                if inc.quoted:
                    yield from p.finding(path, inc.line, 'face', f'write #include <{inc.name}>')
            else:
                yield from p.finding(path, inc.line, 'face',
                                     f'{inc.name} is internal: a user has only <celadon/...>')


def wrapped(p):
    """A third-party library is included by one module alone."""
    users = {}
    for path in p.sources('src/'):
        for inc in p.includes(path):
            if inc.quoted or p.resolve(path, inc.name):
                continue
            first, _, rest = inc.name.partition('/')
            if rest and first not in SYSTEM_FOLDERS | TOOLING_FOLDERS or \
                    not rest and first[:-2] not in SYSTEM_HEADERS:
                library = first if rest else first[:-2]
                users.setdefault(library, {}).setdefault(module(path), (path, inc.line))
    for library, modules in sorted(users.items()):
        for name in sorted(modules)[1:]:
            path, line = modules[name]
            first = modules[sorted(modules)[0]][0]
            yield from p.finding(path, line, 'wrapped',
                                 f'{library} is included by {first} too: one file wraps a library')


def stems(p):
    """A noun names one file of the library, and every header is included by somebody."""
    seen = {}
    for path in p.sources('src/'):
        stem = os.path.basename(module(path))
        other = seen.setdefault(stem, module(path))
        if other != module(path):
            yield from p.finding(path, 1, 'stem', f'{other} has the name {stem} too: rename one')
    included = {p.resolve(f, i.name) for f in p.sources() for i in p.includes(f)}
    for path in p.having('.h', under='src/'):
        if path not in included:
            yield from p.finding(path, 1, 'unused-file', 'no file includes this header')


def compile_alone(p, path):
    name = re.sub(r'^(src|include|tests)/', '', path)
    dirs = ['-I' + p.at('include')]
    warn = ['-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-fsyntax-only']
    if path.startswith('include/'):
        runs = [['gcc', '-x', 'c', '-std=c11', '-pedantic'],
                ['g++', '-x', 'c++', '-std=c++17', '-pedantic']]
    else:
        dirs += ['-I' + p.at('src'), '-I' + p.at('tests')]
        runs = [['gcc', '-x', 'c', '-std=gnu11', '-D_GNU_SOURCE', '-DCEL__VERSION="0"',
                 '-Wno-unused-function']]
    for run in runs:
        r = subprocess.run(run + warn + dirs + p.system_includes() + ['-'], text=True,
                           input=f'#include "{name}"\n', stderr=subprocess.PIPE, check=False)
        if r.returncode != 0:
            first = next((l for l in r.stderr.splitlines() if 'error:' in l), r.stderr.strip())
            return f'does not compile alone ({run[0]} {run[3]}): {first}'
    return None


def alone(p):
    headers = p.public_headers() + p.having('.h', under='src/') + \
        p.having('.h', under='tests/support/')
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, error in zip(headers, pool.map(lambda h: compile_alone(p, h), headers)):
            if error:
                yield from p.finding(path, 1, 'alone', error)


CHECKS = [floors, spelled, circles, own_first, umbrella, face_only, wrapped, stems, alone]
