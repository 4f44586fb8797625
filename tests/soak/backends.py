# SPDX-License-Identifier: MIT
"""The same programs on each backend have the same results (L13)."""
import concurrent.futures
import difflib
import json
import os
import re
import subprocess

from stage import WAIT, Broken

CASES = {'quick': 200, 'usual': 2400, 'full': 20000}  # made up from seeds
ENOUGH = 2000
AT_ONCE = 2  # programs of the suite
BACKENDS = ('epoll', 'uring', 'sim')


# ---- made-up programs ----


def twin(run, backend, *argv):
    path = os.path.join(run.args.build, 'tests/soak/soak_twin')
    env = dict(os.environ, CELADON_BACKEND=backend, CELADON_LOG='error')
    return subprocess.run([path] + [str(a) for a in argv], env=env, text=True, timeout=100 * WAIT,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def traces(run, backend, first, count):
    """seed -> (what it was to do, what came of it)."""
    out = twin(run, backend, first, count)
    found = {}
    for line in out.stdout.splitlines():
        seed, script, trace, _ = line.split()
        found[int(seed)] = script, trace
    if out.returncode != 0 or len(found) != count:
        raise Broken(f'soak_twin {first} {count} on {backend}: {len(found)} of {count} cases, '
                     f'exit {out.returncode}')
    return found


def keep_difference(run, backend, seed):
    texts = [twin(run, b, seed, 1, 'text').stdout.splitlines(True) for b in ('epoll', backend)]
    lines = list(difflib.unified_diff(*texts, 'epoll', backend, n=0))
    run.keep(f'{backend}_{seed}.diff', ''.join(lines))
    print(f'seed {seed} (CELADON_BACKEND={backend} soak_twin {seed} 1 text) differs from epoll:')
    print(''.join(line[:200].rstrip() + '\n' for line in lines[3:7]), end='')


def compare_made_up(run):
    count = CASES[run.args.scale]
    first = 1 + (run.args.seed - 1) * count
    with concurrent.futures.ThreadPoolExecutor(len(BACKENDS)) as pool:
        epoll, *others = pool.map(lambda b: traces(run, b, first, count), BACKENDS)
    distinct = len({script for script, _ in epoll.values()})
    run.at_least('made-up programs that differ from each other', distinct,
                 min(ENOUGH, 0.9 * count), '')
    different = 0
    for backend, other in zip(BACKENDS[1:], others):
        bad = [seed for seed in epoll if epoll[seed] != other[seed]]
        for seed in bad[:5]:
            keep_difference(run, backend, seed)
        same = len({epoll[s][0] for s in epoll if s not in bad})
        run.at_least(f'made-up programs with the same trace on epoll and {backend}', same,
                     min(ENOUGH, 0.9 * count), '')
        different += len(bad)
    run.exactly('made-up programs that differ between backends', different, 0)


# ---- the suite ----


def cases_of(test):
    """What came of each of its cases, by their names; those that were skipped are left out."""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT='TAP')
    env.update(test['env'])
    out = subprocess.run(test['cmd'], env=env, stdin=subprocess.DEVNULL, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=2 * WAIT)
    found = re.findall(r'^((?:not )?ok) \d+ (- .*|# SKIP)', out.stdout, re.M)
    return {name: result for result, name in found if name.startswith('-')}


def programs_of_the_suite(run):
    """noun -> backend -> how to run it."""
    names = ['stream', 'connect', 'serve'] if run.args.scale == 'quick' else ['']
    tests = json.loads(subprocess.check_output(
        ['meson', 'introspect', '--tests', run.args.build], text=True))
    nouns = {}
    for t in tests:
        noun, _, backend = t['name'].partition(' ')
        if backend in BACKENDS and any(noun.startswith(n) for n in names):
            nouns.setdefault(noun, {})[backend] = t
    return nouns


def compare_suite(run):
    same, different = {'uring': 0, 'sim': 0}, 0
    nouns = programs_of_the_suite(run)
    asked = [(noun, backend) for noun in sorted(nouns) for backend in nouns[noun]]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = dict(zip(asked, pool.map(lambda a: cases_of(nouns[a[0]][a[1]]), asked)))
    for noun in sorted(nouns):
        first = results[noun, 'epoll']
        for backend in same:
            other = results.get((noun, backend), {})
            both = first.keys() & other.keys() if backend == 'sim' else first.keys() | other.keys()
            equal = sum(first.get(name) == other.get(name) for name in both)
            same[backend] += equal
            if equal != len(both):
                print(f'{noun}: differs between epoll and {backend}')
            different += len(both) - equal
    for backend, count in same.items():
        run.tell(f"the suite's cases with the same result on epoll and {backend}", count, '', '> 0',
                 count > 0)
    run.exactly("the suite's cases that differ", different, 0)


def swap(run):
    """L13: programs made up from seeds, and the suite's."""
    compare_made_up(run)
    compare_suite(run)
