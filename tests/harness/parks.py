# SPDX-License-Identifier: MIT
"""The public functions that park, as the headers say, and a gate before each of them.

    parks.py SOURCE OUT.S OUT.ld

Whoever calls one goes through a piece of assembly that tells reach.c before and after; the linker
puts it there (--wrap). What cannot be called a second time with its arguments in their places
(more than six of them, or any number) is told of before only.
"""
import glob
import importlib.machinery
import importlib.util
import os
import re
import sys

GATE = """
    .globl __wrap_{symbol}
    .type __wrap_{symbol}, @function
__wrap_{symbol}:
    .cfi_startproc
    endbr64
"""
ROUND = """    push %rdi; push %rsi; push %rdx; push %rcx; push %r8; push %r9
    sub $8, %rsp
    .cfi_adjust_cfa_offset 56
    mov ${at}, %edi
    call reach_enter
    add $8, %rsp
    pop %r9; pop %r8; pop %rcx; pop %rdx; pop %rsi; pop %rdi
    .cfi_adjust_cfa_offset -56
    sub $8, %rsp
    .cfi_adjust_cfa_offset 8
    call __real_{symbol}
    add $8, %rsp
    .cfi_adjust_cfa_offset -8
    push %rax; push %rdx
    sub $8, %rsp
    .cfi_adjust_cfa_offset 24
    mov ${at}, %edi
    call reach_leave
    add $8, %rsp
    pop %rdx; pop %rax
    .cfi_adjust_cfa_offset -24
    ret
"""
PAST = """    incl reach_passed+4*{at}(%rip)
    jmp __real_{symbol}
"""


def man(source):
    """tools/man, which reads headers."""
    loader = importlib.machinery.SourceFileLoader("man", os.path.join(source, "tools", "man"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("man", loader))
    loader.exec_module(module)
    return module


def symbol_of(name, header):
    """What is called where a macro and an inline function stand before the library's own."""
    macro = re.search(r"^#define %s\(.*\) (cel__\w+)\(" % name, header, re.M)
    if not macro:
        return name
    body = re.search(r"^static inline \w+ \*?%s\(.*?^}" % macro.group(1), header, re.M | re.S)
    return re.search(r"return (cel__\w+)\(", body.group(0)).group(1) if body else macro.group(1)


def parking(source):
    """(name, symbol, whether it is gone round) of each function whose comment says that it parks."""
    reader = man(source)
    sys.dont_write_bytecode = True
    for path in sorted(glob.glob(os.path.join(source, "include", "celadon", "*.h"))):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for item in reader.parse(text)[1]:
            if not re.search(r"\(parks\b", item.comment):
                continue
            for declaration in item.declarations():
                name = re.search(r"\b(cel_\w+)\s*\(", declaration).group(1)
                arguments = declaration.split("(", 1)[1].count(",") + 1
                plain = "..." not in declaration and arguments <= 6
                assert not re.search(r"\b(double|float)\b", declaration), declaration
                yield name, symbol_of(name, text), plain


def main():
    source, assembly, options = sys.argv[1:]
    functions = list(parking(source))
    with open(assembly, "w", encoding="utf-8") as f:
        f.write("/* Written by tests/harness/parks.py. */\n    .text\n")
        for at, (_, symbol, plain) in enumerate(functions):
            f.write(GATE.format(symbol=symbol) + (ROUND if plain else PAST).format(at=at, symbol=symbol))
            f.write(f"    .cfi_endproc\n    .size __wrap_{symbol}, . - __wrap_{symbol}\n")
        f.write("\n    .data\n    .globl reach_count\n    .balign 4\nreach_count: .long %d\n" % len(functions))
        f.write("    .globl reach_passed\nreach_passed: .zero %d\n" % (4 * len(functions)))
        f.write("\n    .section .rodata\n    .globl reach_names\nreach_names:\n")
        f.writelines(f'    .asciz "{name}"\n' for name, _, _ in functions)
        f.write('    .section .note.GNU-stack,"",@progbits\n')
    with open(options, "w", encoding="utf-8") as f:
        f.writelines(f"--wrap={symbol}\n" for _, symbol, _ in functions)


if __name__ == "__main__":
    main()
