# SPDX-License-Identifier: MIT
"""Compiles every ```c block of README*.md, CONTRIBUTING.md and docs/, and runs those that ask
for it (TAP, one test a block).

    snippets.py SOURCE BUILD

How a block is taken says the line above its fence, an HTML comment that readers do not see:

    nothing                    a whole file if it includes something; else the umbrella header and
                               the common ones of C come before it
    <!-- compile: fragment     it becomes a function's body; what it uses from the text around it
    struct cel_stream *peer;   is declared in the comment. A block that begins with the comment
    -->                        /* fragment */ is taken so too.
    <!-- compile: internal --> a file within src/: internal headers are in reach
    <!-- run -->               linked with the library and run; stdout must be the next ```text
                               block. <!-- run: ARGUMENTS --> passes words to it.

A block with `…` or `...` alone on a line has it removed: readers know what it means.
"""
import concurrent.futures
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

FENCE = re.compile(r'(?:<!--(?P<mark>(?:(?!-->).)*)-->[ \t]*\n[ \t]*\n?)?'
                   r'^(?P<indent>[ ]*)```(?P<lang>\w*)[^\n]*\n(?P<body>.*?)^[ ]*```[ \t]*$',
                   re.S | re.M)
COMMON = ['errno.h', 'inttypes.h', 'stdbool.h', 'stdint.h', 'stdio.h', 'stdlib.h', 'string.h',
          'sys/types.h', 'unistd.h']
RUN_SECONDS = 20


class Block:
    def __init__(self, path, line, mark, body, expected):
        self.path, self.line, self.body, self.expected = path, line, body, expected
        mark = (mark or '').strip()
        self.run = re.match(r'run\b:?(.*)', mark, re.S)
        self.internal = mark == 'compile: internal'
        fragment = re.match(r'compile:\s*fragment\s*(.*)', mark, re.S)
        begins = re.match(r'\s*/\* fragment \*/', body)
        self.declarations = fragment.group(1) if fragment else '' if begins else None
        known = self.run or self.internal or fragment or begins or not mark
        self.error = None if known or not mark.startswith(('run', 'compile')) else \
            f'unknown mark <!-- {mark} -->'

    def has_main(self):
        return re.search(r'\bmain\s*\(', self.body) is not None

    def source(self, umbrella):
        """The C text, with #line so that messages name the document."""
        body = re.sub(r'^[ \t]*(?:…|\.\.\.)[ \t]*$', '', self.body, flags=re.M)
        body = f'#line {self.line} "{self.path}"\n{body}\n'
        head = ''.join(f'#include <{h}>\n' for h in COMMON + umbrella)
        if self.declarations is not None:
            declared = ''.join(f'extern {d.strip()};\n' for d in self.declarations.split(';')
                               if d.strip())
            return (f'{head}{declared}void *fragment(void *arg);\n'
                    f'void *fragment(void *arg)\n{{\n    int r = 0;\n    (void)r; (void)arg;\n'
                    f'{body}    return NULL;\n}}\n')
        if '#include' in self.body:
            return body
        return head + body


def read_blocks(path, text):
    matches = list(FENCE.finditer(text))
    for i, m in enumerate(matches):
        if m.group('lang') != 'c':
            continue
        following = matches[i + 1] if i + 1 < len(matches) else None
        expected = following.group('body') if following and following.group('lang') == 'text' \
            else None
        line = text.count('\n', 0, m.start('body')) + 1
        body = re.sub('^' + m.group('indent'), '', m.group('body'), flags=re.M)
        yield Block(path, line, m.group('mark'), body, expected)


def documents(root):
    names = glob.glob(os.path.join(root, 'README*.md')) + \
        glob.glob(os.path.join(root, 'CONTRIBUTING.md')) + \
        glob.glob(os.path.join(root, 'docs', '**', '*.md'), recursive=True)
    for name in sorted(names):
        with open(name, encoding='utf-8') as f:
            yield os.path.relpath(name, root), f.read()


def umbrella(root):
    """The umbrella header, or every public one while there is none."""
    folder = os.path.join(root, 'include', 'celadon')
    if os.path.exists(os.path.join(folder, 'celadon.h')):
        return ['celadon/celadon.h']
    return ['celadon/' + h for h in sorted(os.listdir(folder)) if h.endswith('.h')]


class Checker:
    def __init__(self, root, build):
        self.root, self.build = root, build
        self.umbrella = umbrella(root)
        self.cc = shlex.split(os.environ.get('CC', 'cc'))

    def compile(self, block, extra):
        flags = [*(['-std=gnu11'] if block.internal else ['-std=c11', '-Wpedantic']), '-D_GNU_SOURCE', '-I' + os.path.join(self.root, 'include'), '-Wall',
                 '-Wextra', '-Wno-unused-parameter', '-Wno-unused-function',
                 '-Wno-unused-variable', '-Wno-unused-but-set-variable',
                 '-Wno-missing-field-initializers', '-Werror']
        if block.internal:
            flags += ['-I' + os.path.join(self.root, 'src')]
        r = subprocess.run([*self.cc, *flags, '-x', 'c', '-', *extra], text=True,
                           input=block.source(self.umbrella), stderr=subprocess.PIPE, check=False)
        return r.stderr if r.returncode != 0 else None

    def execute(self, block):
        if block.expected is None:
            return 'marked to run, and no ```text block with its output follows'
        if not block.has_main():
            return 'marked to run, and has no main'
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, 'program')
            error = self.compile(block, ['-o', program, '-L' + self.build, '-lceladon', '-pthread',
                                         '-Wl,-rpath,' + self.build])
            if error:
                return error
            try:
                r = subprocess.run([program, *shlex.split(block.run.group(1))], text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, timeout=RUN_SECONDS, check=False)
            except subprocess.TimeoutExpired:
                return f'still running after {RUN_SECONDS} s'
        if r.returncode != 0:
            return f'exit code {r.returncode}\n{r.stderr}'
        if r.stdout != block.expected:
            return f'printed:\n{r.stdout}instead of:\n{block.expected}'
        return None

    def check(self, block):
        """None, or what is wrong with the block."""
        if block.error:
            return block.error
        if block.run:
            return self.execute(block)
        return self.compile(block, ['-fsyntax-only'])


def report(blocks, errors):
    failed = 0
    print(f'1..{len(blocks)}')
    for i, (block, error) in enumerate(zip(blocks, errors), 1):
        failed += error is not None
        print(f'{"ok" if error is None else "not ok"} {i} - {block.path}:{block.line}')
        for line in (error or '').splitlines():
            print('#   ' + line)
    return 1 if failed else 0


def main():
    root, build = sys.argv[1:3]
    blocks = [b for path, text in documents(root) for b in read_blocks(path, text)]
    if not blocks:
        print('no document with C in it')
        return 77
    checker = Checker(root, build)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return report(blocks, list(pool.map(checker.check, blocks)))


if __name__ == '__main__':
    sys.exit(main())
