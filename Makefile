# Libretto. `make` builds the library and the tool, `make check` tests everything, `make demo` shows
# what it is for. Every target does its own set-up on a machine that has the Swift toolchain.

PREFIX ?= /usr/local
DESTDIR ?=
# The text the demo learns from; by default that of this project.
CORPUS ?=
DEMO_MINUTES ?= 0.8

VERSION := $(shell sed -n 's/^private let version: StaticString = "\(.*\)"/\1/p' Sources/LibrettoC/Library.swift)
# While the version is 0.x every minor one may break hosts; the soname changes with the major.
SONAME := libretto.so.0
RELEASE := .build/release
STAGE := .build/stage
ROOT = $(abspath $(DESTDIR)$(PREFIX))

# The Swift runtime goes into what is built: no toolchain is needed to run it. `make STRIP=` leaves the
# names of functions in, for profilers.
STRIP ?= -Xlinker -s
SWIFT_BUILD := swift build -c release -Xswiftc -static-stdlib -Xswiftc -use-ld=lld $(STRIP)

.PHONY: all library tool examples check check-alsa check-sanitizers demo bench install clean format lint

all: library tool

library:
	$(SWIFT_BUILD) --product retto -Xlinker -soname=$(SONAME) \
	  -Xlinker --version-script=Sources/LibrettoC/exports.map
	ln -sf libretto.so $(RELEASE)/$(SONAME)

tool: library
	$(SWIFT_BUILD) --product libretto

install: all
	mkdir -p "$(ROOT)/lib/pkgconfig" "$(ROOT)/include" "$(ROOT)/bin"
	cp $(RELEASE)/libretto.so "$(ROOT)/lib/libretto.so.$(VERSION)"
	ln -sf libretto.so.$(VERSION) "$(ROOT)/lib/$(SONAME)"
	ln -sf $(SONAME) "$(ROOT)/lib/libretto.so"
	cp Include/libretto.h "$(ROOT)/include/libretto.h"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' Include/libretto.pc.in \
	  > "$(ROOT)/lib/pkgconfig/libretto.pc"
	cp $(RELEASE)/libretto "$(ROOT)/bin/libretto"
	@Tests/packages gcc make pkg-config
	@[ "$$(uname)" != Linux ] || Tests/packages libasound2-dev || true
	PKG_CONFIG_PATH="$(ROOT)/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$(DESTDIR)" \
	  $(MAKE) -B -C examples OUTPUT="$(ROOT)/bin"

# The examples, built against an installation of their own.
examples:
	$(MAKE) install PREFIX="$(abspath $(STAGE))" DESTDIR=

check: lint
	@Tests/packages gcc g++ make pkg-config binutils python3 libasound2-dev valgrind
	$(MAKE) examples
	swift test
	Tests/kernels/symbols
	Tests/kernels/aarch64
	Tests/chost/run $(RELEASE)
	Tests/work/run $(RELEASE)
	Tests/tool/run $(RELEASE) $(STAGE)
	Tests/fuzz/run 5

# The live programs on an ALSA sequencer, that of this machine or of a virtual one.
check-alsa: examples
	@Tests/packages gcc python3 libasound2-dev
	Tests/alsa/run $(STAGE)

check-sanitizers:
	Tests/sanitizers

lint:
	swift format lint --strict -r Package.swift Sources Tests

# Not through the links in Sources/Kernels*: each would become a file of its own.
format:
	find Package.swift Sources Tests -name '*.swift' -type f -exec swift format -i {} +

demo: all
	@examples/demo "$(CORPUS)" $(DEMO_MINUTES)

bench: all
	python3 benchmarks/compare.py

clean:
	rm -rf .build
