// What the programs write into folders (docs/formats.md). These lists tell what a folder holds,
// what a program would replace or delete there, and what a program reads that is given the folder.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

namespace cdt {

struct OutputKind {
  const char* name;                      // "an attribution"
  const char* sign;                      // the file that identifies the kind of output
  const char* word;                      // a word that this file contains
  std::span<const char* const> files;    // all files, including the sign
  std::span<const char* const> folders;  // all files in these are part of it too
  /// Whether the folder holds such an output, complete or not. Looks at more than the sign: a data
  /// set may be damaged, a run interrupted.
  bool (*is_in)(const std::filesystem::path& folder);
};

extern const OutputKind kDataSetOutput, kRunOutput, kPredictionOutput, kStudyOutput,
    kAttributionOutput, kConvertedOutput, kShardOutput;
std::span<const OutputKind* const> all_output_kinds();

/// Whether the sign is there and contains the word, so that the folder may be taken for this kind.
bool has_sign(const std::filesystem::path& folder, const OutputKind& kind);

/// Files in the folder that have names of this kind, including the files in its folders.
std::vector<std::filesystem::path> existing_files(const std::filesystem::path& folder,
                                                  const OutputKind& kind);

/// Whether the first 64 MiB of a regular file contain the text; false if it cannot be read.
bool file_contains(const std::filesystem::path& file, const char* text);

}  // namespace cdt
