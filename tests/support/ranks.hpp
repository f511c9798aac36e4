// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/distributed/communicator.hpp>

namespace pareidolia_test {

/// The ranks that mpiexec started the tests on. MPI ends with the process.
inline pareidolia::communicator world() {
  static pareidolia::mpi_session const session;
  return session.world();
}

}  // namespace pareidolia_test
