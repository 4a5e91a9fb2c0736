#include "io/dataset/dataset_writer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <system_error>
#include <utility>

#include "engine/bfloat16.h"
#include "engine/error.h"
#include "io/dataset/gene_starts.h"
#include "io/dataset/lists.h"
#include "io/format/file.h"
#include "io/format/floats.h"
#include "io/format/output.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kBfloat16Dna = "dna.bf16";
constexpr const char* kBfloat16DnaGene = "dna_gene.bf16";
constexpr const char* kGeneTable = "genes.bed";
/// Files and folders that only some data sets have.
constexpr std::array<const char*, 10> kExtras{
    "truth.json", "sites.bed",    "audit.json",      "provenance.json", "dna.f32",
    kBfloat16Dna, "dna_gene.f32", "rna.samples.txt", kBfloat16DnaGene,  kGeneTable};
constexpr std::uint64_t kReserve = std::uint64_t{16} << 20U;  // for the lists and the folder

/// A blob of DNA that is being written.
struct DnaFile {
  AtomicFile* file = nullptr;
  std::int64_t left = 0;  // values to come
  bool is_bfloat16 = false;

  void append(const float* values, std::int64_t count) {
    CDT_CHECK(file != nullptr && count >= 0 && count <= left,
              "more DNA values than the shape holds");
    CDT_CHECK(first_non_finite(values, count) < 0, "a DNA value is not finite");
    left -= count;
    if (!is_bfloat16) {
      file->write(values, static_cast<std::size_t>(count) * sizeof(float));
      return;
    }
    std::vector<BFloat16> narrow(static_cast<std::size_t>(count));
    std::transform(values, values + count, narrow.begin(), [](float value) {
      const BFloat16 rounded = to_bfloat16(value);
      CDT_CHECK(std::isfinite(to_float(rounded)), "a DNA value is too large for bfloat16");
      return rounded;
    });
    file->write(narrow.data(), narrow.size() * sizeof(BFloat16));
  }
};

}  // namespace

struct DatasetWriter::Impl {
  Impl(std::filesystem::path to, const Sizes& sizes) : folder(std::move(to)), manifest{sizes} {
    if (sizes.dna_is_bfloat16) manifest.dna_file = kBfloat16Dna;
    if (sizes.dna_gene_is_bfloat16) manifest.dna_gene_file = kBfloat16DnaGene;
  }

  /// Begins the blobs of DNA, to which values are appended.
  void open_dna() {
    const std::int64_t window = manifest.bins * manifest.dna_dim;
    dna = {&add(manifest.dna_file), manifest.enhancers * window, manifest.dna_is_bfloat16};
    if (!manifest.has_dna_gene) return;
    dna_gene = {&add(manifest.dna_gene_file), manifest.genes * window,
                manifest.dna_gene_is_bfloat16};
  }

  ~Impl() {
    if (!finished) remove_all();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// Throws InputError if the folder holds a data set that is not to be replaced.
  void check_free(bool replace) const {
    if (replace || !is_there(folder.path() / kManifestName)) return;
    throw InputError(folder.path().string(), kManifestName, "the folder already holds a data set");
  }

  AtomicFile& add(const std::string& name) { return files.emplace_back(folder.path() / name); }

  void add_list(const std::string& file, const std::vector<std::string>& names) {
    AtomicFile& lines = add(file);
    for (const std::string& name : names) lines.write(name + "\n");
  }

  /// Writes a (G, columns) blob, or one for each sample, and its gene list.
  void add_matrix(const std::string& file, const std::string& list, std::int64_t columns,
                  const std::vector<float>& values, const std::vector<std::string>& names) {
    CDT_CHECK(static_cast<std::int64_t>(names.size()) == manifest.genes &&
                  static_cast<std::int64_t>(values.size()) == manifest.genes * columns,
              "sizes of " + file);
    CDT_CHECK(genes.empty() || genes == names, "the two gene lists must be equal");
    CDT_CHECK(first_non_finite(values.data(), std::ssize(values)) < 0,
              file + " holds a value that is not finite");
    genes = names;
    add(file).write(values.data(), values.size() * sizeof(float));
    add_list(list, names);
  }

  /// Takes embeddings, genes and enhancers from another data set.
  void share(const Dataset& from) {
    const Manifest source = read_manifest(from.directory / kManifestName);
    if (source.rna_file.ends_with(".gz")) manifest.rna_file += ".gz";
    if (source.protein_file.ends_with(".gz")) manifest.protein_file += ".gz";
    const auto link = [&](const std::string& theirs, const std::string& ours) {
      links.emplace_back(from.directory / theirs, folder.path() / ours);
    };
    link(source.dna_file, manifest.dna_file);
    if (source.has_dna_gene) link(source.dna_gene_file, manifest.dna_gene_file);
    link(source.rna_file, manifest.rna_file);
    link(source.protein_file, manifest.protein_file);
    genes = from.genes;
    for (const std::string& list : {manifest.rna_genes, manifest.protein_genes}) {
      add_list(list, genes);
    }
    samples = from.samples;
    if (!samples.empty()) add_list(manifest.rna_samples, samples);
    has_rna = has_protein = true;
  }

  /// Deletes the files that commit() has or may have renamed, the manifest, which is last, first.
  /// Not a folder that was in the way.
  void remove_all() noexcept {
    std::for_each(renamed.rbegin(), renamed.rend(),
                  [](const auto& path) { ::unlink(path.c_str()); });
    files.clear();
    links.clear();
  }

  /// Deletes what is left of an earlier data set: its manifest, and extra files this one lacks.
  void remove_replaced() const {
    remove_for_good(folder.path() / kManifestName);
    for (const char* extra : kExtras) {
      const std::filesystem::path old = folder.path() / extra;
      const auto is_old = [&](const auto& file) { return file.target() == old; };
      const bool kept = std::any_of(files.begin(), files.end(), is_old) ||
                        std::any_of(links.begin(), links.end(), is_old);
      if (!kept) remove_file(old);
    }
  }

  MadeFolder folder;
  Manifest manifest;
  DnaFile dna, dna_gene;
  std::vector<std::string> genes, samples;
  std::vector<std::string> enhancers;
  std::deque<AtomicFile> files;
  std::deque<LinkedFile> links;  // to files of another data set
  std::vector<std::filesystem::path> renamed;
  bool has_rna = false, has_protein = false, has_pairs = false, finished = false;
};

DatasetWriter::DatasetWriter(std::filesystem::path directory, const Sizes& sizes, bool replace)
    : impl_(std::make_unique<Impl>(std::move(directory), sizes)) {
  impl_->check_free(replace);
  require_free_space(impl_->folder.path(), impl_->manifest.blob_bytes() + kReserve);
  impl_->open_dna();
}

DatasetWriter::DatasetWriter(std::filesystem::path directory, const Dataset& from, bool replace)
    : impl_(std::make_unique<Impl>(std::move(directory),
                                   read_manifest(from.directory / kManifestName))) {
  impl_->check_free(replace);
  require_free_space(impl_->folder.path(), kReserve);
  impl_->share(from);
  write_enhancers(from.enhancers);
  write_gene_starts(from.gene_starts);
}

DatasetWriter::~DatasetWriter() = default;

void DatasetWriter::append_dna(const float* values, std::int64_t count) {
  impl_->dna.append(values, count);
}

void DatasetWriter::append_dna_gene(const float* values, std::int64_t count) {
  impl_->dna_gene.append(values, count);
}

void DatasetWriter::write_rna(const std::vector<float>& values,
                              const std::vector<std::string>& genes) {
  const Manifest& m = impl_->manifest;
  CDT_CHECK(m.samples == 0, "the RNA is of samples");
  impl_->add_matrix(m.rna_file, m.rna_genes, m.rna_dim, values, genes);
  impl_->has_rna = true;
}

void DatasetWriter::write_sampled_rna(const std::vector<float>& values,
                                      const std::vector<std::string>& samples,
                                      const std::vector<std::string>& genes) {
  const Manifest& m = impl_->manifest;
  CDT_CHECK(m.samples > 0 && std::ssize(samples) == m.samples, "number of samples");
  impl_->add_matrix(m.rna_file, m.rna_genes, m.samples * m.rna_dim, values, genes);
  impl_->add_list(m.rna_samples, samples);
  impl_->samples = samples;
  impl_->has_rna = true;
}

void DatasetWriter::write_protein(const std::vector<float>& values,
                                  const std::vector<std::string>& genes) {
  const Manifest& m = impl_->manifest;
  impl_->add_matrix(m.protein_file, m.protein_genes, m.protein_dim, values, genes);
  impl_->has_protein = true;
}

void DatasetWriter::write_enhancers(const std::vector<Enhancer>& enhancers) {
  CDT_CHECK(static_cast<std::int64_t>(enhancers.size()) == impl_->manifest.enhancers,
            "number of enhancers");
  AtomicFile& file = impl_->add(impl_->manifest.enhancers_file);
  for (const Enhancer& e : enhancers) {
    file.write(e.chrom + "\t" + std::to_string(e.start) + "\t" + std::to_string(e.end) + "\t" +
               e.name + "\n");
    impl_->enhancers.push_back(e.name);
  }
}

void DatasetWriter::write_gene_starts(const std::vector<std::optional<GeneStart>>& starts) {
  if (starts.empty()) return;
  impl_->manifest.gene_starts_file = kGeneTable;
  impl_->add(kGeneTable).write(gene_table_text(starts, impl_->genes));
}

void DatasetWriter::write_pairs(const std::vector<Pair>& pairs) {
  CDT_CHECK(!impl_->genes.empty() && !impl_->enhancers.empty(), "pairs come after the lists");
  impl_->add(impl_->manifest.pairs_file)
      .write(pairs_text(pairs, impl_->enhancers, impl_->genes, impl_->samples));
  impl_->has_pairs = true;
}

void DatasetWriter::write_extra(const std::string& name, const std::string& content) {
  impl_->add(name).write(content);
}

void DatasetWriter::link_extra(const std::string& name, const std::filesystem::path& file) {
  impl_->links.emplace_back(file, impl_->folder.path() / name);
}

void DatasetWriter::finish(const std::string& provenance_json) {
  const std::int64_t left = impl_->dna.left + impl_->dna_gene.left;
  CDT_CHECK(left == 0, std::to_string(left) + " DNA values are missing");
  CDT_CHECK(impl_->has_rna && impl_->has_protein && impl_->has_pairs, "a part is missing");
  impl_->add(kManifestName).write(manifest_text(impl_->manifest, provenance_json));
  for (AtomicFile& file : impl_->files) file.flush_to_disk();
  impl_->remove_replaced();
  for (LinkedFile& link : impl_->links) {
    impl_->renamed.push_back(link.target());
    link.commit();
  }
  for (AtomicFile& file : impl_->files) {
    impl_->renamed.push_back(file.target());
    file.commit();
  }
  impl_->finished = true;
}

}  // namespace cdt
