// Writes a data set directory (docs/formats.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/dataset/manifest.h"

namespace cdt {

/// Blobs stream through it, so memory stays bounded. Files are made under temporary names and
/// renamed by finish(), dataset.json last; without finish() the destructor removes what was
/// written.
class DatasetWriter {
 public:
  using Sizes = DatasetSizes;
  /// Creates `directory` if needed; throws InputError if it already holds a data set (with
  /// `replace`, finish() replaces that) or if the volume has less free space than the blobs will
  /// take.
  DatasetWriter(std::filesystem::path directory, const Sizes& sizes, bool replace = false);
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  /// Appends `count` floats to the DNA blob; call in row order. In bfloat16 each is rounded to the
  /// nearest and must stay finite.
  void append_dna(const float* values, std::int64_t count);
  void write_rna(const std::vector<float>& values, const std::vector<std::string>& genes);
  void write_protein(const std::vector<float>& values, const std::vector<std::string>& genes);
  void write_enhancers(const std::vector<Enhancer>& enhancers);
  /// Pairs by enhancer and gene index; the lists above give the names.
  void write_pairs(const std::vector<Pair>& pairs);
  /// One more file of the directory (truth.json, sites.bed, audit.json), renamed with the rest.
  void write_extra(const std::string& name, const std::string& content);
  /// provenance_json: one JSON object as text. Flushes everything, then renames everything,
  /// dataset.json last. Of a data set that is replaced dataset.json goes first, and the extra files
  /// this one does not have go too.
  void finish(const std::string& provenance_json);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cdt
