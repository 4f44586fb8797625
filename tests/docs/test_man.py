# SPDX-License-Identifier: MIT
"""The manual: each page sets without a warning, says in one line what it is about, and has what the
headers and the command's --help have (TAP).

    test_man.py SOURCE BUILD
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def set_page(path):
    """What groff has to say of a page, at every level of warning."""
    r = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-Kutf8", path], cwd=os.path.dirname(os.path.dirname(path)),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    return r.stderr.strip() or (None if r.returncode == 0 and r.stdout else "set to nothing")


def warnings(folder, source, build):
    """Of one page a header, and the command's; the others lead to these."""
    for path in sorted(glob.glob(folder + "/man3/celadon_*.3") + glob.glob(folder + "/man1/*.1")):
        said = set_page(path)
        if said:
            yield f"{os.path.basename(path)}: {said[:500]}"


def bad_names(folder, source, build):
    """The line after .SH NAME: names, a dash, and words that end as words do."""
    for path in sorted(glob.glob(folder + "/man3/celadon_*.3") + glob.glob(folder + "/man1/*.1")):
        line = re.search(r"^\.SH NAME\n(.*)", read(path), re.M).group(1)
        names, _, words = line.partition(r" \- ")
        if not names or not 8 <= len(words.replace("\\", "")) <= 120 or not re.search(r"[\w)]$", words):
            yield f"{os.path.basename(path)}: {line}"


def missing_functions(folder, source, build):
    """Exported symbols of the library without a page that leads to one which names them; and pages that name what is
    not for programs."""
    for path in sorted(glob.glob(folder + "/man3/cel__*.3")):
        yield f"{os.path.basename(path)}: a page for the inside"
    for path in sorted(glob.glob(folder + "/man3/celadon_*.3")):
        inner = re.search(r"\bcel__\w+", read(path).split(".SH SYNOPSIS")[1].split(".SH DESCRIPTION")[0])
        if inner:
            yield f"{os.path.basename(path)}: {inner.group(0)} in the synopsis"
    out = subprocess.run(["nm", "-D", "--defined-only", os.path.join(build, "libceladon.so")], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    for name in sorted(set(re.findall(r" [TW] (cel_(?!_)\w+?)(?:@.*)?$", out, re.M))):
        path = f"{folder}/man3/{name}.3"
        if not os.path.exists(path):
            yield f"{name}: no page"
            continue
        target = os.path.join(folder, read(path).split()[1])
        if not re.search(rf"\b{name}\(", read(target).split(".SH SYNOPSIS")[1].split(".SH DESCRIPTION")[0]):
            yield f"{name}: not in the synopsis of {os.path.basename(target)}"


def missing_options(folder, source, build):
    """Commands and options that --help has and celadon(1) has not."""
    manual = read(folder + "/man1/celadon.1").replace("\\", "")
    celadon = os.path.join(build, "celadon")

    def helped(*words):
        return subprocess.run([celadon, *words, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout

    for command in re.findall(r"^  (\w+)  ", helped(), re.M):
        if f".B celadon {command}" not in manual:
            yield command
        section = manual.partition(f".SH OPTIONS OF {command.upper()}\n")[2].partition("\n.SH ")[0]
        for option in re.findall(r"^ +(?:-\w, )?(--[\w-]+)", helped(command), re.M):
            if option not in section and option != "--help":
                yield f"{command} {option}"


TESTS = [warnings, bad_names, missing_functions, missing_options]
NAMES = ["pages_set_without_a_warning", "pages_say_in_a_line_what_they_are_about", "exported_functions_have_a_page",
         "command_page_has_every_option"]


def main():
    source, build = sys.argv[1:3]
    failed = 0
    print(f"1..{len(TESTS)}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.path.join(source, "tools", "man"), folder], check=True)
        for i, (test, name) in enumerate(zip(TESTS, NAMES), 1):
            if test is warnings and shutil.which("groff") is None:
                print(f"ok {i} - {name} # SKIP no groff")
                continue
            bad = list(test(folder, source, build))
            failed += bool(bad)
            print(f'{"not ok" if bad else "ok"} {i} - {name}')
            for what in bad:
                print("#   " + what.replace("\n", "\n#   "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
