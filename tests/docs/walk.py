# SPDX-License-Identifier: MIT
"""What docs/debugging.md walks through, done word by word in a clean folder (TAP, one test a
program): each program is compiled as the page says and run, and what it writes to standard error
has the shape of the text block that follows on the page.

    walk.py SOURCE BUILD

The line above a block's fence says how it is meant:

    <!-- words: FILE -->                    the program is FILE; it ends by itself
    <!-- words: FILE; on LINE: SIGNAL -->   once it has printed LINE it gets the signal
    <!-- words: FILE; ends with: 1 -->      its exit code, if not 0
    <!-- words: FILE; dies of: SIGNAL -->   it ends by that
    <!-- gdb: FILE; on LINE -->             a session with the process, once it has printed LINE

Of a shape, addresses, times, sizes and versions are what they are today; a line with `…` alone is
any number of lines; all else is as on the page.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

FENCE = re.compile(r'(?:<!--(?P<mark>(?:(?!-->).)*)-->[ \t]*\n)?^```(?P<lang>\w*)\n(?P<body>.*?)^```$',
                   re.S | re.M)
SECONDS = 60
DUMP_END = 'celadon: end of the dump\n'
SHAPES = [
    (r'0x[0-9a-f]+', '0x'),
    (r'-?\d+(\.\d+)? (us|ms|s)\b', 'TIME'),
    (r'stack \d+ of \d+ bytes', 'STACK'),
    (r'\((uring|epoll)\)', '(BACKEND)'),
    (r'descriptor \d+', 'descriptor N'),
    (r'from \S+/libceladon\.so\S*', 'from LIBRARY'),
    (r'libceladon\.so[.0-9]*', 'LIBRARY'),
]


class Walk:
    def __init__(self, mark, program, expected):
        words = [w.strip() for w in mark.split(';')]
        self.kind, self.file = [w.strip() for w in words[0].split(':', 1)]
        self.program, self.expected = program, expected
        self.on = self.send = None
        self.code = 0
        for word in words[1:]:
            key, _, value = word.partition(':')
            if key == 'dies of':
                self.code = -getattr(signal, 'SIG' + value.strip())
            elif key == 'ends with':
                self.code = int(value)
            else:
                self.on = key.split(None, 1)[1]
                self.send = getattr(signal, 'SIG' + value.strip()) if value else None

    def name(self):
        return f'{self.kind}_{self.file.replace(".c", "")}'


def walks(text):
    blocks, programs = list(FENCE.finditer(text)), {}
    for i, block in enumerate(blocks):
        mark = (block.group('mark') or '').strip()
        if mark.startswith('words:'):
            after = next(b for b in blocks[i + 1:] if b.group('lang') == 'text')
            walk = Walk(mark, block.group('body'), after.group('body'))
            programs[walk.file] = walk.program
            yield walk
        elif mark.startswith('gdb:'):
            walk = Walk(mark, None, block.group('body'))
            walk.program = programs[walk.file]
            yield walk


def shape(line):
    for pattern, word in SHAPES:
        line = re.sub(pattern, word, line)
    return line.rstrip()


def difference(expected, got):
    """None, or the first line of the page that is not there where it should be."""
    lines, at, skips = [shape(line) for line in got.splitlines()], 0, False
    for want in expected.splitlines():
        if want.strip() == '…':
            skips = True
            continue
        want = shape(want)
        rest = lines[at:] if skips else lines[at:at + 1]
        if want not in rest:
            return want
        at += rest.index(want) + 1
        skips = False
    return None if skips or at == len(lines) else f'nothing behind the last line, but {lines[at]}'


def compiled(source, build, folder, walk):
    with open(os.path.join(folder, walk.file), 'w', encoding='utf-8') as f:
        f.write(walk.program)
    program = walk.file.replace('.c', '')
    subprocess.run(['cc', '-O2', '-g', '-Wall', '-Wextra', '-Werror', walk.file, '-o', program,
                    '-I' + os.path.join(source, 'include'), '-L' + build, '-lceladon', '-pthread',
                    '-Wl,-rpath,' + build], cwd=folder, check=True)
    return os.path.join(folder, program)


def until_asleep(pid):
    """What it has left to do is done, and it waits in the kernel."""
    while True:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as f:
            if f.read().rpartition(')')[2].split()[0] == 'S':
                return
        os.sched_yield()


def started(program, walk):
    child = subprocess.Popen([program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             cwd=os.path.dirname(program))
    if walk.on:
        for line in child.stdout:
            if line.strip() == walk.on:
                break
        until_asleep(child.pid)
    return child


def words_of(program, walk):
    child = started(program, walk)
    if walk.send is None:
        _, said = child.communicate(timeout=SECONDS)
        right = child.returncode == walk.code
        return said if right else f'it ended with {child.returncode}\n{said}'
    said = ''
    child.send_signal(walk.send)
    for line in child.stderr:
        said += line
        if line == DUMP_END:
            break
    child.kill()
    child.communicate()
    return said


def session(source, program, walk):
    """-> what gdb said to the commands of the page, as a terminal shows it; None: it may not."""
    commands = re.findall(r'^\(gdb\) (.*)$', walk.expected, re.M)
    script = os.path.join(source, 'tools', 'celadon-gdb.py')
    line = ['gdb', '-nx', '-batch', '-ex', 'set width 0', '-ex', 'set debuginfod enabled off', '-x',
            script]
    child = started(program, walk)
    line += ['-p', str(child.pid)]
    for command in commands:
        line += ['-ex', f'echo (gdb) {command}\\n', '-ex', command]
    try:
        said = subprocess.run(line, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS, check=False).stdout
    finally:
        child.kill()
        child.communicate()
    if 'Operation not permitted' in said or 'not supported in this copy' in said:
        return None
    said = said[said.find('(gdb) '):]
    return said[:said.find('[Inferior 1')]


def check(source, build, walk):
    """-> (how it went, what is to be said)"""
    if walk.kind == 'gdb' and shutil.which('gdb') is None:
        return 'skip', 'needs gdb'
    with tempfile.TemporaryDirectory() as folder:
        program = compiled(source, build, folder, walk)
        said = session(source, program, walk) if walk.kind == 'gdb' else words_of(program, walk)
    if said is None:
        return 'skip', 'needs gdb with Python, and leave to trace'
    missing = difference(walk.expected, said)
    return ('ok', '') if missing is None else ('not ok', f'missing: {missing}\nit said:\n{said}')


# What the comparison finds: expected, got, is it the same?
CASES = [
    ('a 0x12 for 3 ms\n', 'a 0xabc for 12.001 s\n', True),
    ('a\n…\nb\n', 'a\nx\ny\nb\n', True),
    ('a\n…\n', 'a\n', True),
    ('a\nb\n', 'a\nx\nb\n', False),
    ('a\n', 'a\nb\n', False),
    ('a\nb\n', 'a\n', False),
    ('one task\n', 'two task\n', False),
]


def main():
    source, build = sys.argv[1:3]
    with open(os.path.join(source, 'docs', 'debugging.md'), encoding='utf-8') as f:
        all_walks = list(walks(f.read()))
    failed = 0
    print(f'1..{len(all_walks) + 1}')
    good = all((difference(a, b) is None) == same for a, b, same in CASES)
    failed += not good
    print(f'{"ok" if good else "not ok"} 1 - comparison_finds_what_differs')
    for i, walk in enumerate(all_walks, 2):
        how, why = check(source, build, walk)
        failed += how == 'not ok'
        print(f'{"not ok" if how == "not ok" else "ok"} {i} - {walk.name()}'
              f'{" # SKIP " + why if how == "skip" else ""}')
        for line in why.splitlines() if how == 'not ok' else []:
            print('#   ' + line)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
