# CDT engine. `make help` lists the targets.
#
# Variables, on the command line:
#   ARCH=x86-64-v3    instruction set (g++ -march), default native: this machine's. Name one to carry
#                     the binaries to other machines.
#   CXX, CXXFLAGS, LDFLAGS    the compiler; flags of yours come after those of the project
#   DEBUG=1           checks and debug information, into build-debug/
#   SANITIZE=1        AddressSanitizer and UndefinedBehaviorSanitizer, into build-asan/
#   CUDA=0            without the CUDA backend; otherwise it is built where a toolkit is found, first
#                     under CUDA_HOME or CUDA_PATH
#   CUDA_ARCH='80 90' GPUs to compile for, default: the GPU here, else sm_80, sm_90 and sm_100
#   WERROR=           do not stop at warnings (a compiler newer than those known here)
#   V=1               show the commands
#   PREFIX, DESTDIR   where `make install` puts the binaries, default /usr/local
#   PYTHON            the interpreter that has PyTorch, for `make bench-pytorch`
#   PACK_ARCH, PACK_CUDA_ARCH   what `make gpu-pack` builds for: x86-64-v3 and 90
#   KINDS='80 90', BASELINE=new   of `make cuda-report`: GPUs to count for; write the baseline anew
#   SEEDS, JOBS       of `make honesty`: data sets of each mechanism (50), how many at once (all cores)
#   DEVICE, PRECISION of `make bench` and `make bench-pytorch`: cpu (default) or cuda; fp32 (default),
#                     tf32 or bf16

ARCH ?= native
WERROR ?= -Werror
PREFIX ?= /usr/local
PYTHON ?= python3
DEVICE ?= cpu
PRECISION ?= fp32
PACK_ARCH ?= x86-64-v3
PACK_CUDA_ARCH ?= 90
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
FUZZ_SECONDS ?= 60
SEEDS ?= 50
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
# on what the optimiser contracts. -Wrestrict reports sums of strings wrongly in g++ 12 (PR 105651);
# -Wpsabi notes that wide vectors are passed otherwise than by g++ 4.5.
FLAGS := -std=c++20 $(OPTIMISE) $(if $(ARCH),-march=$(ARCH)) -ffp-contract=off -fopenmp \
  -Wall -Wextra $(if $(findstring clang,$(CXX)),,-Wno-restrict -Wno-psabi) $(WERROR) -I. $(CXXFLAGS)
LIBRARIES = -ldnnl -lz $(BIGWIG_FLAGS) $(if $(KERNELS),$(CUDA_LIBRARIES))

ifdef V
  run = $(2)
else
  run = @printf '%-5s %s\n' $(1) $@; $(2)
endif

# --- dependencies ---------------------------------------------------------------------------------
# config.mk holds what third_party/find.sh found; it looks again while something is missing. Demo,
# test, bench and fuzz install what is missing.
NO_CONFIG := help clean uninstall gpu-check gpu-pack bench-pytorch $(BUILD)/cuda.mk
ifneq ($(filter-out $(NO_CONFIG),$(or $(MAKECMDGOALS),all)),)
  include $(BUILD)/config.mk $(BUILD)/cuda.mk
endif
INSTALL_MISSING := $(if $(filter demo test bench fuzz,$(MAKECMDGOALS)),--install)

PROBES = CXX='$(CXX)' CXXFLAGS='$(CXXFLAGS)' LDFLAGS='$(LDFLAGS)'
$(BUILD)/config.mk: third_party/find.sh third_party/probe.sh $(if $(MISSING),$(if $(MAKE_RESTARTS),,FORCE))
	@mkdir -p $(@D)
	@$(PROBES) third_party/find.sh $(INSTALL_MISSING) > $@

# CUDA is looked for again when the wishes change or an nvcc comes or goes.
CUDA_WISHES := $(CXX) CUDA=$(CUDA) HOME=$(CUDA_HOME):$(CUDA_PATH) ARCH=$(CUDA_ARCH) \
  $(shell command -v nvcc) $(wildcard /usr/local/cuda*/bin/nvcc /opt/cuda/bin/nvcc)
$(BUILD)/cuda.mk: third_party/find_cuda.sh third_party/probe.sh $(BUILD)/cuda_wishes
	@$(PROBES) CUDA='$(CUDA)' CUDA_HOME='$(CUDA_HOME)' CUDA_PATH='$(CUDA_PATH)' \
	  CUDA_ARCH='$(CUDA_ARCH)' PYTHON='$(PYTHON)' third_party/find_cuda.sh > $@

# --- sources --------------------------------------------------------------------------------------
KERNELS := $(if $(NVCC),$(wildcard engine/cuda/*.cu))
BIGWIG := io/bigwig/$(if $(BIGWIG_FLAGS),,no_)bigwig.cc
WITHOUT := $(if $(KERNELS),engine/no_cuda.cc,$(wildcard engine/cuda/*.cc))
ENGINE := $(filter-out $(WITHOUT),$(wildcard engine/*.cc engine/*/*.cc model/*.cc model/*/*.cc io/*.cc)) \
  $(BIGWIG)
IMPORT := $(wildcard io/hdf5/*.cc apps/import/*.cc)
APPS := $(filter-out $(IMPORT),$(wildcard apps/*/*.cc))
IMPORT := $(if $(HDF5_FLAGS),$(IMPORT))
MAINS := $(wildcard apps/cdt_*.cc)
UNIT := $(filter-out $(if $(HDF5_FLAGS),,tests/unit/import_%),\
  $(wildcard tests/unit/*.cc tests/support/*.cc))
PARITY := $(wildcard tests/parity/*.cc tests/support/*.cc)
PAPER_BENCH := $(wildcard tests/bench/paper_*.cc)
KERNELS_BENCH := $(wildcard tests/bench/kernels_*.cc)
FUZZ := $(wildcard tests/fuzz/*.cc)
# The CUDA backend on the host: its sources, those of the emulation, and the emulation's tests.
EMULATED := $(wildcard engine/cuda/*.cu engine/cuda/*.cc)
KERNEL_TESTS := $(wildcard tests/kernels/*.cc)
EMULATION_TESTS := $(KERNEL_TESTS) $(wildcard tests/emulation/*_test.cc tests/emulation/*.cu) \
  tests/emulation/kernel_watch.cc
EMULATION := $(filter-out $(EMULATION_TESTS),$(wildcard tests/emulation/*.cc))
# Programs that measure a GPU, what they share, and the model at paper scale that some of them run.
MEASURE_MAINS := $(addprefix tests/gpu/,gpu_facts.cc measure_gemm.cc measure_forms.cc)
MEASURE_PARTS := $(addprefix tests/gpu/,gemm_timing.cc attention_problem.cc)
PAPER := $(filter-out tests/bench/paper_bench.cc,$(PAPER_BENCH))
GPU := tests/gpu/compare_runs.cc \
  $(if $(NVCC),$(MEASURE_MAINS) $(MEASURE_PARTS) tests/gpu/kernel_watch.cc) \
  $(if $(CUDNN_FLAGS),tests/gpu/measure_attention.cc)
SOURCES := $(sort $(ENGINE) $(IMPORT) $(APPS) $(MAINS) $(UNIT) $(PARITY) $(PAPER_BENCH) \
  $(KERNELS_BENCH) $(FUZZ) $(GPU) \
  $(filter %.cc,$(EMULATION) $(EMULATION_TESTS)))
HEADERS := $(wildcard engine/*.h engine/*/*.h engine/cuda/*.cuh model/*.h model/*/*.h io/*.h io/*/*.h apps/*/*.h \
  tests/*/*.h)

EMULATED_PROGRAMS := $(if $(EMULATED),$(addprefix $(BUILD)/emulated/bin/,\
  cdt-synth cdt-train cdt-predict cdt-attribute))
EMULATED_MEASURES := $(if $(EMULATED),$(addprefix $(BUILD)/emulated/tests/,\
  $(basename $(notdir $(MEASURE_MAINS))) compare_runs paper_bench))
emulated_objects = $(patsubst %,$(BUILD)/obj/emulation/%.o,$(1))

objects = $(patsubst %.cc,$(BUILD)/obj/%.o,$(1))
KERNEL_OBJECTS := $(patsubst %,$(BUILD)/obj/%.o,$(KERNELS))
programs = $(addprefix $(BUILD)/bin/,$(subst _,-,$(basename $(notdir $(1)))))

LIBCDT := $(BUILD)/lib/libcdt.a
LIBAPPS := $(BUILD)/lib/libcdtapps.a
PLAIN_PROGRAMS := $(call programs,$(filter-out apps/cdt_import.cc,$(MAINS)))
IMPORT_PROGRAM := $(if $(HDF5_FLAGS),$(call programs,$(filter apps/cdt_import.cc,$(MAINS))))
PROGRAMS := $(PLAIN_PROGRAMS) $(IMPORT_PROGRAM)
TESTS := $(if $(UNIT),$(BUILD)/tests/unit_tests) $(if $(PARITY),$(BUILD)/tests/parity_tests)
TESTS += $(BUILD)/tests/compare_runs $(BUILD)/tests/emulation_tests $(EMULATED_PROGRAMS) \
  $(if $(EMULATED),$(BUILD)/tests/emulated_unit_tests $(BUILD)/tests/emulated_parity_tests) \
  $(EMULATED_MEASURES) \
  $(if $(NVCC),$(BUILD)/tests/kernel_tests)
MEASURES := $(patsubst tests/gpu/%.cc,$(BUILD)/tests/%,\
  $(filter $(MEASURE_MAINS) tests/gpu/measure_attention.cc,$(GPU)))
BENCHES := $(if $(PAPER_BENCH),$(BUILD)/tests/paper_bench) \
  $(if $(KERNELS_BENCH),$(if $(BENCHMARK_FLAGS),$(BUILD)/tests/kernels_bench))

# --- building -------------------------------------------------------------------------------------
.PHONY: all demo honesty test cubins cuda-report bench bench-pytorch parity-full gpu-check \
  gpu-check-build gpu-pack fuzz lint install uninstall clean help FORCE

all: $(PROGRAMS)  ## build the programs into build/bin (default)

# A stamp changes only when its content does, so that other flags or a removed file rebuild.
stamp = @mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@
FORCE:
$(BUILD)/flags: FORCE
	$(call stamp,$(CXX) $(FLAGS) $(HDF5_FLAGS) $(LDFLAGS))
$(BUILD)/sources: FORCE
	$(call stamp,$(SOURCES) $(KERNELS) $(LIBRARIES))
$(BUILD)/cuda_wishes: FORCE
	$(call stamp,$(CUDA_WISHES))
GIT_HASH := $(shell [ -e .git ] && git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null)
$(BUILD)/git_hash: FORCE
	$(call stamp,$(GIT_HASH))

$(BUILD)/obj/%.o: %.cc $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,c++,$(CXX) $(FLAGS) $(EXTRA) -MMD -MP -c $< -o $@)
$(BUILD)/obj/apps/common/version.o: $(BUILD)/git_hash
$(BUILD)/obj/apps/common/version.o: EXTRA = -DCDT_GIT_HASH='"$(GIT_HASH)"'
$(call objects,$(IMPORT) $(UNIT)): EXTRA = $(filter -I%,$(HDF5_FLAGS))
$(call objects,$(filter engine/cuda/%,$(ENGINE)) $(GPU)): EXTRA = $(CUDA_INCLUDE) \
  $(filter-out -L% -Wl% -l%,$(CUDNN_FLAGS))
-include $(patsubst %.o,%.d,$(call objects,$(SOURCES)) $(KERNEL_OBJECTS))

archive = @mkdir -p $(@D); rm -f $@; ar rcs $@ $(filter %.o,$^)
link = $(call run,link,mkdir -p $(@D) && $(CXX) $(FLAGS) $(LDFLAGS) $(filter %.o %.a,$^) -o $@ $(1) \
  $(LIBRARIES))

# Kernels. The compiler's report (registers, spills) stays beside the object, X.o.log.
NVCC_FLAGS := -std=c++20 -O3 -lineinfo $(if $(DEBUG)$(SANITIZE),-DCDT_DEBUG) -I. \
  -ccbin $(lastword $(CXX)) $(if $(WERROR),-Werror all-warnings) \
  -Xcompiler -Wall,-Wextra,-ffp-contract=off -Xptxas -v
comma := ,
machine_code = $(foreach n,$(1),-gencode arch=compute_$(n)$(comma)code=sm_$(n))
NEWEST := $(lastword $(CUDA_ARCHITECTURES))
kernel_codes = $(call machine_code,$(CUDA_ARCHITECTURES)) \
  -gencode arch=compute_$(NEWEST)$(comma)code=compute_$(NEWEST)
# nvcc FLAGS: compiles $< to $@; shows the log when it fails and warnings, keeps it in any case.
nvcc = $(call run,nvcc,{ $(NVCC) $(NVCC_FLAGS) $(1) -MMD -MP -MF $(@:.o=.d) $< -o $@ > $@.log 2>&1 || \
  { cat $@.log; exit 1; }; } && { grep -A 3 -i warning $@.log || true; })
$(BUILD)/cuda_flags: FORCE
	$(call stamp,$(NVCC) $(CUDA_VERSION) $(NVCC_FLAGS) $(CUDA_ARCHITECTURES))
$(BUILD)/obj/%.cu.o: %.cu $(BUILD)/cuda_flags
	@mkdir -p $(@D)
	$(call nvcc,-c $(kernel_codes))

# Every kernel for every GPU kind of the check, also those that this build is not for.
CUBINS = $(foreach n,$(filter-out $(CUDA_ARCHITECTURES),$(CUDA_CHECKED_ARCHITECTURES)),\
  $(patsubst %,$(BUILD)/cubin/sm_$(n)/%.o,$(KERNELS)))
define cubin_rule
$(BUILD)/cubin/sm_$(1)/%.o: % $(BUILD)/cuda_flags
	@mkdir -p $$(@D)
	$$(call nvcc,-cubin $$(call machine_code,$(1)))
endef
$(foreach n,$(CUDA_CHECKED_ARCHITECTURES),$(eval $(call cubin_rule,$(n))))
-include $(patsubst %.o,%.d,$(CUBINS))

$(LIBCDT): $(call objects,$(ENGINE)) $(KERNEL_OBJECTS) $(BUILD)/sources
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

$(BUILD)/tests/compare_runs: $(call objects,tests/gpu/compare_runs.cc) $(LIBAPPS) $(LIBCDT)
	$(call link)
$(MEASURES): $(BUILD)/tests/%: $(BUILD)/obj/tests/gpu/%.o $(call objects,$(MEASURE_PARTS) $(PAPER)) \
    $(LIBAPPS) $(LIBCDT)
	$(call link,$(CUDA_LIBRARIES) $(CUDNN_FLAGS))
# CUDA sources compiled as C++ against the headers of tests/emulation/include, kernels with checks for
# misaligned access and indices outside an array. See docs/emulation.md.
EMULATED_FLAGS = $(FLAGS) -O2 -Wno-unknown-pragmas -Itests/emulation/include
KERNEL_CHECKS := -fsanitize=alignment,null,bounds,shift,signed-integer-overflow,integer-divide-by-zero \
  -fno-sanitize-recover=all
$(BUILD)/obj/emulation/%.cu.o: %.cu $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,c++,$(CXX) $(EMULATED_FLAGS) $(KERNEL_CHECKS) -MMD -MP -x c++ -c $< -o $@)
$(BUILD)/obj/emulation/%.cc.o: %.cc $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,c++,$(CXX) $(EMULATED_FLAGS) -MMD -MP -c $< -o $@)
-include $(patsubst %.o,%.d,$(call emulated_objects,$(EMULATED) $(EMULATION) $(EMULATION_TESTS) \
  $(MEASURE_MAINS) $(MEASURE_PARTS) tests/gpu/compare_runs.cc))

# No CUDA library: what the backend looks up in the driver is the emulation's too (driver.cc).
EMULATED_LINK := -Wl,--wrap=dlopen,--wrap=dlsym
EMULATED_TESTS := $(addprefix $(BUILD)/tests/,emulation_tests emulated_unit_tests emulated_parity_tests)
$(EMULATED_TESTS) $(EMULATED_PROGRAMS) $(EMULATED_MEASURES): private CUDA_LIBRARIES :=
# They stand before libcdt, whose own CUDA backend, or the stub in its place, is then not taken.
$(BUILD)/tests/emulation_tests: $(call emulated_objects,$(EMULATION_TESTS) $(EMULATED) $(EMULATION)) \
    $(call objects,$(wildcard tests/support/*.cc)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK) -lgtest_main $(GTEST_FLAGS))
# The device-independent tests again, on the emulated GPU.
$(BUILD)/tests/emulated_unit_tests: $(call objects,$(UNIT) $(IMPORT)) \
    $(call emulated_objects,$(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK) -lgtest_main $(GTEST_FLAGS) $(HDF5_FLAGS))
$(BUILD)/tests/emulated_parity_tests: $(call objects,$(PARITY)) \
    $(call emulated_objects,$(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK) -lgtest_main $(GTEST_FLAGS))
# Those of single kernels, on a real one.
$(BUILD)/tests/kernel_tests: $(call objects,$(KERNEL_TESTS) tests/gpu/kernel_watch.cc) $(LIBCDT)
	$(call link,-lgtest_main $(GTEST_FLAGS))
$(EMULATED_PROGRAMS): $(BUILD)/emulated/bin/cdt-%: $(BUILD)/obj/apps/cdt_%.o \
    $(call emulated_objects,$(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK))

$(filter-out %/paper_bench,$(EMULATED_MEASURES)): $(BUILD)/emulated/tests/%: \
    $(BUILD)/obj/emulation/tests/gpu/%.cc.o $(call objects,$(PAPER)) \
    $(call emulated_objects,$(MEASURE_PARTS) $(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK))
$(BUILD)/emulated/tests/paper_bench: $(call objects,$(PAPER_BENCH)) \
    $(call emulated_objects,$(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK))

# --- demo -----------------------------------------------------------------------------------------
demo: all  ## make a data set with a known mechanism, train, evaluate, explain, report (minutes)
	@tests/run_demo.sh $(BUILD)/bin $(BUILD)/demo

honesty: all  ## how often DNA is claimed to matter where it does not, and where it does, SEEDS=50
	@JOBS='$(JOBS)' tests/honesty.sh $(BUILD)/bin $(BUILD)/honesty $(SEEDS)

# --- tests ----------------------------------------------------------------------------------------
test: all $(TESTS) $(MEASURES) cubins  ## build and run all tests; the last line counts them
	@tests/run_tests.sh $(BUILD)

# What does not compile is counted by tests/apps/15_cuda_compile.sh.
cubins:
	@[ -z '$(CUBINS)' ] || $(MAKE) --no-print-directory -k $(CUBINS) || true

cuda-report: cubins $(KERNEL_OBJECTS)  ## registers, shared memory, spills, instructions of CUDA kernels
	@tests/cuda_report.sh $(addsuffix .log,$(KERNEL_OBJECTS) $(CUBINS)) < /dev/null; status=$$?; echo; \
	  NVCC='$(NVCC)' KINDS='$(or $(KINDS),90)' tests/cuda_instructions.sh $(if $(filter new,$(BASELINE)),--new) \
	  docs/results/cuda-instructions.tsv $(KERNEL_OBJECTS) $(CUBINS) && exit $$status

gpu-check:  ## everything that needs a GPU, into build/gpu-check/; STEPS='build bench-bf16' for some
	@MAKE='$(MAKE)' PYTHON='$(PYTHON)' tests/gpu_check.sh $(BUILD) $(STEPS)

gpu-check-build: all $(TESTS) $(MEASURES) $(BUILD)/tests/paper_bench

gpu-pack:  ## what `make gpu-check` does, packed for a machine without compiler: build/gpu-pack.tar.xz
	@$(MAKE) --no-print-directory BUILD=build/gpu-pack-build ARCH='$(PACK_ARCH)' \
	  CUDA_ARCH='$(PACK_CUDA_ARCH)' HDF5_FLAGS= BIGWIG_FLAGS= gpu-check-build
	@CXX='$(CXX)' PACK_ARCH='$(PACK_ARCH)' PACK_CUDA_ARCH='$(PACK_CUDA_ARCH)' \
	  tests/gpu_pack.sh build/gpu-pack-build build/gpu-pack.tar.xz

fuzz: $(BUILD)/config.mk  ## damaged files through every reader, under sanitizers, FUZZ_SECONDS=60
	@$(MAKE) --no-print-directory SANITIZE=1 build-asan/tests/fuzz
	build-asan/tests/fuzz $(FUZZ_SECONDS)

# --- benchmarks -----------------------------------------------------------------------------------
bench: $(BENCHES)  ## time a training step, prediction and attribution at paper scale
	@tests/run_bench.sh $(BUILD) $(DEVICE) $(PRECISION)

bench-pytorch:  ## the same workloads through PyTorch, and the ratios to `make bench`
	@tests/run_bench_pytorch.sh '$(PYTHON)' $(BUILD) $(DEVICE) $(PRECISION)

parity-full: all  ## the full-size model against PyTorch, through the programs
	$(PYTHON) tests/parity/full_size.py --bin $(BUILD)/bin

# --- lint -----------------------------------------------------------------------------------------
lint: $(BUILD)/config.mk  ## clang-format, clang-tidy and the length of files
	@CLANG_FORMAT='$(CLANG_FORMAT)' CLANG_TIDY='$(CLANG_TIDY)' tests/lint.sh $(JOBS) \
	  $(SOURCES) $(KERNELS) $(HEADERS) -- -std=c++20 -fopenmp -I. $(filter -I%,$(HDF5_FLAGS)) \
	  $(CUDA_INCLUDE)

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
