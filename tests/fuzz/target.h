// The fuzz targets: one for each kind of file that a program reads. A target reads an input as that
// file and checks what a reader promises of a file that it accepts. It throws InputError if the
// reader refuses the input; everything else that it throws, and every report of a sanitizer, is a
// mistake of the reader (docs/fuzzing.md).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cdt::test {

struct FuzzTarget {
  const char* name;
  void (*read)(std::string_view input);
  std::size_t longest;     // bytes of an input that the fuzzer tries
  const char* dictionary;  // tests/fuzz/dictionaries/NAME.dict
  const char* sources;     // what it tests: files and beginnings of file names, between spaces
};

std::span<const FuzzTarget> fuzz_targets();
/// Throws InputError if there is none of that name.
const FuzzTarget& fuzz_target(std::string_view name);

/// Reads an input; returns the message with which it was refused, or "". Throws Error if that is no
/// message for a user: one line without control characters that begins with the name of the file.
std::string refusal(const FuzzTarget& target, std::string_view input);

// By what they read; fuzz_targets() says more.
void fuzz_safetensors(std::string_view input);
void fuzz_pt(std::string_view input);
void fuzz_pickle(std::string_view input);
void fuzz_checkpoint(std::string_view input);
void fuzz_optimiser(std::string_view input);
void fuzz_state(std::string_view input);
void fuzz_npy(std::string_view input);
void fuzz_npz(std::string_view input);
void fuzz_npz_array(std::string_view input);
void fuzz_zip(std::string_view input);
void fuzz_gzip(std::string_view input);
void fuzz_json(std::string_view input);
void fuzz_manifest(std::string_view input);
void fuzz_truth(std::string_view input);
void fuzz_model_config(std::string_view input);
void fuzz_options(std::string_view input);
void fuzz_run_config(std::string_view input);
void fuzz_epochs(std::string_view input);
void fuzz_metrics(std::string_view input);
void fuzz_study(std::string_view input);
void fuzz_summary(std::string_view input);
void fuzz_audit(std::string_view input);
void fuzz_tsv(std::string_view input);
void fuzz_pairs(std::string_view input);
void fuzz_genes(std::string_view input);
void fuzz_bed(std::string_view input);
void fuzz_gene_starts(std::string_view input);
void fuzz_annotations(std::string_view input);
void fuzz_chrom_sizes(std::string_view input);
void fuzz_journal(std::string_view input);
void fuzz_shard_header(std::string_view input);
void fuzz_result_record(std::string_view input);

}  // namespace cdt::test
