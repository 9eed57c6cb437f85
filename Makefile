# SPDX-License-Identifier: BSD-2-Clause
# A thin face over Meson, which is the real build. `make help` lists the targets.

MESON ?= meson
NINJA ?= ninja
PREFIX ?= /usr/local
DESTDIR ?=
BUILD := build

# SETUP=no leaves the packages of the machine alone.
ifeq ($(SETUP),no)
setup = @:
need = @:
else
setup = @scripts/setup.sh
need = @scripts/setup.sh --name-only
endif

.PHONY: all run check bench boot fuzz install format clean help

all:
	$(need) build
	@test -f $(BUILD)/build.ninja || $(MESON) setup $(BUILD)
	@$(NINJA) -C $(BUILD) product

run:
	$(setup) run
	@$(MAKE) --no-print-directory SETUP=no all
	@scripts/demo.sh $(BUILD)/physzone

check:
	$(setup) check
	@scripts/check.sh

bench:
	$(setup) bench
	@scripts/bench.sh $(BENCH)

boot:
	$(setup) boot
	@scripts/boot.sh

fuzz:
	$(setup) fuzz
	@scripts/fuzz.sh

install:
	$(setup) build
	@$(MAKE) --no-print-directory SETUP=no all
	@$(MESON) configure $(BUILD) -Dprefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) $(MESON) install -C $(BUILD) --quiet

format:
	$(setup) format
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(BUILD)

help:
	@echo 'make            build build/physzone and build/libphyszone.a'
	@echo 'make run        show the zones of a recorded machine and of its capture kernel'
	@echo 'make check      everything that must hold: tests, sanitizers, lints, cross builds, fuzzing, boot'
	@echo 'make bench      measure; BENCH="--quick pair" for some cases of the page allocator,'
	@echo '                BENCH="objects --quick pair" of the object caches, BENCH=--help for a list'
	@echo 'make boot       start the bare-metal images in QEMU and run the contract suite there'
	@echo 'make fuzz       fuzz every parser; FUZZ_SECONDS=N for each target (600), FUZZ_TARGET=NAME for one'
	@echo 'make install    install under PREFIX (/usr/local), staged in DESTDIR'
	@echo 'make format     format the C sources'
	@echo 'make clean      remove build/'
	@echo 'SETUP=no        do not look for, nor install, Debian packages'
