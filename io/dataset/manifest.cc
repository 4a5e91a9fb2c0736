#include "io/dataset/manifest.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/error.h"
#include "io/format/json.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kFormat = "cdt-dataset";
constexpr std::int64_t kVersion = 1;
constexpr std::int64_t kDimLimit = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kBinLimit = 1'000'000;

/// Reads the name of a file inside the data set's directory.
std::string inner_file(JsonReader& reader, const std::string& key) {
  std::string name = reader.string(key);
  const std::filesystem::path path(name);
  bool inside = !name.empty() && !path.is_absolute() && name.find('\0') == std::string::npos;
  for (const auto& part : path) inside = inside && part != "..";
  if (!inside) {
    reader.fail(key, expected_got("bad file name", "a file inside the directory", name));
  }
  return name;
}

std::vector<std::int64_t> read_shape(JsonReader& reader, std::size_t rank) {
  std::vector<std::int64_t> shape = reader.integers("shape");
  if (shape.size() != rank) {
    reader.fail("shape", expected_got("wrong number of dimensions", std::to_string(rank),
                                      std::to_string(shape.size())));
  }
  std::int64_t bytes = sizeof(float);
  for (const std::int64_t dim : shape) {
    if (dim < 1 || dim > kDimLimit || __builtin_mul_overflow(bytes, dim, &bytes)) {
      reader.fail("shape", expected_got("bad dimension", "1 to 2147483647 and a product that fits",
                                        std::to_string(dim)));
    }
  }
  return shape;
}

/// Reads the file of windows and its type, which are all that an entry has besides its shape.
void read_windows(JsonReader& entry, std::string* file, bool* is_bfloat16) {
  *file = inner_file(entry, "file");
  if (entry.has("dtype")) {
    const std::string dtype = entry.string("dtype");
    if (dtype != "float32" && dtype != "bfloat16") {
      entry.fail("dtype", expected_got("unknown dtype", "float32 or bfloat16", dtype));
    }
    *is_bfloat16 = dtype == "bfloat16";
  }
  entry.no_other_keys();
  if (file->ends_with(".gz")) {
    entry.fail("file", "DNA is read by rows and cannot be compressed; gunzip it");
  }
}

void read_dna(JsonReader dna, Manifest* m) {
  const std::vector<std::int64_t> shape = read_shape(dna, 3);
  m->enhancers = shape[0];
  m->bins = shape[1];
  m->dna_dim = shape[2];
  read_windows(dna, &m->dna_file, &m->dna_is_bfloat16);
}

void read_dna_gene(JsonReader dna, Manifest* m) {
  const std::vector<std::int64_t> shape = read_shape(dna, 3);
  const std::vector<std::int64_t> wanted{m->genes, m->bins, m->dna_dim};
  if (shape != wanted) {
    dna.fail("shape", expected_got("is not (genes, bins, features) of rna.shape and dna.shape",
                                   shape_text(wanted), shape_text(shape)));
  }
  m->has_dna_gene = true;
  read_windows(dna, &m->dna_gene_file, &m->dna_gene_is_bfloat16);
}

/// Reads the entry of rna, which has a third dimension if there are samples.
void read_rna(JsonReader entry, Manifest* m) {
  const bool sampled = entry.has("samples");
  const std::vector<std::int64_t> shape = read_shape(entry, sampled ? 3 : 2);
  if (sampled) {
    m->samples = shape.front();
    m->rna_samples = inner_file(entry, "samples");
  }
  m->genes = shape[shape.size() - 2];
  m->rna_dim = shape.back();
  m->rna_file = inner_file(entry, "file");
  m->rna_genes = inner_file(entry, "genes");
  entry.no_other_keys();
  if (sampled && m->rna_file.ends_with(".gz")) {
    entry.fail("file", "RNA of samples is read by rows and cannot be compressed; gunzip it");
  }
}

/// Reads the entry of protein; returns its gene count.
std::int64_t read_matrix_entry(JsonReader entry, std::int64_t* dim, std::string* file,
                               std::string* genes) {
  const std::vector<std::int64_t> shape = read_shape(entry, 2);
  *dim = shape[1];
  *file = inner_file(entry, "file");
  *genes = inner_file(entry, "genes");
  entry.no_other_keys();
  return shape[0];
}

}  // namespace

Manifest read_manifest(const std::filesystem::path& path) {
  const nlohmann::json document = parse_json_file(path);
  JsonReader top(document, path.string());
  const std::string format = top.string("format");
  if (format != kFormat) top.fail("format", expected_got("unknown format", kFormat, format));
  top.integer("version", kVersion, kVersion);
  Manifest m;
  m.bin_bp = static_cast<int>(top.integer("bin_bp", 1, kBinLimit));
  m.assembly = top.string("assembly");
  read_dna(top.object("dna"), &m);
  read_rna(top.object("rna"), &m);
  const std::int64_t proteins =
      read_matrix_entry(top.object("protein"), &m.protein_dim, &m.protein_file, &m.protein_genes);
  if (proteins != m.genes) {
    top.fail("protein.shape", expected_got("gene count differs from rna.shape",
                                           std::to_string(m.genes), std::to_string(proteins)));
  }
  if (top.has("dna_gene")) read_dna_gene(top.object("dna_gene"), &m);
  m.enhancers_file = inner_file(top, "enhancers");
  m.pairs_file = inner_file(top, "pairs");
  if (top.has("gene_starts")) m.gene_starts_file = inner_file(top, "gene_starts");
  if (top.has("provenance")) top.object("provenance");
  top.no_other_keys();
  return m;
}

std::string manifest_text(const Manifest& m, const std::string& provenance_json) {
  const auto windows = [&m](const std::string& file, std::int64_t count, bool is_bfloat16) {
    nlohmann::ordered_json entry = {{"file", file}, {"shape", {count, m.bins, m.dna_dim}}};
    if (is_bfloat16) entry["dtype"] = "bfloat16";
    return entry;
  };
  nlohmann::ordered_json rna = {
      {"file", m.rna_file}, {"shape", {m.genes, m.rna_dim}}, {"genes", m.rna_genes}};
  if (m.samples > 0) {
    rna["shape"] = {m.samples, m.genes, m.rna_dim};
    rna["samples"] = m.rna_samples;
  }
  nlohmann::ordered_json out = {{"format", kFormat},
                                {"version", kVersion},
                                {"bin_bp", m.bin_bp},
                                {"assembly", m.assembly},
                                {"dna", windows(m.dna_file, m.enhancers, m.dna_is_bfloat16)},
                                {"rna", rna},
                                {"protein",
                                 {{"file", m.protein_file},
                                  {"shape", {m.genes, m.protein_dim}},
                                  {"genes", m.protein_genes}}}};
  if (m.has_dna_gene) out["dna_gene"] = windows(m.dna_gene_file, m.genes, m.dna_gene_is_bfloat16);
  out["enhancers"] = m.enhancers_file;
  out["pairs"] = m.pairs_file;
  if (!m.gene_starts_file.empty()) out["gene_starts"] = m.gene_starts_file;
  out["provenance"] = nlohmann::ordered_json::parse(provenance_json);
  return dumped(out, 2) + "\n";
}

}  // namespace cdt
