# SPDX-License-Identifier: MIT
"""The longest files and functions, reported and never failed: a place to look, not a rule."""
import re

OPEN = re.compile(r'^\{[^\n]*\n(.*?)^\}', re.M | re.S)


def functions(p, path):
    """(lines, name, line) of each function; a body opens and closes in column 1."""
    code = p.code(path)
    for m in OPEN.finditer(code):
        before = code[:m.start()].rstrip()
        head = before[max(before.rfind(';'), before.rfind('}'), before.rfind('\n\n')) + 1:]
        name = re.findall(r'(\w+)\s*\(', head)
        names = [n for n in name if not n.startswith(('__', 'CEL_'))]
        if names:
            first = code.count('\n', 0, m.start()) + 1
            yield m.group(1).count('\n'), names[0], first


def report(p):
    library = p.sources('src/') + p.sources('cli/') + p.public_headers()
    files = sorted(((p.text(f).count('\n'), f) for f in library), reverse=True)[:10]
    longest = sorted(((n, f, name, line) for f in library for n, name, line in functions(p, f)),
                     reverse=True)[:10]
    yield 'longest files:'
    yield from (f'  {n:5}  {f}' for n, f in files)
    yield 'longest functions:'
    yield from (f'  {n:5}  {name}  {f}:{line}' for n, f, name, line in longest)
