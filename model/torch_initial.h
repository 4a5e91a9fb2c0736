// The initial values that PyTorch 2.x gives the reference model, bit for bit: its modules draw from
// one generator as they are constructed, in the order of the state_dict but for
// nn.MultiheadAttention, which draws its output projection first.
#pragma once

#include <cstdint>

#include "engine/torch_random.h"
#include "model/parameters.h"

namespace cdt {

/// The values that torch.manual_seed(seed) and then constructing the model give its parameters
/// (engine/torch_random.h says on which CPUs).
void initialise_as_torch(std::uint64_t seed, CdtParameters& model);

/// What is left of the generator after that.
TorchGenerator torch_after_construction(std::uint64_t seed, CdtParameters& model);

}  // namespace cdt
