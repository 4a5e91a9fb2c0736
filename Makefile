# CDT engine. `make help` lists the targets.
#
# Variables, on the command line:
#   ARCH=x86-64-v3    instruction set (g++ -march), default native: this machine's. Set it to run the
#                     binaries on other machines.
#   CXX, CXXFLAGS, LDFLAGS    the compiler; your flags come after the project's
#   DEBUG=1           checks and debug information, into build-debug/
#   SANITIZE=1        AddressSanitizer and UndefinedBehaviorSanitizer, into build-asan/; SANITIZE=thread:
#                     ThreadSanitizer, into build-tsan/
#   CUDA=0            without the CUDA backend; otherwise it is built if a toolkit is found; CUDA_HOME
#                     and CUDA_PATH are searched first
#   CUDA_ARCH='80 90' GPUs to compile for, default: this machine's, else sm_80, sm_90 and sm_100
#   MPI=0, MPICC=FILE without MPI; its compiler wrapper, default the mpicc in the PATH
#   WERROR=           do not stop at warnings (for a compiler newer than those tested)
#   V=1               show the commands
#   PREFIX, DESTDIR   where `make install` puts things, default /usr/local; or one by one bindir, mandir,
#                     datadir (completion of shells) and docdir
#   PYTHON            the interpreter that has PyTorch, for `make bench-pytorch` and `parity-full`
#   PACK_ARCH, PACK_CUDA_ARCH   what `make gpu-pack` builds for: x86-64-v3 and 90
#   KINDS='80 90', BASELINE=new   for `make cuda-report`: GPUs to count for; rewrite the baseline
#   SEED, JOBS        for `make torture`: seed of all that is random (1), subjects at once (all cores)
#   SEEDS, JOBS       for `make honesty`: data sets per mechanism (50), how many at once (all cores)
#   DATA, OUT, SEEDS=3, FOLDS=5, BY=locus, SHARES=0.1,0.3,1, GENES=FILE, TRAIN='OPTIONS', PREDICT='OPTIONS',
#   AGAINST=STUDY,... JOBS=1
#                     for `make study`: data set, folder, runs per fold, folds, what stays together, shares of the
#                     training loci, gene starts, further options of cdt-train and cdt-predict, other studies to
#                     compare with, runs at once
#   FIGURES           for `make tour`: the folder it draws into, default build/tour; docs/tour/figures
#                     renews those that the chapters show
#   FUZZ_SECONDS=60, FUZZ_RUNS, FUZZ='pt npy', FUZZ_CXX=clang++
#                     for `make fuzz`: seconds, or executions in all runs, for each target; targets; the compiler
#   DEVICE, PRECISION for `make bench` and `make bench-pytorch`: cpu (default) or cuda; fp32 (default),
#                     fp32-fma, tf32 or bf16

# Stated here only; a test compares CITATION.cff, CHANGELOG.md and the packages with it.
VERSION := 0.1.0

ARCH ?= native
WERROR ?= -Werror
PYTHON ?= python3
DEVICE ?= cpu
PRECISION ?= fp32
PACK_ARCH ?= x86-64-v3
PACK_CUDA_ARCH ?= 90
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
FUZZ_SECONDS ?= 60
SOAK_MINUTES ?= 120
JOBS := $(shell nproc 2>/dev/null || echo 1)
MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL),0)
  MAKEFLAGS += -j$(JOBS)
endif
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

# At -O1, g++ 14 warns of members of std::optional that it does not see set.
QUICK := -O1 $(if $(findstring clang,$(CXX)),,-Wno-maybe-uninitialized)
OPTIMISE := -O3 -g1
BUILD := build
ifdef DEBUG
  OPTIMISE := $(QUICK) -g -DCDT_DEBUG
  BUILD := build-debug
endif
ifdef SANITIZE
  # To look at a vtable, UBSan makes a pipe, which the process that reads HDF5 files may not.
  SANITIZERS := $(if $(filter thread,$(SANITIZE)),thread,address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all)
  OPTIMISE := $(QUICK) -g -DCDT_DEBUG -fsanitize=$(SANITIZERS)
  BUILD := $(if $(filter thread,$(SANITIZE)),build-tsan,build-asan)
endif

# Contraction is off, so that results do not depend on where the optimiser fuses a multiply and an add
# (one rounding instead of two). -Wrestrict is wrong about string concatenation in g++ 12 (PR 105651);
# -Wpsabi only notes that wide vectors are passed differently than in g++ 4.5.
FLAGS = -std=c++20 $(OPTIMISE) $(OUTER) $(if $(ARCH),-march=$(ARCH)) -ffp-contract=off -fopenmp \
  -Wall -Wextra $(if $(findstring clang,$(CXX)),,-Wno-restrict -Wno-psabi) $(WERROR) -I. $(CXXFLAGS)
# cuDNN and NCCL are opened on demand, so only their headers and paths (rpath) are needed.
CUDNN_INCLUDE = $(filter-out -L% -Wl% -l%,$(CUDNN_FLAGS))
NCCL_INCLUDE = $(filter-out -L% -Wl% -l%,$(NCCL_FLAGS))
LIBRARIES = -ldnnl -lz $(BIGWIG_FLAGS) $(filter-out -I% -D%,$(MPI_FLAGS)) \
  $(if $(KERNELS),$(CUDA_LIBRARIES) $(filter -Wl%,$(CUDNN_FLAGS) $(NCCL_FLAGS)))

ifdef V
  run = $(2)
else
  run = @printf '%-5s %s\n' $(1) $@; $(2)
endif

# --- dependencies ---------------------------------------------------------------------------------
# config.mk holds what third_party/find.sh found; the search is repeated while something is missing.
# demo, tour, test, bench and fuzz install what is missing; demo and tour continue where they may not. Programs
# that are built are installed without a search: root may find other tools, and the build's variables are not
# given again.
MAINS := $(wildcard apps/cdt_*.cc)
programs = $(addprefix $(BUILD)/bin/,$(subst _,-,$(basename $(notdir $(1)))))
NOT_BUILT := $(filter-out $(wildcard $(BUILD)/bin/*),$(call programs,$(MAINS)))
NO_CONFIG := help clean dist $(if $(NOT_BUILT),,install man) uninstall gpu-check gpu-pack bench-pytorch \
  $(BUILD)/cuda.mk $(BUILD)/mpi.mk
ifneq ($(filter-out $(NO_CONFIG),$(or $(MAKECMDGOALS),all)),)
  include $(BUILD)/config.mk $(BUILD)/cuda.mk $(BUILD)/mpi.mk
endif
INSTALL_MISSING := $(if $(filter test bench fuzz,$(MAKECMDGOALS)),--install,\
  $(if $(filter demo tour,$(MAKECMDGOALS)),--try-install))

PROBES = CXX='$(CXX)' CXXFLAGS='$(CXXFLAGS)' LDFLAGS='$(LDFLAGS)'
$(BUILD)/config.mk: third_party/find.sh third_party/probe.sh $(if $(MISSING),$(if $(MAKE_RESTARTS),,FORCE))
	@mkdir -p $(@D)
	@$(PROBES) third_party/find.sh $(INSTALL_MISSING) > $@

# The search for CUDA is repeated when these settings change or an nvcc appears or disappears.
CUDA_WISHES := $(CXX) CUDA=$(CUDA) HOME=$(CUDA_HOME):$(CUDA_PATH) ARCH=$(CUDA_ARCH) \
  $(shell command -v nvcc) $(wildcard /usr/local/cuda*/bin/nvcc /opt/cuda/bin/nvcc)
$(BUILD)/cuda.mk: third_party/find_cuda.sh third_party/probe.sh $(BUILD)/cuda_wishes
	@$(PROBES) CUDA='$(CUDA)' CUDA_HOME='$(CUDA_HOME)' CUDA_PATH='$(CUDA_PATH)' \
	  CUDA_ARCH='$(CUDA_ARCH)' PYTHON='$(PYTHON)' third_party/find_cuda.sh > $@

MPI_WISHES := $(CXX) MPI=$(MPI) $(shell command -v $(or $(MPICC),mpicc))
$(BUILD)/mpi.mk: third_party/find_mpi.sh third_party/probe.sh $(BUILD)/mpi_wishes
	@$(PROBES) MPI='$(MPI)' MPICC='$(MPICC)' third_party/find_mpi.sh > $@

# --- sources --------------------------------------------------------------------------------------
KERNELS := $(if $(NVCC),$(wildcard engine/cuda/*.cu))
BIGWIG := io/genome/bigwig/$(if $(BIGWIG_FLAGS),,no_)bigwig.cc
CUDNN := engine/cuda/cudnn_attention.cc engine/cuda/cudnn_graph.cc
NO_CUDNN := engine/cuda/no_cudnn.cc
NCCL := $(wildcard engine/cuda/nccl_*.cc)
NO_NCCL := engine/cuda/no_nccl.cc
MPI_SOURCES := $(wildcard engine/ranks/mpi_*.cc)
WITHOUT := $(if $(MPI_FLAGS),engine/ranks/no_mpi.cc,$(MPI_SOURCES)) \
  $(if $(KERNELS),engine/no_cuda.cc $(if $(CUDNN_FLAGS),$(NO_CUDNN),$(CUDNN)) $(if $(NCCL_FLAGS),$(NO_NCCL),$(NCCL)),\
  $(wildcard engine/cuda/*.cc))
ENGINE := $(filter-out $(WITHOUT),$(wildcard $(addsuffix *.cc,engine/ engine/*/ model/ model/*/ io/*/))) \
  $(BIGWIG)
HDF5 := $(wildcard io/format/hdf5/*.cc apps/import/published/*.cc) apps/import/hdf5_version.cc
NO_HDF5 := apps/import/no_hdf5.cc
NO_FILTER := $(if $(SECCOMP_FLAGS),io/format/hdf5/no_syscall_filter.cc,io/format/hdf5/syscall_filter.cc)
IMPORT := $(filter-out $(HDF5) $(NO_HDF5),$(wildcard apps/import/*.cc)) \
  $(if $(HDF5_FLAGS),$(filter-out $(NO_FILTER),$(HDF5)),$(NO_HDF5))
IMPORT_LIBRARIES = $(if $(HDF5_FLAGS),$(HDF5_FLAGS) $(SECCOMP_FLAGS))
APPS := $(filter-out apps/import/%,$(wildcard apps/*/*.cc))

objects = $(patsubst %.cc,$(BUILD)/obj/%.o,$(1))
KERNEL_OBJECTS := $(patsubst %,$(BUILD)/obj/%.o,$(KERNELS))

LIBCDT := $(BUILD)/lib/libcdt.a
LIBAPPS := $(BUILD)/lib/libcdtapps.a
PLAIN_PROGRAMS := $(call programs,$(filter-out apps/cdt_import.cc,$(MAINS)))
IMPORT_PROGRAM := $(call programs,$(filter apps/cdt_import.cc,$(MAINS)))
PROGRAMS := $(PLAIN_PROGRAMS) $(IMPORT_PROGRAM)

# Tests, the emulated GPU and benchmarks: TEST_SOURCES, their rules and targets.
include tests/tests.mk
SOURCES := $(sort $(ENGINE) $(IMPORT) $(APPS) $(MAINS) $(TEST_SOURCES))
HEADERS := $(wildcard $(addsuffix *.h,engine/ engine/*/ model/ model/*/ io/*/ io/*/*/ apps/*/ apps/*/*/ tests/*/) \
  engine/cuda/*.cuh)

# --- building -------------------------------------------------------------------------------------
.PHONY: all demo study tour lint clean help FORCE

all: $(PROGRAMS)  ## build the programs into build/bin (default)

# A stamp file changes only when its content does, so new flags or a removed source trigger a rebuild.
stamp = @mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@
FORCE:
$(BUILD)/flags: FORCE
	$(call stamp,$(CXX) $(FLAGS) $(HDF5_FLAGS) $(LDFLAGS))
$(BUILD)/flags: OUTER = $(QUICK)
$(BUILD)/sources: FORCE
	$(call stamp,$(SOURCES) $(KERNELS) $(LIBRARIES))
$(BUILD)/cuda_wishes: FORCE
	$(call stamp,$(CUDA_WISHES))
$(BUILD)/mpi_wishes: FORCE
	$(call stamp,$(MPI_WISHES))
# Of a checkout, or of the commit that `make dist` packed.
GIT_HASH := $(shell if [ -e .git ]; then git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null; \
  else sed -n 's/^commit \(.\{12\}\).*/\1/p' .dist 2>/dev/null; fi)
$(BUILD)/version: FORCE
	$(call stamp,$(VERSION) $(GIT_HASH))

$(BUILD)/obj/%.o: %.cc $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,c++,$(CXX) $(FLAGS) $(EXTRA) -MMD -MP -c $< -o $@)
# Nothing that takes long is computed in the programs' own files or in the tests: -O1 compiles them faster.
$(call objects,$(APPS) $(MAINS) $(IMPORT) $(TEST_SOURCES)): OUTER = $(QUICK)
$(BUILD)/obj/apps/common/program.o: $(BUILD)/version
# Quotes in the flags are left out of their record.
RECORDED_FLAGS = $(subst ",,$(subst ',,$(OPTIMISE) $(if $(ARCH),-march=$(ARCH)) -ffp-contract=off $(CXXFLAGS)))
$(BUILD)/obj/apps/common/program.o: EXTRA = -DCDT_VERSION='"$(VERSION)"' -DCDT_GIT_HASH='"$(GIT_HASH)"' \
  -DCDT_FLAGS='"$(strip $(RECORDED_FLAGS))"'
$(call objects,$(IMPORT) $(UNIT) $(HOSTILE_HDF5)): EXTRA = $(filter -I%,$(IMPORT_LIBRARIES))
$(call objects,$(MPI_SOURCES)): EXTRA = $(filter -I% -D%,$(MPI_FLAGS))
$(call objects,$(filter engine/cuda/%,$(ENGINE)) $(GPU)): EXTRA = $(CUDA_INCLUDE) $(CUDNN_INCLUDE) $(NCCL_INCLUDE)
-include $(patsubst %.o,%.d,$(call objects,$(SOURCES)) $(KERNEL_OBJECTS))

archive = @mkdir -p $(@D); rm -f $@; ar rcs $@ $(filter %.o,$^)
link = $(call run,link,mkdir -p $(@D) && $(CXX) $(FLAGS) $(LDFLAGS) $(filter %.o %.a,$^) -o $@ $(1) \
  $(LIBRARIES))

# Kernels. The compiler's report (registers, spills) is kept next to the object, X.o.log.
NVCC_FLAGS := -std=c++20 -O3 -lineinfo $(if $(DEBUG)$(SANITIZE),-DCDT_DEBUG) -I. \
  -ccbin $(lastword $(CXX)) $(if $(WERROR),-Werror all-warnings) \
  -Xcompiler -Wall,-Wextra,-ffp-contract=off -Xptxas -v
comma := ,
machine_code = $(foreach n,$(1),-gencode arch=compute_$(n)$(comma)code=sm_$(n))
NEWEST := $(lastword $(CUDA_ARCHITECTURES))
kernel_codes = $(call machine_code,$(CUDA_ARCHITECTURES)) \
  -gencode arch=compute_$(NEWEST)$(comma)code=compute_$(NEWEST)
# nvcc FLAGS: compiles $< to $@; shows warnings, and the whole log if it fails; always keeps the log.
nvcc = $(call run,nvcc,{ $(NVCC) $(NVCC_FLAGS) $(1) -MMD -MP -MF $(@:.o=.d) $< -o $@ > $@.log 2>&1 || \
  { cat $@.log; exit 1; }; } && { grep -A 3 -i warning $@.log || true; })
$(BUILD)/cuda_flags: FORCE
	$(call stamp,$(NVCC) $(CUDA_VERSION) $(NVCC_FLAGS) $(CUDA_ARCHITECTURES))
$(BUILD)/obj/%.cu.o: %.cu $(BUILD)/cuda_flags
	@mkdir -p $(@D)
	$(call nvcc,-c $(kernel_codes))

# Every kernel for every checked GPU architecture, including those that this build is not for.
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
	$(call link,$(IMPORT_LIBRARIES))

# --- demo -----------------------------------------------------------------------------------------
demo: all  ## make a data set with a known mechanism, train, evaluate, explain, report (minutes)
	@tests/run_demo.sh $(BUILD)/bin $(BUILD)/demo

study: all  ## train every fold with several seeds, against baselines and controls: DATA=DIR OUT=DIR
	@apps/study/study.sh --bin $(BUILD)/bin --data $(call quoted,$(DATA)) --out $(call quoted,$(OUT)) \
	  $(call study_option,seeds,$(SEEDS)) $(call study_option,folds,$(FOLDS)) $(call study_option,by,$(BY)) \
	  $(call study_option,shares,$(SHARES)) $(call study_option,genes,$(GENES)) \
	  $(call study_option,train,$(TRAIN)) $(call study_option,predict,$(PREDICT)) \
	  $(call study_option,against,$(AGAINST)) \
	  $(if $(filter command%,$(origin JOBS)),--jobs $(JOBS))
quoted = '$(subst ','\'',$(1))'
study_option = $(if $(2),--$(1) $(call quoted,$(2)))

tour: all  ## draw the figures of docs/tour from the demo's outputs; runs the demo first if there are none
	@[ -e $(BUILD)/demo/report.html ] || tests/run_demo.sh $(BUILD)/bin $(BUILD)/demo
	@docs/tour/draw/draw.sh $(BUILD)/bin $(BUILD)/demo $(BUILD)/tour/data '$(or $(FIGURES),$(BUILD)/tour)'

# --- lint -----------------------------------------------------------------------------------------
lint: $(BUILD)/config.mk  ## check formatting, clang-tidy findings and the length of files
	@CLANG_FORMAT='$(CLANG_FORMAT)' CLANG_TIDY='$(CLANG_TIDY)' tests/lint.sh $(JOBS) \
	  $(SOURCES) $(KERNELS) $(HEADERS) -- -std=c++20 -fopenmp -I. $(filter -I%,$(HDF5_FLAGS)) \
	  $(CUDA_INCLUDE) $(CUDNN_INCLUDE) $(NCCL_INCLUDE) $(filter -I% -D%,$(MPI_FLAGS))

# --- packages -------------------------------------------------------------------------------------
# Archive of the sources, installation, man pages, completion.
include third_party/packaging/packaging.mk

clean:  ## remove everything built
	rm -rf build build-debug build-asan build-fuzz

help:  ## this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile tests/tests.mk \
	  third_party/packaging/packaging.mk
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile
