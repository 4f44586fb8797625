# SPDX-License-Identifier: MIT
# A short face for meson and the scripts in tools/. `make help` lists it.

BUILD   ?= build
MESON    = tools/configure
RUN      = tools/runtests
PREFIX  ?= /usr/local

all: $(BUILD)/build.ninja       ## build the library, the command and the examples
	ninja -C $(BUILD)

$(BUILD)/build.ninja: | deps-build
	$(MESON) $(BUILD) -Dtests=false

deps-%:
	@tools/deps $*

test: | deps-test               ## install what is missing, build, run the suite on every backend
	$(MESON) $(BUILD) -Dtests=true
	ninja -C $(BUILD)
	@$(RUN) $(BUILD)

test-kernels: | deps-test       ## the suite as Linux 5.10, 5.15, 6.1, 6.6 and 6.12 would have it; K=<kernel> for one
	$(MESON) $(BUILD) -Dtests=true
	ninja -C $(BUILD)
	@set -e; for k in $(or $(K),5.10 5.15 6.1 6.6 6.12); do \
	    echo "Linux $$k"; $(RUN) --kernel $$k $(BUILD); done

soak: | deps-soak               ## load, chaos and exhaustion for some minutes; Q=1 quick, F=1 for hours, T=<test> for one
	$(MESON) $(BUILD) -Dtests=true
	ninja -C $(BUILD)
	@tools/soak --build $(BUILD) $(if $(Q),--quick) $(if $(F),--full) $(T)

lint: | deps-lint               ## floors, circles, headers, symbols, formatting, clang-tidy
	$(MESON) $(BUILD) -Dtests=true
	ninja -C $(BUILD)
	@tools/lint --build $(BUILD)

oracle: | deps-test             ## thousands of Debian's pages by our HTML parser and by myhtml
	$(MESON) $(BUILD) -Dtests=true
	ninja -C $(BUILD)
	@tools/oracle $(BUILD)

asan: | deps-test               ## the suite under AddressSanitizer and UBSan
	$(MESON) build-asan -Db_sanitize=address,undefined
	ninja -C build-asan
	@$(RUN) --slower 4 build-asan

tsan: | deps-test               ## the suite under ThreadSanitizer
	$(MESON) build-tsan -Db_sanitize=thread
	ninja -C build-tsan
	@$(RUN) --slower 8 build-tsan

demo: all | deps-demo           ## serve the demo site and run the article's scraper on it
	@tools/demo

bench: | deps-bench             ## all workloads beside their peers; W=<workload> for one
	@bench/run $(W)

fuzz: | deps-fuzz               ## T=<target> S=<seconds>; without T each target in turn
	@tools/fuzz "$(T)" "$(S)"

sim: | deps-test                ## many simulated machines; PLAY=<play> SEEDS=<count> FIRST=<seed>
	$(MESON) $(BUILD) -Dtests=true
	ninja -C $(BUILD) tests/sim/sim_sweep
	@CELADON_LOG=$${CELADON_LOG:-error} $(BUILD)/tests/sim/sim_sweep $(or $(PLAY),all) $(or $(SEEDS),2000) $(or $(FIRST),1)

ring: | deps-test               ## the io_uring backend on many fake rings; PROGRAM=<name> SEEDS=<count> FIRST=<seed>
	$(MESON) $(BUILD) -Dtests=true
	ninja -C $(BUILD) tests/ring/ring_sweep
	@$(BUILD)/tests/ring/ring_sweep $(or $(PROGRAM),all) $(or $(SEEDS),2000) $(or $(FIRST),1)

test-aarch64: | deps-aarch64    ## cross-build and run what can run under qemu-user
	@tools/test-aarch64

install: all                    ## to PREFIX (default /usr/local) beneath DESTDIR
	meson configure $(BUILD) -Dprefix=$(PREFIX)
	meson install -C $(BUILD)

man: | deps-build               ## the man pages, in build/man
	@tools/man $(BUILD)/man

format: | deps-lint             ## clang-format over every C file
	@tools/lint --format

clean:                          ## remove every build directory
	rm -rf $(BUILD) build-asan build-tsan build-fuzz build-aarch64

help:                           ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

.PHONY: all test test-kernels soak lint oracle asan tsan demo bench fuzz sim ring test-aarch64 install man format clean help
