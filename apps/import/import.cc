#include "apps/import/import.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "apps/common/output_folder.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/import/audit.h"
#include "engine/error.h"
#include "io/dataset/dataset_writer.h"
#include "io/format/file.h"
#include "io/format/floats.h"
#include "io/format/hdf5/hdf5.h"
#include "io/format/hdf5/sandbox.h"
#include "io/format/json.h"
#include "io/format/output.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSample = std::int64_t{1} << 26;  // values of one DNA sample

/// "embeddings" (N, L, D) of the DNA file and where its samples lie.
struct DnaSource {
  Hdf5File file;
  Hdf5Dataset embeddings;
  DnaIndex index;
  std::int64_t bins() const { return embeddings.shape()[1]; }
  std::int64_t dim() const { return embeddings.shape()[2]; }
};

DnaSource open_dna(const fs::path& path) {
  Hdf5File file(path);
  Hdf5Dataset embeddings = file.dataset("embeddings", {kAnySize, kAnySize, kAnySize});
  const std::vector<std::int64_t>& shape = embeddings.shape();
  if (shape[1] > kMaxSample / shape[2]) {
    throw InputError(file.name(), "embeddings", "one sample is larger than 256 MiB");
  }
  const Hdf5Dataset centers = file.dataset("centers", {shape[0]});
  const std::vector<std::int64_t> centres = centers.read_integers();
  const std::vector<std::string> names = file.dataset("chroms", {shape[0]}).read_strings();
  DnaIndex index;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (centres[i] < 0 || centres[i] > std::numeric_limits<std::int64_t>::max() / 4) {
      throw InputError(file.name(), centers.at(static_cast<std::int64_t>(i)),
                       "is not a coordinate");
    }
    index.add(names[i], centres[i]);
  }
  return {std::move(file), std::move(embeddings), std::move(index)};
}

/// Throws InputError naming the first value of this sample that is NaN or infinite.
void require_finite(const DnaSource& dna, std::int64_t row, const std::vector<float>& sample) {
  const std::int64_t bad =
      first_non_finite(sample.data(), static_cast<std::int64_t>(sample.size()));
  if (bad < 0) return;
  const auto count = std::count_if(sample.begin(), sample.end(),
                                   [](float value) { return first_non_finite(&value, 1) == 0; });
  throw InputError(
      dna.file.name(),
      "embeddings[" + std::to_string(row) + "," + std::to_string(bad / dna.dim()) + "," +
          std::to_string(bad % dna.dim()) + "]",
      expected_got("is not usable, as " + std::to_string(count) + " of this row's values",
                   "a finite number", format_number(sample[static_cast<std::size_t>(bad)])));
}

/// Streams one row per element into the data set; a source row that several share is read once.
DnaScan copy_dna(const DnaSource& dna, const Placement& data, DatasetWriter& writer, bool quiet) {
  DnaScan scan;
  std::vector<float> sample(static_cast<std::size_t>(dna.bins() * dna.dim()), 0.0F);
  const auto size = static_cast<std::int64_t>(sample.size());
  const auto total = static_cast<std::int64_t>(data.matches.size());
  Progress progress("DNA samples", total, quiet);
  std::int64_t held = -1;  // the source row in `sample`
  for (std::int64_t i = 0; i < total; ++i) {
    const DnaIndex::Match& match = data.matches[static_cast<std::size_t>(i)];
    if (match.kind == DnaIndex::Kind::kMissing) {
      std::fill(sample.begin(), sample.end(), 0.0F);
    } else if (match.row != held) {
      dna.embeddings.read_row(match.row, sample.data());
      require_finite(dna, match.row, sample);
      ++scan.rows_used;
      const bool zero =
          std::all_of(sample.begin(), sample.end(), [](float value) { return value == 0.0F; });
      scan.zero_rows += zero ? 1 : 0;
      held = match.row;
    }
    writer.append_dna(sample.data(), size);
    progress.update(i + 1);
  }
  progress.finish();
  return scan;
}

/// What an option names; files of one kind must differ in content.
struct Source {
  const char* role;  // the option without its dashes
  const fs::path* path;
  enum Kind { kDna, kEmbeddings, kMapping, kPairs } kind;
};

std::vector<Source> sources(const ImportOptions& options) {
  return {{"dna", &options.dna, Source::kDna},
          {"rna", &options.rna, Source::kEmbeddings},
          {"protein", &options.protein, Source::kEmbeddings},
          {"mapping", &options.mapping, Source::kMapping},
          {"train", &options.train, Source::kPairs},
          {"val", &options.val, Source::kPairs},
          {"test", &options.test, Source::kPairs}};
}

nlohmann::ordered_json provenance(const ImportOptions& options) {
  nlohmann::ordered_json out;
  out["made_by"] = "cdt-import " + version();
  out["missing_dna"] = kMissingDnaNames[static_cast<std::size_t>(options.missing)];
  for (const auto& [role, path, kind] : sources(options)) {
    if (path->empty()) continue;
    out["sources"][role] = {{"file", path_text(path->filename())}, {"bytes", fs::file_size(*path)}};
  }
  return out;
}

Inputs inputs_of(const ImportOptions& options) {
  Inputs inputs(options.common);
  for (const auto& [role, path, kind] : sources(options)) {
    inputs.add_file(std::string("--") + role, *path);
  }
  return inputs;
}

/// What a child that died had begun: its temporaries, and files it had brought to their names.
void remove_torn(const fs::path& folder) {
  sweep_temporaries(folder);
  if (has_sign(folder, kDataSetOutput)) return;  // complete, this one or an older one
  std::error_code ignored;
  for (const fs::path& file : existing_files(folder, kDataSetOutput)) fs::remove(file, ignored);
}

bool same_bytes(const fs::path& a, const fs::path& b) {
  const FileDescriptor first = open_for_reading(a);
  const FileDescriptor second = open_for_reading(b);
  const std::size_t size = file_size(first, a);
  if (size != file_size(second, b)) return false;
  constexpr std::size_t kPiece = std::size_t{1} << 20U;
  std::vector<char> x(kPiece);
  std::vector<char> y(kPiece);
  for (std::size_t at = 0; at < size; at += kPiece) {
    const std::size_t piece = std::min(kPiece, size - at);
    read_exactly(first, a, at, x.data(), piece);
    read_exactly(second, b, at, y.data(), piece);
    if (!std::equal(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(piece), y.begin())) {
      return false;
    }
  }
  return true;
}

/// InputError naming the option whose file is that of another option: the same file by any name, or
/// among pairs (--train, --val, --test) and embeddings (--rna, --protein) one of the same bytes.
void refuse_same_files(const ImportOptions& options) {
  const std::vector<Source> files = sources(options);
  for (const Source& file : files) {
    for (const Source& before : files) {
      if (&before == &file) break;
      std::error_code missing;  // reported when the file is opened
      if (file.path->empty() || !fs::exists(*file.path, missing) ||
          !fs::exists(*before.path, missing)) {
        continue;
      }
      const bool same = fs::equivalent(*file.path, *before.path, missing);
      if (!same && (file.kind != before.kind || !same_bytes(*file.path, *before.path))) continue;
      throw InputError(
          file.path->string(), std::string("--") + file.role,
          (same ? "is the file given as --" : "has the same content as the file given as --") +
              std::string(before.role) + ", " + before.path->string());
    }
  }
}

}  // namespace

void import_files(const ImportOptions& options) {
  refuse_same_files(options);
  const GeneTables tables = read_gene_tables(options.rna, options.protein);
  const GeneMap map = read_gene_map(options.mapping, tables.genes_count());
  const DnaSource dna = open_dna(options.dna);
  ElementTable elements;
  std::vector<ScreenSplit> splits;
  splits.push_back(read_screen(options.train, Split::kTrain, map, elements));
  splits.push_back(read_screen(options.val, Split::kVal, map, elements));
  if (!options.test.empty()) {
    splits.push_back(read_screen(options.test, Split::kTest, map, elements));
  }
  const Placement data = place_elements(elements, dna.index, options.missing, splits);

  DatasetWriter::Sizes sizes;
  sizes.enhancers = static_cast<std::int64_t>(data.enhancers.size());
  sizes.bins = dna.bins();
  sizes.dna_dim = dna.dim();
  sizes.genes = tables.genes_count();
  sizes.rna_dim = tables.rna_dim;
  sizes.protein_dim = tables.protein_dim;
  sizes.bin_bp = options.bin_bp;
  sizes.assembly = options.assembly;
  DatasetWriter writer(options.common.out, sizes, options.common.overwrite);
  writer.write_rna(tables.rna, tables.genes);
  writer.write_protein(tables.protein, tables.genes);
  writer.write_enhancers(data.enhancers);
  writer.write_pairs(data.pairs);
  const DnaScan scan = copy_dna(dna, data, writer, options.common.quiet);
  const nlohmann::ordered_json audit =
      make_audit({options.assembly, options.missing, tables.genes_count(), map,
                  dna.embeddings.shape(), dna.index, scan, splits, data});
  writer.write_extra("audit.json", dumped(audit, 2) + "\n");
  writer.finish(provenance(options).dump());
  std::fputs(audit_text(audit).c_str(), stdout);
}

int import_in_sandbox(const ImportOptions& options) {
  // A signal ends the child; a later one must not interrupt the cleaning up.
  catch_interrupts("cdt-import");
  const OutputFolder out(kDataSetOutput, options.common, inputs_of(options));
  const auto body = [&options](int, char**) {
    harden_hdf5();
    import_files(options);
    return kExitDone;
  };
  try {
    const int code = run_sandboxed([&body] { return run_main("cdt-import", 0, nullptr, body); });
    if (code != kExitDone) remove_torn(out.path());
    return code;
  } catch (const Error&) {
    remove_torn(out.path());
    throw;
  }
}

}  // namespace cdt
