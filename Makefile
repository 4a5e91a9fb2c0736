# CDT engine. `make help` lists the targets.
#
# Variables, on the command line:
#   ARCH=x86-64-v3    instruction set (g++ -march), default native: this machine's. Name one to carry
#                     the binaries to other machines.
#   CXX, CXXFLAGS, LDFLAGS    the compiler; flags of yours come after those of the project
#   DEBUG=1           checks and debug information, into build-debug/
#   SANITIZE=1        AddressSanitizer and UndefinedBehaviorSanitizer, into build-asan/
#   WERROR=           do not stop at warnings (a compiler newer than those known here)
#   V=1               show the commands
#   PREFIX, DESTDIR   where `make install` puts the binaries, default /usr/local
#   PYTHON            the interpreter that has PyTorch, for `make bench-pytorch`

ARCH ?= native
WERROR ?= -Werror
PREFIX ?= /usr/local
PYTHON ?= python3
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
FUZZ_SECONDS ?= 60
JOBS := $(shell nproc 2>/dev/null || echo 1)
MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL),0)
  MAKEFLAGS += -j$(JOBS)
endif
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

OPTIMISE := -O3 -g1
BUILD := build
ifdef DEBUG
  OPTIMISE := -O1 -g -DCDT_DEBUG
  BUILD := build-debug
endif
ifdef SANITIZE
  OPTIMISE := -O1 -g -DCDT_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=all
  BUILD := build-asan
endif

# A fused multiply-add rounds once where the source rounds twice: off, so that results do not depend
# on what the optimiser contracts. -Wrestrict reports sums of strings wrongly in g++ 12 (PR 105651).
FLAGS := -std=c++20 $(OPTIMISE) $(if $(ARCH),-march=$(ARCH)) -ffp-contract=off -fopenmp \
  -Wall -Wextra $(if $(findstring clang,$(CXX)),,-Wno-restrict) $(WERROR) -I. $(CXXFLAGS)
LIBRARIES := -ldnnl -lz

ifdef V
  run = $(2)
else
  run = @printf '%-5s %s\n' $(1) $@; $(2)
endif

# --- dependencies ---------------------------------------------------------------------------------
# config.mk holds what third_party/find.sh found; it looks again while something is missing. Demo,
# test, bench and fuzz install what is missing.
NO_CONFIG := help clean uninstall gpu-check bench-pytorch
ifneq ($(filter-out $(NO_CONFIG),$(or $(MAKECMDGOALS),all)),)
  include $(BUILD)/config.mk
endif
INSTALL_MISSING := $(if $(filter demo test bench fuzz,$(MAKECMDGOALS)),--install)

$(BUILD)/config.mk: third_party/find.sh $(if $(MISSING),$(if $(MAKE_RESTARTS),,FORCE))
	@mkdir -p $(@D)
	@CXX='$(CXX)' third_party/find.sh $(INSTALL_MISSING) > $@

# --- sources --------------------------------------------------------------------------------------
ENGINE := $(wildcard engine/*.cc engine/*/*.cc model/*.cc model/*/*.cc io/*.cc)
IMPORT := $(wildcard io/hdf5/*.cc apps/import/*.cc)
APPS := $(filter-out $(IMPORT),$(wildcard apps/*/*.cc))
MAINS := $(wildcard apps/cdt_*.cc)
UNIT := $(wildcard tests/unit/*.cc tests/support/*.cc)
PARITY := $(wildcard tests/parity/*.cc tests/support/*.cc)
PAPER_BENCH := $(wildcard tests/bench/paper_*.cc)
KERNELS_BENCH := $(wildcard tests/bench/kernels_*.cc)
FUZZ := $(wildcard tests/fuzz/*.cc)
SOURCES := $(sort $(ENGINE) $(IMPORT) $(APPS) $(MAINS) $(UNIT) $(PARITY) $(PAPER_BENCH) \
  $(KERNELS_BENCH) $(FUZZ))
HEADERS := $(wildcard engine/*.h engine/*/*.h model/*.h model/*/*.h io/*.h io/*/*.h apps/*/*.h \
  tests/*/*.h)

objects = $(patsubst %.cc,$(BUILD)/obj/%.o,$(1))
programs = $(addprefix $(BUILD)/bin/,$(subst _,-,$(basename $(notdir $(1)))))

LIBCDT := $(BUILD)/lib/libcdt.a
LIBAPPS := $(BUILD)/lib/libcdtapps.a
PLAIN_PROGRAMS := $(call programs,$(filter-out apps/cdt_import.cc,$(MAINS)))
IMPORT_PROGRAM := $(if $(HDF5_FLAGS),$(call programs,$(filter apps/cdt_import.cc,$(MAINS))))
PROGRAMS := $(PLAIN_PROGRAMS) $(IMPORT_PROGRAM)
TESTS := $(if $(UNIT),$(BUILD)/tests/unit_tests) $(if $(PARITY),$(BUILD)/tests/parity_tests)
BENCHES := $(if $(PAPER_BENCH),$(BUILD)/tests/paper_bench) \
  $(if $(KERNELS_BENCH),$(if $(BENCHMARK_FLAGS),$(BUILD)/tests/kernels_bench))

# --- building -------------------------------------------------------------------------------------
.PHONY: all demo test bench bench-pytorch parity-full gpu-check fuzz lint install uninstall clean help FORCE

all: $(PROGRAMS)  ## build the programs into build/bin (default)

# A stamp changes only when its content does, so that other flags or a removed file rebuild.
stamp = @mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@
FORCE:
$(BUILD)/flags: FORCE
	$(call stamp,$(CXX) $(FLAGS) $(HDF5_FLAGS) $(LDFLAGS))
$(BUILD)/sources: FORCE
	$(call stamp,$(SOURCES))
GIT_HASH := $(shell [ -e .git ] && git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null)
$(BUILD)/git_hash: FORCE
	$(call stamp,$(GIT_HASH))

$(BUILD)/obj/%.o: %.cc $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,c++,$(CXX) $(FLAGS) $(EXTRA) -MMD -MP -c $< -o $@)
$(BUILD)/obj/apps/common/version.o: $(BUILD)/git_hash
$(BUILD)/obj/apps/common/version.o: EXTRA = -DCDT_GIT_HASH='"$(GIT_HASH)"'
$(call objects,$(IMPORT) $(UNIT)): EXTRA = $(filter -I%,$(HDF5_FLAGS))
-include $(patsubst %.o,%.d,$(call objects,$(SOURCES)))

archive = @mkdir -p $(@D); rm -f $@; ar rcs $@ $(filter %.o,$^)
link = $(call run,link,mkdir -p $(@D) && $(CXX) $(FLAGS) $(LDFLAGS) $(filter %.o %.a,$^) -o $@ $(1) \
  $(LIBRARIES))

$(LIBCDT): $(call objects,$(ENGINE)) $(BUILD)/sources
	$(archive)
$(LIBAPPS): $(call objects,$(APPS)) $(BUILD)/sources
	$(archive)
$(PLAIN_PROGRAMS): $(BUILD)/bin/cdt-%: $(BUILD)/obj/apps/cdt_%.o $(LIBAPPS) $(LIBCDT)
	$(call link)
$(IMPORT_PROGRAM): $(call objects,apps/cdt_import.cc $(IMPORT)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(HDF5_FLAGS))
$(BUILD)/tests/unit_tests: $(call objects,$(UNIT) $(IMPORT)) $(LIBAPPS) $(LIBCDT)
	$(call link,-lgtest_main $(GTEST_FLAGS) $(HDF5_FLAGS))
$(BUILD)/tests/parity_tests: $(call objects,$(PARITY)) $(LIBAPPS) $(LIBCDT)
	$(call link,-lgtest_main $(GTEST_FLAGS))
$(BUILD)/tests/fuzz: $(call objects,$(FUZZ)) $(LIBAPPS) $(LIBCDT)
	$(call link)
$(BUILD)/tests/paper_bench: $(call objects,$(PAPER_BENCH)) $(LIBAPPS) $(LIBCDT)
	$(call link)
$(BUILD)/tests/kernels_bench: $(call objects,$(KERNELS_BENCH)) $(LIBCDT)
	$(call link,-lbenchmark_main $(BENCHMARK_FLAGS))

# --- demo -----------------------------------------------------------------------------------------
demo: all  ## make a data set with a known mechanism, train, evaluate, explain (minutes)
	@tests/run_demo.sh $(BUILD)/bin $(BUILD)/demo

# --- tests ----------------------------------------------------------------------------------------
test: all $(TESTS)  ## build and run all tests; the last line counts them
	@tests/run_tests.sh $(BUILD)

gpu-check:  ## everything that needs a GPU
	@echo "gpu-check: nothing to check yet, this version has a CPU backend only" >&2; exit 2

fuzz: $(BUILD)/config.mk  ## damaged files through every reader, under sanitizers, FUZZ_SECONDS=60
	@$(MAKE) --no-print-directory SANITIZE=1 build-asan/tests/fuzz
	build-asan/tests/fuzz $(FUZZ_SECONDS)

# --- benchmarks -----------------------------------------------------------------------------------
bench: $(BENCHES)  ## time a training step, prediction and attribution at paper scale
	@tests/run_bench.sh $(BUILD)

bench-pytorch:  ## the same workloads through PyTorch, and the ratios to `make bench`
	@tests/run_bench_pytorch.sh '$(PYTHON)' $(BUILD)

parity-full: all  ## the full-size model against PyTorch, through the programs
	$(PYTHON) tests/parity/full_size.py --bin $(BUILD)/bin

# --- lint -----------------------------------------------------------------------------------------
lint: $(BUILD)/config.mk  ## clang-format, clang-tidy and the length of files
	@CLANG_FORMAT='$(CLANG_FORMAT)' CLANG_TIDY='$(CLANG_TIDY)' tests/lint.sh $(JOBS) \
	  $(SOURCES) $(HEADERS) -- -std=c++20 -fopenmp -I. $(filter -I%,$(HDF5_FLAGS))

# --- installation ---------------------------------------------------------------------------------
BINDIR := $(DESTDIR)$(PREFIX)/bin
install: all  ## copy the programs to PREFIX/bin
	@mkdir -p '$(BINDIR)'
	install -m 755 $(PROGRAMS) '$(BINDIR)'

uninstall:  ## remove what install copied
	rm -f $(foreach main,$(MAINS),'$(BINDIR)/$(notdir $(call programs,$(main)))')

clean:  ## remove everything built
	rm -rf build build-debug build-asan build-fuzz

help:  ## this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile
