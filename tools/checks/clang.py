# SPDX-License-Identifier: MIT
"""clang-format and clang-tidy. What clang-tidy found clean is not looked at again until the
file, a header it includes, or the configuration changes."""
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess

FORMAT_MAJOR = 14  # Debian 12's; another version's taste differs in places
C_FOLDERS = ('src/', 'include/', 'green/', 'sim/', 'cli/', 'examples/', 'tests/', 'fuzz/', 'bench/')
TIDY_FOLDERS = ('src/', 'green/', 'sim/', 'cli/', 'examples/')


def tool(name):
    for candidate in (f'{name}-{FORMAT_MAJOR}', name):
        if shutil.which(candidate):
            return candidate
    return None


def version(program):
    out = subprocess.check_output([program, '--version'], text=True)
    m = re.search(r'version (\d+)', out)
    return int(m.group(1)) if m else 0


def c_files(p):
    return [f for f in p.sources() if f.startswith(C_FOLDERS)]


def formatting(p):
    program = tool('clang-format')
    files = c_files(p)
    if not files or '.clang-format' not in p.files:
        return
    if program is None or version(program) != FORMAT_MAJOR:
        p.notes.append(f'clang-format {FORMAT_MAJOR} is not here: formatting was not checked')
        return
    r = subprocess.run([program, '--dry-run', '-Werror', *files], cwd=p.root, text=True,
                       stderr=subprocess.PIPE, check=False)
    seen = set()
    for m in re.finditer(r'^(\S+?):(\d+):\d+: error: code should be clang-formatted', r.stderr,
                         re.M):
        if m.group(1) not in seen:
            seen.add(m.group(1))
            yield from p.finding(m.group(1), int(m.group(2)), 'format', 'run make format')


def apply_format(p):
    subprocess.run([tool('clang-format'), '-i', *c_files(p)], cwd=p.root, check=True)


def fingerprint(p, path, extra):
    h = hashlib.sha256(extra.encode())
    for f in [path, *sorted(p.reach(path))]:
        h.update(f.encode() + b'\0' + p.text(f).encode() + b'\0')
    return h.hexdigest()


def tidy_one(p, program, path):
    r = subprocess.run([program, '--quiet', '-p', p.build, '--warnings-as-errors=*',
                        '--extra-arg=-Wno-unknown-warning-option',
                        '--extra-arg=-Wno-ignored-optimization-argument', path],
                       cwd=p.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                       check=False)
    found = []
    for m in re.finditer(r'^(/\S+?):(\d+):\d+: (?:error|warning): (.*)$', r.stdout, re.M):
        where = os.path.relpath(m.group(1), p.root)
        if where.startswith('..'):
            continue  # a header of somebody else
        text = re.sub(r',-warnings-as-errors', '', m.group(3))
        found.append((where, int(m.group(2)), text))
    return found


def tidy(p):
    program = tool('clang-tidy')
    if program is None or not p.build or '.clang-tidy' not in p.files:
        return
    compiled = {os.path.relpath(os.path.normpath(os.path.join(c['directory'], c['file'])), p.root)
                for c in p.commands()}
    files = [f for f in p.having('.c') if f.startswith(TIDY_FOLDERS) and f in compiled]
    extra = p.text('.clang-tidy') + str(version(program))
    store = os.path.join(p.build, 'lint-tidy.json')
    try:
        with open(store, encoding='utf-8') as f:
            clean = json.load(f)
    except (OSError, ValueError):
        clean = {}
    marks = {f: fingerprint(p, f, extra) for f in files}
    todo = [f for f in files if clean.get(f) != marks[f]]
    # The longest first, so that no core waits for a late giant.
    todo.sort(key=lambda f: -len(p.text(f)))
    seen = set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, found in zip(todo, pool.map(lambda f: tidy_one(p, program, f), todo)):
            if not found:
                clean[path] = marks[path]
            for where, line, text in found:
                if (where, line, text) not in seen:
                    seen.add((where, line, text))
                    yield from p.finding(where, line, 'tidy', text)
    with open(store, 'w', encoding='utf-8') as f:
        json.dump(clean, f)


CHECKS = [formatting, tidy]
