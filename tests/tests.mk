# Builds and runs everything besides the programs: tests, the emulated CUDA backend, benchmarks and GPU
# measurements.

# --- sources --------------------------------------------------------------------------------------
UNIT := $(filter-out $(if $(HDF5_FLAGS),,tests/unit/import_%),\
  $(wildcard tests/unit/*.cc tests/support/*.cc))
# Those whose threads ThreadSanitizer watches: feeds of DNA, saves, interrupts, ranks.
THREADED := $(wildcard tests/support/*.cc) $(patsubst %,tests/unit/%_test.cc,app_main dna_feed gradient_sum interrupt \
  run_folder samples saves thread_pool train_checks train_ranks)
PARITY := $(wildcard tests/parity/*.cc tests/support/*.cc)
PAPER_BENCH := $(wildcard tests/bench/paper_*.cc)
# Times the sums of data-parallel training.
SUMS := tests/bench/measure_sums.cc
KERNELS_BENCH := $(wildcard tests/bench/kernels_*.cc)
READ_BENCH := $(wildcard tests/bench/read_*.cc)
# The fuzz targets, and what goes with them: a main that replays a corpus, libFuzzer's, and one that
# writes the first inputs.
FUZZ_MAINS := tests/fuzz/replay.cc tests/fuzz/libfuzzer.cc tests/fuzz/seeds.cc
FUZZ_TARGETS := $(filter-out $(FUZZ_MAINS),$(wildcard tests/fuzz/*.cc)) tests/support/zip_bytes.cc
# The readers that the fuzzer sees into.
FUZZED := $(addprefix io/format/,$(addsuffix .cc,float_rows gzip journal json npy npy_rows npz pickle pt pt_reader \
  pt_values safetensors tensor_file text text_file zip)) \
  $(addprefix io/genome/,annotations.cc assembly.cc locus.cc) \
  $(addprefix io/dataset/,gene_starts.cc lists.cc manifest.cc truth.cc) \
  $(addprefix model/,checkpoint.cc config.cc inputs.cc state_dict.cc) \
  $(addprefix apps/common/,cli.cc cli_words.cc optimiser_file.cc shard.cc torch_optimiser.cc) \
  $(addprefix apps/train/,run_config.cc setting_values.cc state.cc stored_settings.cc) \
  $(addprefix apps/report/,attribution.cc evaluated.cc sources.cc) \
  apps/audit/audit.cc apps/audit/finding.cc apps/evaluation/study.cc apps/attribute/result_record.cc
HOSTILE_HDF5 := $(if $(HDF5_FLAGS),$(if $(GTEST_FLAGS),$(wildcard tests/hostile_hdf5/*.cc)))
# The tracer of the torture knows the registers of x86-64 only.
TORTURE := $(if $(filter x86_64,$(shell uname -m)),\
  $(filter-out tests/torture/clock_back.cc,$(wildcard tests/torture/*.cc)))
# The CUDA backend on the host: its sources, the emulation, and the emulation's tests.
EMULATED := $(filter-out $(NO_CUDNN) $(NO_NCCL),$(wildcard engine/cuda/*.cu engine/cuda/*.cc))
KERNEL_TESTS := $(wildcard tests/kernels/*.cc)
EMULATION_TESTS := $(KERNEL_TESTS) $(wildcard tests/emulation/*_test.cc tests/emulation/*.cu) \
  tests/emulation/kernel_watch.cc
EMULATION := $(filter-out $(EMULATION_TESTS),$(wildcard tests/emulation/*.cc))
# Programs that measure a GPU, their shared code, and the paper-scale model that some of them run.
MEASURE_MAINS := $(addprefix tests/gpu/,gpu_facts.cc measure_gemm.cc measure_forms.cc measure_attention.cc)
MEASURE_PARTS := $(addprefix tests/gpu/,gemm_timing.cc attention_problem.cc)
PAPER := $(filter-out tests/bench/paper_bench.cc,$(PAPER_BENCH))
GPU := tests/gpu/compare_runs.cc \
  $(if $(NVCC),$(MEASURE_MAINS) $(MEASURE_PARTS) tests/gpu/kernel_watch.cc)
# Lists the work that a step requests from a GPU, without computing it.
COUNT := $(wildcard tests/cost/*.cc)
# Preloaded by the torture's checks of the clock.
CLOCK_BACK := tests/torture/clock_back.cc
# The program to read first.
TOUR := docs/tour/one_step.cc
TEST_SOURCES := $(TOUR) $(UNIT) $(PARITY) $(PAPER_BENCH) $(SUMS) $(KERNELS_BENCH) $(READ_BENCH) $(FUZZ_TARGETS) \
  $(FUZZ_MAINS) $(HOSTILE_HDF5) $(TORTURE) $(CLOCK_BACK) $(GPU) $(COUNT) $(filter %.cc,$(EMULATION) $(EMULATION_TESTS))

EMULATED_PROGRAMS := $(if $(EMULATED),$(addprefix $(BUILD)/emulated/bin/,\
  cdt-synth cdt-train cdt-predict cdt-attribute))
EMULATED_MEASURES := $(if $(EMULATED),$(addprefix $(BUILD)/emulated/tests/,\
  $(basename $(notdir $(MEASURE_MAINS))) compare_runs paper_bench count_step))
emulated_objects = $(patsubst %,$(BUILD)/obj/emulation/%.o,$(1))

TORTURE_BUILT := $(if $(TORTURE),$(addprefix $(BUILD)/tests/,torture libclockback.so))
TESTS := $(if $(UNIT),$(BUILD)/tests/unit_tests) $(if $(PARITY),$(BUILD)/tests/parity_tests)
# measure_sums and read_bench are not run by `make test`, but have to compile.
TESTS += $(addprefix $(BUILD)/tests/,fuzz_replay fuzz_seeds measure_sums read_bench) $(if $(HOSTILE_HDF5),$(BUILD)/tests/hostile_hdf5) \
  $(addprefix $(BUILD)/tests/,one_step compare_runs emulation_tests) $(EMULATED_PROGRAMS) \
  $(if $(EMULATED),$(BUILD)/tests/emulated_unit_tests $(BUILD)/tests/emulated_parity_tests) \
  $(EMULATED_MEASURES) $(TORTURE_BUILT) \
  $(if $(NVCC),$(BUILD)/tests/kernel_tests)
MEASURES := $(patsubst tests/gpu/%.cc,$(BUILD)/tests/%,$(filter $(MEASURE_MAINS),$(GPU)))
BENCHES := $(BUILD)/tests/measure_sums $(if $(PAPER_BENCH),$(BUILD)/tests/paper_bench) \
  $(if $(KERNELS_BENCH),$(if $(BENCHMARK_FLAGS),$(BUILD)/tests/kernels_bench))

# --- building -------------------------------------------------------------------------------------
$(BUILD)/tests/unit_tests: $(call objects,$(UNIT) $(IMPORT)) $(LIBAPPS) $(LIBCDT)
	$(call link,-lgtest_main $(GTEST_FLAGS) $(IMPORT_LIBRARIES))
$(BUILD)/tests/thread_tests: $(call objects,$(THREADED)) $(LIBAPPS) $(LIBCDT)
	$(call link,-lgtest_main $(GTEST_FLAGS))
$(BUILD)/tests/parity_tests: $(call objects,$(PARITY)) $(LIBAPPS) $(LIBCDT)
	$(call link,-lgtest_main $(GTEST_FLAGS))
# Linked before libcdt, so that libcdt's own InputFile is not used (tests/fuzz/memory_file.h).
$(BUILD)/tests/fuzz_replay: $(call objects,$(FUZZ_TARGETS) tests/fuzz/replay.cc) $(LIBAPPS) $(LIBCDT)
	$(call link)
$(BUILD)/tests/fuzz_seeds: $(call objects,tests/fuzz/seeds.cc tests/support/zip_bytes.cc) $(LIBAPPS) $(LIBCDT)
	$(call link)

# The fuzzer: the readers and the targets compiled by clang for libFuzzer and sanitizers, the rest as
# it is in the libraries.
FUZZ_CXX ?= clang++
FUZZ_FLAGS := -std=c++20 -O2 -gline-tables-only -I. -Wall -Wextra -D_GLIBCXX_ASSERTIONS -fno-omit-frame-pointer \
  -fsanitize-coverage-allowlist=tests/fuzz/coverage.txt
FUZZ_SANITIZERS := address,undefined,float-cast-overflow -fno-sanitize-recover=all
FUZZ_COMPILE := $(FUZZ_CXX) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZERS)
fuzz_objects = $(patsubst %.cc,build-fuzz/obj/%.o,$(1))
FUZZ_OBJECTS := $(call fuzz_objects,$(FUZZED) $(FUZZ_TARGETS) tests/fuzz/libfuzzer.cc)
build-fuzz/flags: FORCE
	$(call stamp,$(FUZZ_COMPILE))
.PHONY: fuzz-compiler
fuzz-compiler:
	@echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' | \
	  $(FUZZ_CXX) -x c++ -fsanitize=fuzzer,$(FUZZ_SANITIZERS) - -o /dev/null 2>/dev/null || { echo \
	  'make fuzz: needs clang with libFuzzer (Debian: clang and libclang-rt-14-dev); FUZZ_CXX names it' >&2; exit 2; }
build-fuzz/obj/%.o: %.cc build-fuzz/flags tests/fuzz/coverage.txt | fuzz-compiler
	@mkdir -p $(@D)
	$(call run,clang,$(FUZZ_COMPILE) -MMD -MP -c $< -o $@)
-include $(FUZZ_OBJECTS:.o=.d)
FUZZ_LINK = $(FUZZ_CXX) -fsanitize=fuzzer,$(FUZZ_SANITIZERS) $(LDFLAGS)
FUZZ_LIBRARIES = $(LIBAPPS) $(LIBCDT) $(LIBRARIES) -lgomp
build-fuzz/fuzz: $(FUZZ_OBJECTS) $(LIBAPPS) $(LIBCDT)
	$(call run,link,$(FUZZ_LINK) $(FUZZ_OBJECTS) $(FUZZ_LIBRARIES) -o $@)
$(BUILD)/tests/torture: $(call objects,$(TORTURE))
	$(call link)
$(BUILD)/tests/libclockback.so: $(CLOCK_BACK) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,link,$(CXX) $(filter-out -fsanitize%,$(FLAGS)) -fPIC -shared $< -o $@ -ldl)
$(BUILD)/tests/hostile_hdf5: $(call objects,$(HOSTILE_HDF5) $(IMPORT)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(GTEST_FLAGS) $(IMPORT_LIBRARIES))
$(BUILD)/tests/paper_bench: $(call objects,$(PAPER_BENCH)) $(LIBAPPS) $(LIBCDT)
	$(call link)
$(BUILD)/tests/measure_sums: $(call objects,$(SUMS)) $(LIBCDT)
	$(call link)
$(BUILD)/tests/kernels_bench: $(call objects,$(KERNELS_BENCH)) $(LIBCDT)
	$(call link,-lbenchmark_main $(BENCHMARK_FLAGS))
$(BUILD)/tests/read_bench: $(call objects,$(READ_BENCH)) $(LIBAPPS) $(LIBCDT)
	$(call link)

$(BUILD)/tests/one_step: $(call objects,$(TOUR)) $(LIBCDT)
	$(call link)
$(BUILD)/tests/compare_runs: $(call objects,tests/gpu/compare_runs.cc) $(LIBAPPS) $(LIBCDT)
	$(call link)
$(MEASURES): $(BUILD)/tests/%: $(BUILD)/obj/tests/gpu/%.o $(call objects,$(MEASURE_PARTS) $(PAPER)) \
    $(LIBAPPS) $(LIBCDT)
	$(call link,$(CUDA_LIBRARIES))

# CUDA sources compiled as C++ against the headers of tests/emulation/include. Kernels are checked for
# misaligned access and indices out of range (docs/emulation.md).
EMULATED_FLAGS = $(FLAGS) -O2 -Wno-unknown-pragmas -Itests/emulation/include
KERNEL_CHECKS := -fsanitize=alignment,null,bounds,shift,signed-integer-overflow,integer-divide-by-zero \
  -fno-sanitize-recover=all
$(BUILD)/obj/emulation/%.cu.o: %.cu $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,c++,$(CXX) $(EMULATED_FLAGS) $(KERNEL_CHECKS) -MMD -MP -x c++ -c $< -o $@)
$(BUILD)/obj/emulation/%.cc.o: %.cc $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,c++,$(CXX) $(EMULATED_FLAGS) $(OUTER) -MMD -MP -c $< -o $@)
$(call emulated_objects,$(filter %.cc,$(EMULATION_TESTS)) $(MEASURE_MAINS) $(MEASURE_PARTS) \
  tests/gpu/compare_runs.cc): OUTER = $(QUICK)
-include $(patsubst %.o,%.d,$(call emulated_objects,$(EMULATED) $(EMULATION) $(EMULATION_TESTS) \
  $(MEASURE_MAINS) $(MEASURE_PARTS) tests/gpu/compare_runs.cc))

# No CUDA library is linked: driver symbols that the backend looks up come from the emulation (driver.cc).
EMULATED_LINK := -Wl,--wrap=dlopen,--wrap=dlsym
EMULATED_TESTS := $(addprefix $(BUILD)/tests/,emulation_tests emulated_unit_tests emulated_parity_tests)
$(EMULATED_TESTS) $(EMULATED_PROGRAMS) $(EMULATED_MEASURES): private CUDA_LIBRARIES :=
# Linked before libcdt, so that libcdt's own CUDA backend or stub is not used.
$(BUILD)/tests/emulation_tests: $(call emulated_objects,$(EMULATION_TESTS) $(EMULATED) $(EMULATION)) \
    $(call objects,$(wildcard tests/support/*.cc)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK) -lgtest_main $(GTEST_FLAGS))
# The device-independent tests again, on the emulated GPU.
$(BUILD)/tests/emulated_unit_tests: $(call objects,$(UNIT) $(IMPORT)) \
    $(call emulated_objects,$(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK) -lgtest_main $(GTEST_FLAGS) $(IMPORT_LIBRARIES))
$(BUILD)/tests/emulated_parity_tests: $(call objects,$(PARITY)) \
    $(call emulated_objects,$(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK) -lgtest_main $(GTEST_FLAGS))
# The kernel tests, on a real GPU.
$(BUILD)/tests/kernel_tests: $(call objects,$(KERNEL_TESTS) tests/gpu/kernel_watch.cc) $(LIBCDT)
	$(call link,-lgtest_main $(GTEST_FLAGS))
$(EMULATED_PROGRAMS): $(BUILD)/emulated/bin/cdt-%: $(BUILD)/obj/apps/cdt_%.o \
    $(call emulated_objects,$(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK))

$(filter-out %/paper_bench %/count_step,$(EMULATED_MEASURES)): $(BUILD)/emulated/tests/%: \
    $(BUILD)/obj/emulation/tests/gpu/%.cc.o $(call objects,$(PAPER)) \
    $(call emulated_objects,$(MEASURE_PARTS) $(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK))
$(BUILD)/emulated/tests/paper_bench: $(call objects,$(PAPER_BENCH)) \
    $(call emulated_objects,$(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK))
$(BUILD)/emulated/tests/count_step: $(call objects,$(COUNT) $(PAPER)) \
    $(call emulated_objects,$(EMULATED) $(EMULATION)) $(LIBAPPS) $(LIBCDT)
	$(call link,$(EMULATED_LINK))

# --- running --------------------------------------------------------------------------------------
.PHONY: test docs-check honesty cubins cuda-report gpu-check gpu-check-build gpu-pack fuzz fuzz-planted hostile-hdf5 torture sanitize \
  sanitize-threads soak bench bench-pytorch \
  parity-full

test: all $(TESTS) $(MEASURES) cubins  ## build and run all tests; the last line counts them
	@tests/run_tests.sh $(BUILD)

docs-check: all  ## run the commands of the docs, follow their links, check the wording
	@CDT_DOCS=all tests/run_tests.sh $(BUILD) 01_wording 80_doc_links 81_docs_commands

honesty: all  ## error rate and power of the programs' claims about DNA, SEEDS=50 data sets a mechanism
	@JOBS='$(JOBS)' tests/honesty.sh $(BUILD)/bin $(BUILD)/honesty $(or $(SEEDS),50)

# tests/apps/15_cuda_compile.sh counts the kernels that do not compile.
cubins:
	@[ -z '$(CUBINS)' ] || $(MAKE) --no-print-directory -k $(CUBINS) || true

cuda-report: cubins $(KERNEL_OBJECTS) $(BUILD)/emulated/tests/count_step  ## what CUDA kernels and a training step cost
	@$(BUILD)/emulated/tests/count_step > $(BUILD)/step.tsv
	@tests/cuda_report.sh $(addsuffix .log,$(KERNEL_OBJECTS) $(CUBINS)) < /dev/null; status=$$?; echo; \
	  NVCC='$(NVCC)' KINDS='$(or $(KINDS),90)' tests/cuda_instructions.sh $(if $(filter new,$(BASELINE)),--new) \
	  --cost $(BUILD)/step.tsv \
	  docs/results/cuda-instructions.tsv $(KERNEL_OBJECTS) $(CUBINS) && exit $$status

gpu-check:  ## run everything that needs a GPU, into build/gpu-check/; STEPS='build bench-bf16' for some
	@MAKE='$(MAKE)' PYTHON='$(PYTHON)' tests/gpu_check.sh $(BUILD) $(STEPS)

gpu-check-build: all $(TESTS) $(MEASURES) $(BUILD)/tests/paper_bench

gpu-pack:  ## pack `make gpu-check` for a machine without a compiler: build/gpu-pack.tar.xz
	@$(MAKE) --no-print-directory BUILD=build/gpu-pack-build ARCH='$(PACK_ARCH)' \
	  CUDA_ARCH='$(PACK_CUDA_ARCH)' HDF5_FLAGS= BIGWIG_FLAGS= gpu-check-build
	@CXX='$(CXX)' PACK_ARCH='$(PACK_ARCH)' PACK_CUDA_ARCH='$(PACK_CUDA_ARCH)' \
	  tests/gpu_pack.sh build/gpu-pack-build build/gpu-pack.tar.xz

fuzz: build-fuzz/fuzz $(BUILD)/tests/fuzz_replay  ## fuzz every reader, FUZZ_SECONDS=60 or FUZZ_RUNS=N each; FUZZ='pt npy' for some
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' FUZZ_RUNS='$(FUZZ_RUNS)' \
	  tests/fuzz/fuzz.sh build-fuzz $(BUILD)/tests/fuzz_replay $(FUZZ)

fuzz-planted: build-fuzz/fuzz $(BUILD)/tests/fuzz_replay  ## whether the fuzzer finds a removed check in each reader
	@FUZZ_COMPILE='$(FUZZ_COMPILE)' FUZZ_LINK='$(FUZZ_LINK)' FUZZ_LIBRARIES='$(FUZZ_LIBRARIES)' \
	  FUZZ_OBJECTS='$(FUZZ_OBJECTS)' tests/fuzz/planted.sh build-fuzz $(BUILD)/tests/fuzz_replay $(FUZZ)

sanitize: $(BUILD)/config.mk  ## run all tests under the address and undefined-behaviour sanitizers (hours)
	@$(MAKE) --no-print-directory SANITIZE=1 test

sanitize-threads: $(BUILD)/config.mk  ## run what has threads under ThreadSanitizer: feeds, progress, interrupts
	@$(MAKE) --no-print-directory SANITIZE=thread CUDA=0 build-tsan/tests/thread_tests \
	  $(addprefix build-tsan/bin/cdt-,synth train predict attribute)
	@tests/threads/threads.sh build-tsan

soak: all  ## train, predict and attribute for SOAK_MINUTES=120, and watch memory
	@tests/soak/soak.sh $(BUILD) $(SOAK_MINUTES)

hostile-hdf5: $(BUILD)/tests/hostile_hdf5  ## read damaged HDF5 files through the sandbox, FILES=100000
	$< $(or $(FILES),100000)

torture: all $(TORTURE_BUILT)  ## kill, starve and disturb every program, SEED=1; docs/torture.md
	@JOBS='$(JOBS)' SEED='$(or $(SEED),1)' tests/torture/torture.sh $(BUILD) full

# --- benchmarks -----------------------------------------------------------------------------------
bench: $(BENCHES)  ## time a training step, prediction and attribution at paper scale
	@tests/run_bench.sh $(BUILD) $(DEVICE) $(PRECISION)

bench-pytorch:  ## time the same workloads in PyTorch, and print the ratios to `make bench`
	@tests/run_bench_pytorch.sh '$(PYTHON)' $(BUILD) $(DEVICE) $(PRECISION)

parity-full: all  ## compare the programs at full size, training included, with PyTorch
	$(PYTHON) tests/parity/exchange.py --bin $(BUILD)/bin
	$(PYTHON) tests/parity/full_size.py --bin $(BUILD)/bin
