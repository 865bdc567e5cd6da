# Libretto. `make` builds the library, the tool and, with ALSA's headers, the live programs; `make install`
# installs what is built; `make plugins` and `make install-plugins` do the same for plugins; `make check` tests
# everything; `make demo` shows what it is for. Targets that test do their own set-up on a machine that has the Swift
# toolchain.

PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
$(foreach name,PREFIX BINDIR LIBDIR INCLUDEDIR DATADIR,$(if $(filter-out /%,$(firstword $($(name)))),\
  $(error $(name) is "$($(name))"; it must be an absolute path)))
# The text the demo learns from; by default that of this project.
CORPUS ?=
DEMO_MINUTES ?= 0.8

# The version is the header's. While it is 0.x every minor version may break hosts: the soname and the version of
# the symbols carry it, so that a process can hold two.
NUMBERS := $(shell sed -n 's/^.define RETTO_VERSION_[MP][A-Z]* *\([0-9][0-9]*\).*/\1/p' Include/libretto.h)
MAJOR := $(word 1,$(NUMBERS))
INTERFACE := $(MAJOR)$(if $(filter 0,$(MAJOR)),.$(word 2,$(NUMBERS)))
VERSION := $(MAJOR).$(word 2,$(NUMBERS)).$(word 3,$(NUMBERS))
SONAME := libretto.so.$(INTERFACE)
RELEASE := .build/release
# Found by their names after they are installed; each has a card.
MODELS := $(wildcard models/*.safetensors) $(patsubst %.safetensors,%.md,$(wildcard models/*.safetensors))
STAGE := .build/stage

# The Swift runtime goes into what is built: no toolchain is needed to run it. `make STRIP=` leaves the
# names of functions in, for profilers.
STRIP ?= -Xlinker -s
SWIFT_BUILD := swift build -c release -Xswiftc -static-stdlib -Xswiftc -use-ld=lld $(STRIP)

.PHONY: all library tool live plugins install-plugins uninstall-plugins check-plugins check-hosts examples check check-swift check-fuzz check-programs check-alsa check-sanitizers demo bench results install uninstall clean format lint

all: library tool live

library:
	@mkdir -p .build
	@sed 's/@INTERFACE@/$(INTERFACE)/' Sources/LibrettoC/exports.map > .build/exports.map
	$(SWIFT_BUILD) --product retto -Xlinker -soname=$(SONAME) -Xlinker --version-script=.build/exports.map
	ln -sf libretto.so $(RELEASE)/$(SONAME)

tool: library
	$(SWIFT_BUILD) --product libretto

# The C programs for ALSA, where its headers are. They look for the library in ../lib from where they are, and
# in LIBDIR if it is elsewhere; in the build tree a link is there.
LIVE := libretto-play libretto-duet
RUNPATH = ../lib $(filter-out ../lib,$(shell realpath -m --relative-to="$(BINDIR)" "$(LIBDIR)"))
BUILD_LIVE = { { echo "$(RUNPATH)" | cmp -s - .build/runpath || again=-B; } && \
  $(MAKE) --no-print-directory $$again -C examples live OUTPUT="$(abspath $(RELEASE))" RUNPATH="$(RUNPATH)" \
  LIBRETTO="-I$(abspath Include) $(abspath $(RELEASE)/libretto.so)" ALSA=-lasound && \
  { [ -z "$$again" ] || echo "$(RUNPATH)" > .build/runpath; }; }

live: library
	@mkdir -p $(RELEASE)/../lib
	@ln -sf ../release/libretto.so $(RELEASE)/../lib/$(SONAME)
	@if echo '#include <alsa/asoundlib.h>' | $(CC) -E - >/dev/null 2>&1; then $(BUILD_LIVE); else \
	  echo "leaving out $(LIVE): $(CC) finds no <alsa/asoundlib.h> (Debian: gcc, libasound2-dev)"; fi

# The plugins: LV2 where its headers are, CLAP anywhere. They look for the library where it is from LV2DIR and CLAPDIR,
# or two folders up and one.
LV2DIR ?= $(LIBDIR)/lv2
LV2_BUILT := .build/lib/lv2
BUILD_LV2 = $(MAKE) --no-print-directory $(1) -C Sources/LV2 OUTPUT="$(abspath $(LV2_BUILT))" \
  LIBRETTO="-I$(abspath Include) $(abspath $(RELEASE)/libretto.so)" \
  RUNPATH="$(sort ../.. $(shell realpath -m --relative-to="$(LV2DIR)/libretto.lv2" "$(LIBDIR)"))"

CLAPDIR ?= $(LIBDIR)/clap
CLAP_BUILT := .build/lib/clap
BUILD_CLAP = $(MAKE) --no-print-directory $(1) -C Sources/CLAP OUTPUT="$(abspath $(CLAP_BUILT))" \
  LIBRETTO="-I$(abspath Include) $(abspath $(RELEASE)/libretto.so)" \
  RUNPATH="$(sort .. $(shell realpath -m --relative-to="$(CLAPDIR)" "$(LIBDIR)"))"

plugins: library
	@mkdir -p .build/lib
	@ln -sf ../release/libretto.so .build/lib/$(SONAME)
	@if echo '#include <lv2/core/lv2.h>' | $(CC) -E - >/dev/null 2>&1; then $(call BUILD_LV2); else \
	  echo "leaving out libretto.lv2: $(CC) finds no <lv2/core/lv2.h> (Debian: gcc, lv2-dev)"; fi
	$(call BUILD_CLAP)

# Installs what is built, and builds nothing; but for a LIBDIR that they cannot find the live programs are linked
# anew. Each file is written beside its place and renamed: programs that run keep the old one.
put = install -m $(1) "$(2)" "$(DESTDIR)$(3).new" && mv -f "$(DESTDIR)$(3).new" "$(DESTDIR)$(3)"

install:
	@[ -e $(RELEASE)/$(SONAME) ] && [ -x $(RELEASE)/libretto ] || \
	  { echo "make install: version $(VERSION) is not built in $(RELEASE); run make first" >&2; exit 1; }
	@[ ! -x $(RELEASE)/libretto-play ] || $(BUILD_LIVE)
	mkdir -p "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(INCLUDEDIR)"
	$(call put,755,$(RELEASE)/libretto.so,$(LIBDIR)/libretto.so.$(VERSION))
	ln -sf libretto.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	ln -sf $(SONAME) "$(DESTDIR)$(LIBDIR)/libretto.so"
	$(call put,644,Include/libretto.h,$(INCLUDEDIR)/libretto.h)
	$(call put,644,Include/libretto.pc.in,$(LIBDIR)/pkgconfig/libretto.pc)
	sed -i -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	  -e 's|@VERSION@|$(VERSION)|' "$(DESTDIR)$(LIBDIR)/pkgconfig/libretto.pc"
	$(call put,755,$(RELEASE)/libretto,$(BINDIR)/libretto)
	@for name in $(LIVE); do [ ! -x $(RELEASE)/$$name ] || \
	  { echo "installing $$name"; $(call put,755,$(RELEASE)/$$name,$(BINDIR)/$$name); } || exit 1; done
	mkdir -p "$(DESTDIR)$(DATADIR)/libretto/models"
	@for file in $(MODELS); do echo "installing $$file"; $(call put,644,$$file,$(DATADIR)/libretto/$$file) || exit 1; done

uninstall:
	rm -f $(patsubst %,"$(DESTDIR)$(BINDIR)"/%,libretto $(LIVE)) "$(DESTDIR)$(INCLUDEDIR)/libretto.h"
	rm -f $(patsubst %,"$(DESTDIR)$(LIBDIR)"/%,libretto.so $(SONAME) libretto.so.$(VERSION) pkgconfig/libretto.pc)
	rm -f $(patsubst %,"$(DESTDIR)$(DATADIR)/libretto"/%,$(MODELS))

# The plugins that were built, for an installation of the same PREFIX. For a LIBDIR that it cannot find a plugin is
# linked anew.
is_beside = [ "$$(realpath -m "$(1)/..")" = "$$(realpath -m "$(LIBDIR)")" ]
install_lv2 = $(call is_beside,$(LV2DIR)) || $(call BUILD_LV2,-B); mkdir -p "$(DESTDIR)$(LV2DIR)/libretto.lv2"; \
  for name in manifest.ttl libretto.ttl presets.ttl libretto_lv2.so; do echo "installing libretto.lv2/$$name"; \
    mode=644; [ $$name != libretto_lv2.so ] || mode=755; \
    $(call put,$$mode,$(LV2_BUILT)/libretto.lv2/$$name,$(LV2DIR)/libretto.lv2/$$name); done
install_clap = $(call is_beside,$(CLAPDIR)) || $(call BUILD_CLAP,-B); mkdir -p "$(DESTDIR)$(CLAPDIR)"; \
  echo "installing libretto.clap"; $(call put,755,$(CLAP_BUILT)/libretto.clap,$(CLAPDIR)/libretto.clap)

install-plugins:
	@[ -x $(CLAP_BUILT)/libretto.clap ] || \
	  { echo "make install-plugins: there is no $(CLAP_BUILT)/libretto.clap; run make plugins first" >&2; exit 1; }
	@[ ! -x $(LV2_BUILT)/libretto.lv2/libretto_lv2.so ] || { set -e; $(install_lv2); }
	@set -e; $(install_clap)

uninstall-plugins:
	rm -rf "$(DESTDIR)$(LV2DIR)/libretto.lv2" "$(DESTDIR)$(CLAPDIR)/libretto.clap"

# The examples, built against an installation of their own as any program would be.
STAGED = PREFIX="$(abspath $(STAGE))" BINDIR="$(abspath $(STAGE))/bin" LIBDIR="$(abspath $(STAGE))/lib" \
  INCLUDEDIR="$(abspath $(STAGE))/include" DATADIR="$(abspath $(STAGE))/share" DESTDIR=

examples: all
	$(MAKE) install $(STAGED)
	PKG_CONFIG_PATH="$(abspath $(STAGE))/lib/pkgconfig" $(MAKE) -B -C examples OUTPUT="$(abspath $(STAGE))/bin" RUNPATH=../lib

# What needs no other part runs beside it: the Swift tests, the programs that use what was built, and the
# fuzzers.
check: lint
	@Tests/packages gcc g++ make pkg-config binutils python3 libasound2-dev valgrind
	$(MAKE) examples
	$(MAKE) -j2 --output-sync=target check-swift check-fuzz check-programs

check-swift:
	Tests/imports/run
	swift test

check-fuzz:
	Tests/fuzz/run 5

check-programs:
	Tests/kernels/symbols
	Tests/kernels/aarch64
	Tests/abi/run $(RELEASE)
	Tests/chost/run $(RELEASE)
	Tests/work/run $(RELEASE)
	Tests/live/run $(RELEASE)
	Tests/tool/run $(RELEASE) $(STAGE)
	Tests/install $(RELEASE)

# The live programs on an ALSA sequencer, that of this machine or of a virtual one.
check-alsa: examples
	@Tests/packages gcc python3 libasound2-dev
	Tests/alsa/run $(STAGE)

# The plugins in hosts of the tests' own, in simulated time.
check-plugins: all
	Tests/lv2/run $(RELEASE) validate host sanitizers realtime
	Tests/clap/run $(RELEASE)

# The LV2 plugin in jalv on JACK, and in Ardour where it is installed.
check-hosts: all
	Tests/lv2/run $(RELEASE) jalv ardour

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

# What default flags learn on the corpora in FOLDER; see benchmarks/results.py.
results: all
	python3 benchmarks/results.py "$(FOLDER)"

clean:
	rm -rf .build
