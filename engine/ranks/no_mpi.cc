// Linked instead of engine/ranks/mpi_*.cc in builds without MPI.
#include "engine/error.h"
#include "engine/ranks/communicator.h"

namespace cdt {

bool mpi_built() { return false; }

std::unique_ptr<Communicator> make_mpi_communicator() {
  throw InputError("command line", "mpirun",
                   "this build has no MPI, so a run is one process; install the package "
                   "libopenmpi-dev and build again");
}

}  // namespace cdt
