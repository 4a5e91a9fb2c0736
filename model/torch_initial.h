// The initial values that PyTorch 2.x gives the reference model, bit for bit. Its modules draw from
// one generator as they are constructed, in the order of the state_dict, except that
// nn.MultiheadAttention draws its output projection first.
#pragma once

#include <cstdint>

#include "engine/torch_random.h"
#include "model/parameters.h"

namespace cdt {

/// Sets the parameters to the values that torch.manual_seed(seed) followed by constructing the
/// model gives them (engine/torch_random.h says on which CPUs).
void initialise_as_torch(std::uint64_t seed, CdtParameters& model);

/// Returns the state of the generator after that.
TorchGenerator torch_after_construction(std::uint64_t seed, CdtParameters& model);

}  // namespace cdt
