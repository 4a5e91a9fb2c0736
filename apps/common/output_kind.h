// What the programs write into folders (docs/formats.md). By these lists one tells what a folder
// holds, what a program would replace or delete there, and what is read by who reads the folder.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

namespace cdt {

struct OutputKind {
  const char* name;                      // "an attribution"
  const char* sign;                      // the file that tells what the folder holds
  const char* word;                      // what that holds
  std::span<const char* const> files;    // all, the sign among them
  std::span<const char* const> folders;  // whose files are part of it
  /// Is one there, whole or not? By more than the sign: a data set may be spoilt, a run torn.
  bool (*is_in)(const std::filesystem::path& folder);
};

extern const OutputKind kDataSetOutput, kRunOutput, kPredictionOutput, kAttributionOutput,
    kConvertedOutput;
std::span<const OutputKind* const> all_output_kinds();

/// The sign is there and holds the word: what the folder holds may be taken for this kind.
bool has_sign(const std::filesystem::path& folder, const OutputKind& kind);

/// What the folder holds under the names of this kind; of its folders, the files in them.
std::vector<std::filesystem::path> existing_files(const std::filesystem::path& folder,
                                                  const OutputKind& kind);

/// Do the first 64 MiB of a regular file contain the text? False if it cannot be read.
bool file_contains(const std::filesystem::path& file, const char* text);

}  // namespace cdt
