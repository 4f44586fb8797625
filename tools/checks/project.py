# SPDX-License-Identifier: MIT
"""What every check looks at: the files of a tree, their includes, the floors, the build.

A path is relative to the root and written with slashes. A finding names a place, the
rule, and the remedy; a line may be excepted from a rule by a comment on it or above it:

    /* lint: RULE: the reason */
"""
import functools
import json
import os
import re
import subprocess
from collections import namedtuple

Finding = namedtuple('Finding', 'path line rule text')
Include = namedtuple('Include', 'line name quoted')

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)
# Comments and literals, to be blanked so that their words do not count as code.
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
HEAD_LINES = 20
EXCEPTION = re.compile(r'lint: *([a-z-]+): *\S')


def blank(match):
    """As many lines as before and the quotes of a literal, nothing else."""
    text = match.group(0)
    edge = text[0] if text[0] in '"\'' else ''
    return edge + re.sub(r'[^\n]', ' ', text[1:-1]) + edge if edge else re.sub(r'[^\n]', ' ', text)


class Project:
    def __init__(self, root, build=None):
        self.root = os.path.abspath(root)
        self.build = build and os.path.abspath(build)
        self.files = sorted(self._list())
        self.floor_of_folder, self.floor_of_header, self.wing_of_header = {}, {}, {}
        self._read_floors()

    # Files

    def _list(self):
        if os.path.isdir(os.path.join(self.root, '.git')) or \
                os.path.isfile(os.path.join(self.root, '.git')):
            out = subprocess.check_output(['git', '-C', self.root, 'ls-files', '-z', '-c', '-o',
                                           '--exclude-standard'], text=True)
            return [f for f in out.split('\0') if f and os.path.isfile(self.at(f))]
        found = []
        for folder, dirs, names in os.walk(self.root):
            dirs[:] = [d for d in dirs if not d.startswith(('.', 'build'))]
            found += [os.path.relpath(os.path.join(folder, n), self.root) for n in names]
        return found

    def at(self, path):
        return os.path.join(self.root, path)

    @functools.lru_cache(None)
    def text(self, path):
        with open(self.at(path), encoding='utf-8', errors='replace') as f:
            return f.read()

    @functools.lru_cache(None)
    def code(self, path):
        """The text with comments and literals blanked, line for line."""
        return NOT_CODE.sub(blank, self.text(path))

    def having(self, *suffixes, under=''):
        return [f for f in self.files if f.startswith(under) and f.endswith(suffixes)]

    def sources(self, under=''):
        return self.having('.c', '.h', under=under)

    def public_headers(self):
        return self.having('.h', under='include/celadon/')

    # Includes

    @functools.lru_cache(None)
    def includes(self, path):
        text = COMMENT.sub(lambda m: blank(m) if m.group(0)[0] == '/' else m.group(0),
                           self.text(path))
        found = []
        for m in INCLUDE.finditer(text):
            line = text.count('\n', 0, m.start()) + 1
            found.append(Include(line, m.group(1) or m.group(2), m.group(1) is not None))
        return found

    @functools.lru_cache(None)
    def resolve(self, path, name):
        """The tree's file that an include means, None for one of the system."""
        for base in (os.path.dirname(path), 'include', 'src', 'tests', 'bench'):
            candidate = os.path.normpath(os.path.join(base, name))
            if candidate in self._file_set():
                return candidate
        return None

    @functools.lru_cache(None)
    def _file_set(self):
        return frozenset(self.files)

    @functools.lru_cache(None)
    def reach(self, path):
        """Every file of the tree that `path` includes, directly or not."""
        seen, todo = set(), [path]
        while todo:
            current = todo.pop()
            for inc in self.includes(current):
                target = self.resolve(current, inc.name)
                if target and target not in seen:
                    seen.add(target)
                    todo.append(target)
        return frozenset(seen)

    # Floors

    def _read_floors(self):
        path = 'tools/FLOORS'
        if not os.path.isfile(self.at(path)):
            return
        level = 0
        for line in self.text(path).splitlines():
            wings = re.findall(r'([a-z0-9_]+)(?:\(([^)]*)\))?', line.split('#')[0])
            level += bool(wings)
            for folder, headers in wings:
                self.floor_of_folder[folder] = level
                for header in [folder] + headers.split():
                    self.floor_of_header[header] = level
                    self.wing_of_header[header] = folder

    def place(self, path):
        """(level, folder) of a file of the library, None when it is on no floor."""
        parts = path.split('/')
        if parts[0] == 'src' and len(parts) > 2 and parts[1] in self.floor_of_folder:
            return self.floor_of_folder[parts[1]], parts[1]
        if path.startswith('include/celadon/'):
            stem = parts[-1][:-2]
            if stem in self.floor_of_header:
                return self.floor_of_header[stem], self.wing_of_header[stem]
        return None

    # Build

    @functools.lru_cache(None)
    def commands(self):
        with open(os.path.join(self.build, 'compile_commands.json'), encoding='utf-8') as f:
            return json.load(f)

    @functools.lru_cache(None)
    def objects(self):
        """source -> object file, of the library alone."""
        found = {}
        for c in self.commands():
            if not c['output'].startswith('libceladon.so'):
                continue
            source = os.path.normpath(os.path.join(c['directory'], c['file']))
            found[os.path.relpath(source, self.root)] = os.path.join(c['directory'], c['output'])
        return found

    @functools.lru_cache(None)
    def system_includes(self):
        """-I flags of the build that lead out of the tree (libxml2 lies in a folder of its own)."""
        flags = set()
        for c in self.commands() if self.build else []:
            flags.update(f for f in re.findall(r"-I'?(/[^ ']+)", c['command'])
                         if not f.startswith(self.root + '/'))
        return ['-isystem' + f for f in sorted(flags)]

    # Findings

    def finding(self, path, line, rule, text):
        """A list with the finding, or an empty one when a comment excepts the line. What a rule
        says of a whole file it says of line 1, and the file's head may except it."""
        if path in self._file_set():
            lines = self.text(path).splitlines()
            near = lines[:HEAD_LINES] if line == 1 else lines[max(0, line - 2):line]
            if any(m.group(1) == rule for l in near for m in EXCEPTION.finditer(l)):
                return []
        return [Finding(path, line, rule, text)]


def module(path):
    """A .c and its .h are one module; a public header is one of its own."""
    return re.sub(r'\.(c|h|S)$', '', path)


def find_cycle(graph):
    """A list of nodes that leads back to its first, or None. `graph`: node -> set."""
    done, path, on_path = set(), [], set()

    def visit(start):
        stack = [(start, iter(sorted(graph.get(start, ()))))]
        path.append(start)
        on_path.add(start)
        while stack:
            node, rest = stack[-1]
            for target in rest:
                if target in on_path:
                    return path[path.index(target):] + [target]
                if target not in done:
                    stack.append((target, iter(sorted(graph.get(target, ())))))
                    path.append(target)
                    on_path.add(target)
                    break
            else:
                stack.pop()
                path.pop()
                on_path.discard(node)
                done.add(node)
        return None

    for node in sorted(graph):
        if node not in done:
            cycle = visit(node)
            if cycle:
                return cycle
    return None


def find_cycles(graph, most=10):
    """Several at once, so that one run shows all there is to mend: each with its first step
    taken out before the next is looked for."""
    graph = {node: set(targets) for node, targets in graph.items()}
    for _ in range(most):
        cycle = find_cycle(graph)
        if cycle is None:
            return
        yield cycle
        graph[cycle[0]].discard(cycle[1])
