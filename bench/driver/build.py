# SPDX-License-Identifier: MIT
"""Turns a system's recipe into a command line, or into the reason why it is absent.

A recipe is a function from nothing to an argv prefix. It raises Absent with one plain sentence when
a package, a file or a feature is missing, so that the system is listed as skipped with it.
"""
import os
import shutil
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SRC = os.path.join(TOP, "bench")
OUT = os.path.join(TOP, "build", "bench")
PYTHON = "/usr/bin/python3"

CFLAGS = ["-std=gnu11", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-missing-field-initializers"]
CXXFLAGS = ["-std=gnu++17", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra"]


class Absent(Exception):
    """Why a system cannot take part."""


def installed(package):
    query = ["dpkg-query", "-W", "-f=${Status}", package]
    done = subprocess.run(query, capture_output=True, text=True)
    return done.stdout.endswith(" installed")


def version(package):
    query = ["dpkg-query", "-W", "-f=${Version}", package]
    return subprocess.run(query, capture_output=True, text=True).stdout


def need(*packages):
    missing = [p for p in packages if not installed(p)]
    if missing:
        raise Absent("package not installed: " + ", ".join(missing))


def newest(*paths):
    return max(os.path.getmtime(p) for p in paths)


def compile_to(target, command, sources, env=None):
    """Runs the compiler unless the target is newer than all it is made of."""
    made_of = [*sources, __file__]
    if not os.path.exists(target) or os.path.getmtime(target) < newest(*made_of):
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=SRC)
        if done.returncode != 0:
            errors = [line for line in done.stderr.splitlines() if "error" in line]
            raise Absent("does not build: " + (errors or done.stderr.splitlines() or ["?"])[0][:200])
    return [target]


def headers():
    found = []
    for folder in (SRC, os.path.join(SRC, "floor"), os.path.join(SRC, "load")):
        found += [os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".h")]
    return found


def need_header(name):
    """For a library that Debian does not package: where CPATH and LIBRARY_PATH say, or /usr/local."""
    command = ["gcc", "-E", "-include", name, "-x", "c", "/dev/null", "-o", "/dev/null"]
    if subprocess.run(command, capture_output=True).returncode != 0:
        raise Absent(f"no {name}: not packaged; build it and set CPATH and LIBRARY_PATH")


def c(source, *flags, packages=(), header=None):
    """A C or C++ program of the bench folder."""

    def recipe():
        need(*packages)
        paths = os.environ.get("LIBRARY_PATH", "").split(":") if header is not None else []
        if header is not None:
            need_header(header)
        path = os.path.join(SRC, source)
        plus = source.endswith(".cc")
        target = os.path.join(OUT, os.path.splitext(os.path.basename(source))[0])
        command = ["g++", *CXXFLAGS] if plus else ["gcc", *CFLAGS]
        command += ["-o", target, path, *flags, *("-Wl,-rpath," + p for p in paths if p)]
        return compile_to(target, command, [path, *headers()])

    return recipe


def go(source):
    """A Go program, built by Debian's Go without modules, against Debian's sources."""

    def recipe():
        compiler = "/usr/bin/go" if os.path.exists("/usr/bin/go") else shutil.which("go")
        if compiler is None:
            raise Absent("package not installed: golang-go")
        path = os.path.join(SRC, source)
        if "x/net/html" in open(path).read():
            need("golang-golang-x-net-dev")
        own = os.path.join(SRC, "peers", "gopath")
        env = dict(
            os.environ, GO111MODULE="off", GOFLAGS="", GOPATH=f"{own}:/usr/share/gocode",
            GOCACHE=os.path.join(OUT, "gocache"), GOTOOLCHAIN="local", GOPROXY="off",
        )  # fmt: skip
        target = os.path.join(OUT, os.path.splitext(os.path.basename(source))[0])
        report = os.path.join(own, "src", "bench", "report", "report.go")
        return compile_to(target, [compiler, "build", "-o", target, path], [path, report], env)

    return recipe


def python(source, *packages):
    """A program for Debian's own interpreter and its packages."""

    def recipe():
        need(*packages)
        return [PYTHON, "-s", os.path.join(SRC, source)]

    return recipe


def tool(name, package):
    def recipe():
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        if path is None:
            raise Absent(f"package not installed: {package}")
        return [path]

    return recipe


def is_stale():
    """Has a source of the library changed since it was linked."""
    library = os.path.join(TOP, "build", "libceladon.so")
    if not os.path.exists(library):
        return False
    folders = (os.path.join(TOP, "src"), os.path.join(TOP, "include"))
    sources = [os.path.join(d, n) for f in folders for d, _, names in os.walk(f) for n in names]
    return newest(*(s for s in sources if s.endswith((".c", ".h", ".S")))) > os.path.getmtime(library)


def ours(name):
    """A program of bench/ours, linked to the library of the release build."""

    def recipe():
        source = os.path.join(SRC, "ours", name + ".c")
        library = os.path.join(TOP, "build", "libceladon.so")
        if not os.path.exists(source):
            raise Absent(f"bench/ours/{name}.c is not written yet")
        if not os.path.exists(library):
            raise Absent("build/libceladon.so is missing: run `make` first")
        target = os.path.join(OUT, "ours_" + name)
        include = os.path.join(TOP, "include")
        command = ["gcc", *CFLAGS, "-I", include, "-o", target, source]
        command += ["-L", os.path.dirname(library), "-lceladon", "-Wl,-rpath," + os.path.dirname(library)]
        public = os.path.join(include, "celadon")
        sources = [os.path.join(public, h) for h in os.listdir(public)]
        return compile_to(target, command, [source, library, *sources, *headers()])

    return recipe


def internal(name):
    """A program of bench/ that measures a part which is not public: linked to the archive."""

    def recipe():
        source = os.path.join(SRC, name + ".c")
        archive = os.path.join(TOP, "build", "libceladon.a")
        if not os.path.exists(archive):
            raise Absent("build/libceladon.a is missing: run `make` first")
        target = os.path.join(OUT, name)
        include = [flag for d in ("include", "src") for flag in ("-I", os.path.join(TOP, d))]
        command = ["gcc", *CFLAGS, *include, "-o", target, source, archive, "-lxml2", "-pthread"]
        return compile_to(target, command, [source, archive, *headers()])

    return recipe
