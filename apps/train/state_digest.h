// Digests that a state holds (state.h): of itself and of the model file beside it, so that damage
// is found before a run continues from it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/format/safetensors.h"

namespace cdt {

/// Keys of the metadata: the digest of the state's other metadata and its tensors, and
/// digest_of_file() of the model file in the same folder.
inline constexpr const char* kStateDigest = "digest";
inline constexpr const char* kModelFileDigest = "model_file";

/// The digest of a state that is about to be written; calls the tensors' fill().
std::string digest_of_state(const std::map<std::string, std::string>& metadata,
                            const std::vector<TensorToWrite>& tensors);

/// What is damaged in a folder of model and state, as an InputError says it; "" if both have the
/// digests that the state records. States of versions without digests are only read.
std::string damage_in(const std::filesystem::path& folder);

}  // namespace cdt
