# SPDX-License-Identifier: MIT
"""What the objects tell: circles, names, what is visible to whom, what is exported."""
import glob
import os
import re
import subprocess

from project import find_cycles, module

DEFINED = set('TDBRCGSVWi')
UNDEFINED = set('Uvw')
ARCHITECTURE = re.compile(r'_(x86_64|aarch64|arm64|sse\d*|avx\d*|neon)$')


def nm(*args):
    out = subprocess.check_output(['nm', '-P', *args], text=True)
    for line in out.splitlines():
        fields = line.split()
        if len(fields) >= 2 and not line.endswith(':'):
            yield fields[0].split('@')[0], fields[1]


def tables(p):
    """(symbol -> defining source, source -> symbols it needs)"""
    home, needs = {}, {}
    for source, obj in sorted(p.objects().items()):
        needs[source] = set()
        for name, kind in nm('-g', obj):
            if kind in UNDEFINED:
                needs[source].add(name)
            elif kind in DEFINED:
                home[name] = source
    return home, needs


def definition_line(p, path, name):
    m = re.search(r'^[^\s#].*\b' + re.escape(name) + r'\b', p.text(path), re.M)
    return p.text(path).count('\n', 0, m.start()) + 1 if m else 1


def use_line(p, path, name):
    m = re.search(r'\b' + re.escape(name) + r'\b', p.code(path))
    return p.code(path).count('\n', 0, m.start()) + 1 if m else 1


def declared_public(p):
    """Function or object name -> (header, line), of everything marked CEL_PUBLIC."""
    found = {}
    for path in p.public_headers():
        code = re.sub(r'^[ \t]*#[^\n]*(?:\\\n[^\n]*)*', lambda m: re.sub(r'[^\n]', ' ', m.group(0)),
                      p.code(path), flags=re.M)
        for m in re.finditer(r'\bCEL_PUBLIC\b([^;{]*)', code):
            names = re.search(r'\b(cel_\w+)\s*\(', m.group(1)) or \
                re.search(r'\b(cel_\w+)\s*(?:\[[^\]]*\]\s*)?$', m.group(1).rstrip())
            if names:
                found[names.group(1)] = (path, code.count('\n', 0, m.start()) + 1)
    return found


def circles(p):
    home, needs = tables(p)
    graph, example = {}, {}
    for source, names in needs.items():
        for name in sorted(names & home.keys()):
            a, b = module(source), module(home[name])
            if a != b:
                graph.setdefault(a, set()).add(b)
                example.setdefault((a, b), (source, name))
    for cycle in find_cycles(graph):
        steps = [f'{a} needs {example[a, b][1]}' for a, b in zip(cycle, cycle[1:])]
        source, name = example[cycle[0], cycle[1]]
        yield from p.finding(source, use_line(p, source, name), 'symbol-circle',
                             '; '.join(steps) + f'; which is in {cycle[-1]}: cut one of these calls')


def declared(p):
    """A symbol of another file is used through a header that the user includes."""
    home, needs = tables(p)
    for source in sorted(needs):
        if source.endswith('.S'):
            continue
        for name in sorted(needs[source] & home.keys()):
            word = re.compile(r'\b' + re.escape(name) + r'\b')
            if not any(word.search(p.code(h)) for h in p.reach(source)):
                yield from p.finding(source, use_line(p, source, name), 'naked-extern',
                                     f'uses {name} of {home[name]} without a header that declares '
                                     'it')
    for path in p.having('.c', under='src/'):
        for m in re.finditer(r'^[ \t]*extern\b', p.code(path), re.M):
            yield from p.finding(path, p.code(path).count('\n', 0, m.start()) + 1, 'naked-extern',
                                 'a declaration belongs into the header of the file that defines')


def visible(p):
    """A name that nobody else uses is static; names tell public from internal."""
    home, needs = tables(p)
    public = declared_public(p)
    used = set().union(*needs.values()) if needs else set()
    others = '\n'.join(p.code(f) for f in p.sources('tests/') + p.sources('fuzz/') +
                       p.sources('bench/'))
    mentioned = set(re.findall(r'\bcel_\w+', others))
    for name, source in sorted(home.items()):
        line = definition_line(p, source, name)
        if name == '_.stapsdt.base':  # what <sys/sdt.h> puts beside static probes
            continue
        if not name.startswith('cel_'):
            yield from p.finding(source, line, 'name',
                                 f'{name} is visible to other files: call it cel__{name}, or make '
                                 'it static')
        elif not name.startswith('cel__') and name not in public:
            yield from p.finding(source, line, 'name',
                                 f'{name} has a public name and no CEL_PUBLIC declaration in '
                                 'include/celadon: call it cel__... or declare it')
        elif name not in used | mentioned and name not in public:
            # A header's macro or inline function may use it on behalf of others.
            in_headers = sum(len(re.findall(r'\b' + name + r'\b', p.code(h)))
                             for h in p.having('.h', under='src/') + p.public_headers())
            if in_headers < 2:
                yield from p.finding(source, line, 'static',
                                     f'{name} is used by no other file: make it static, or remove '
                                     'it when this file does not use it either')


def exported(p):
    """The shared library's symbols and the CEL_PUBLIC declarations are the same set."""
    libraries = glob.glob(os.path.join(p.build, 'libceladon.so*.*'))
    libraries = [f for f in libraries if re.search(r'\.so\.[\d.]+$', f) and not os.path.islink(f)]
    if not libraries:
        return
    have = {n for n, kind in nm('-D', '--defined-only', libraries[0]) if kind in DEFINED}
    public = declared_public(p)
    for name in sorted(have - public.keys()):
        if not name.startswith('CELADON_'):
            yield from p.finding('src/celadon.map', 1, 'export',
                                 f'{name} is exported but not declared CEL_PUBLIC in '
                                 'include/celadon')
    for name in sorted(public.keys() - have):
        path, line = public[name]
        yield from p.finding(path, line, 'export', f'{name} is declared and not exported: define '
                             'it, or take the declaration out')


def built(p):
    """Every source of the library is in the build, but for those of another machine."""
    objects = p.objects()
    for path in p.having('.c', '.S', under='src/'):
        stem = os.path.splitext(os.path.basename(path))[0]
        if path not in objects and not ARCHITECTURE.search(stem):
            yield from p.finding(path, 1, 'unused-file',
                                 'is not in the build: add it to its meson.build or remove it')


CHECKS = [built, circles, declared, visible, exported]
