#include <algorithm>
#include <array>
#include <string>

#include "engine/error.h"
#include "tests/fuzz/target.h"

namespace cdt::test {
namespace {

constexpr std::array<FuzzTarget, 32> kTargets{{
    {"safetensors", fuzz_safetensors, 4096, "safetensors",
     "io/format/safetensors io/format/tensor_file io/format/floats.h"},
    {"pt", fuzz_pt, 4096, "pt",
     "io/format/pt.cc io/format/pt_reader io/format/pt_values io/format/pickle io/format/zip.cc"},
    {"pickle", fuzz_pickle, 2048, "pt",
     "io/format/pt.cc io/format/pt_reader io/format/pt_values io/format/pickle"},
    {"checkpoint", fuzz_checkpoint, 16384, "safetensors",
     "model/checkpoint model/config model/inputs model/state_dict"},
    {"optimiser", fuzz_optimiser, 8192, "pt",
     "apps/common/optimiser_file apps/common/torch_optimiser"},
    {"state", fuzz_state, 4096, "safetensors", "apps/train/state"},
    {"npy", fuzz_npy, 1024, "npy", "io/format/npy io/format/float_rows io/format/floats.h"},
    {"npz", fuzz_npz, 2048, "zip",
     "io/format/npz io/format/npy_rows io/format/npy.cc io/format/zip.cc"},
    {"npz-array", fuzz_npz_array, 1024, "npy", "io/format/npz io/format/npy_rows io/format/npy.cc"},
    {"zip", fuzz_zip, 1024, "zip", "io/format/zip.cc"},
    {"gzip", fuzz_gzip, 1024, "gzip", "io/format/gzip"},
    {"json", fuzz_json, 1024, "json", "io/format/json.cc"},
    {"manifest", fuzz_manifest, 2048, "json", "io/dataset/manifest"},
    {"truth", fuzz_truth, 8192, "json", "io/dataset/truth"},
    {"model-config", fuzz_model_config, 1024, "json", "model/config"},
    {"options", fuzz_options, 1024, "json", "apps/common/cli"},
    {"run-config", fuzz_run_config, 4096, "json",
     "apps/train/run_config apps/train/stored_settings apps/train/setting apps/report/sources"},
    {"epochs", fuzz_epochs, 2048, "json", "apps/report/sources"},
    {"metrics", fuzz_metrics, 16384, "json", "apps/report/evaluated"},
    {"study", fuzz_study, 8192, "json", "apps/evaluation/study"},
    {"summary", fuzz_summary, 20480, "json",
     "apps/report/attribution.cc apps/common/attribution_summary apps/common/summary"},
    {"audit", fuzz_audit, 2048, "json", "apps/audit/audit.cc apps/audit/finding"},
    {"tsv", fuzz_tsv, 1024, "table", "io/format/text_file"},
    {"pairs", fuzz_pairs, 1024, "table", "io/dataset/lists io/format/text_file"},
    {"genes", fuzz_genes, 512, "table", "io/dataset/lists io/format/text_file"},
    {"bed", fuzz_bed, 1024, "table", "io/dataset/lists io/genome/locus io/format/text_file"},
    {"gene-starts", fuzz_gene_starts, 1024, "table", "io/dataset/gene_starts io/genome/locus"},
    {"annotations", fuzz_annotations, 1024, "table", "io/genome/annotations io/genome/locus"},
    {"chrom-sizes", fuzz_chrom_sizes, 1024, "table", "io/genome/assembly"},
    {"journal", fuzz_journal, 1024, "journal", "io/format/journal"},
    {"shard-header", fuzz_shard_header, 4096, "json", "apps/common/shard.cc"},
    {"result-record", fuzz_result_record, 2048, "journal",
     "apps/attribute/result_record io/format/record.h"},
}};

void check_message(std::string_view message) {
  CDT_CHECK(message.starts_with("input"), "an InputError that does not begin with its file");
  const auto is_control = [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; };
  CDT_CHECK(std::none_of(message.begin(), message.end(), is_control),
            "an InputError with a control character");
}

}  // namespace

std::span<const FuzzTarget> fuzz_targets() { return kTargets; }

const FuzzTarget& fuzz_target(std::string_view name) {
  const auto* found = std::find_if(kTargets.begin(), kTargets.end(),
                                   [&](const FuzzTarget& target) { return target.name == name; });
  if (found != kTargets.end()) return *found;
  throw InputError("command line", std::string(name), "no such fuzz target");
}

std::string refusal(const FuzzTarget& target, std::string_view input) {
  try {
    target.read(input);
  } catch (const InputError& error) {
    check_message(error.what());
    return error.what();
  }
  return "";
}

}  // namespace cdt::test
