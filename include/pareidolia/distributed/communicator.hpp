// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>

#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Several processes that compute one run: the only header that includes MPI.

namespace pareidolia {
namespace detail {

/// Throws what MPI says of a call that failed.
inline void check_mpi(int status, char const* what) {
  if (status == MPI_SUCCESS) return;
  char said[MPI_MAX_ERROR_STRING] = "no reason given";
  int length = 0;
  MPI_Error_string(status, said, &length);
  fail("MPI: ", what, " failed: ", said);
}

/// A row of numbers as one item of MPI, so that counts are rows and fit into an int.
class mpi_row {
 public:
  explicit mpi_row(std::size_t length) {
    if (length > static_cast<std::size_t>(std::numeric_limits<int>::max()))
      fail("MPI: a row of ", length, " numbers is too long to be sent");
    check_mpi(MPI_Type_contiguous(static_cast<int>(length), MPI_FLOAT, &type_), "MPI_Type_contiguous");
    check_mpi(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  mpi_row(mpi_row const&) = delete;
  mpi_row& operator=(mpi_row const&) = delete;
  ~mpi_row() { MPI_Type_free(&type_); }

  [[nodiscard]] MPI_Datatype type() const { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

}  // namespace detail

/// Processes that work together, each with its number, the rank. A value; what it names is MPI's.
///
/// All verbs are collective: each rank of the communicator calls the same ones in the same order, from one thread. An error that MPI
/// returns is thrown.
class communicator {
 public:
  /// `of` stays the caller's; its errors are returned from now on. Messages of the caller's own belong on another one (MPI_Comm_dup).
  explicit communicator(MPI_Comm of) : of_(of) {
    detail::check_mpi(MPI_Comm_set_errhandler(of_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    detail::check_mpi(MPI_Comm_rank(of_, &rank_), "MPI_Comm_rank");
    detail::check_mpi(MPI_Comm_size(of_, &size_), "MPI_Comm_size");
  }

  [[nodiscard]] std::size_t rank() const { return static_cast<std::size_t>(rank_); }  ///< from 0
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(size_); }
  /// Rank 0, which reads, writes and speaks for all.
  [[nodiscard]] bool is_root() const { return rank_ == 0; }

  /// Whether any rank says yes.
  [[nodiscard]] bool any(bool yes) const {
    int mine = yes, all = 0;
    detail::check_mpi(MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_LOR, of_), "MPI_Allreduce");
    return all != 0;
  }

  /// What the root says, everywhere.
  [[nodiscard]] bool of_root(bool yes) const { return any(is_root() && yes); }

  /// The bytes of rank `from`, everywhere. Of any length, a gibibyte at a time.
  [[nodiscard]] std::vector<std::byte> broadcast(std::vector<std::byte> bytes, std::size_t from = 0) const {
    std::uint64_t length = bytes.size();
    detail::check_mpi(MPI_Bcast(&length, 1, MPI_UINT64_T, static_cast<int>(from), of_), "MPI_Bcast");
    bytes.resize(static_cast<std::size_t>(length));
    constexpr std::size_t most = std::size_t{1} << 30;
    for (std::size_t first = 0; first < bytes.size(); first += most)
      detail::check_mpi(
          MPI_Bcast(bytes.data() + first, static_cast<int>(std::min(most, bytes.size() - first)), MPI_BYTE, static_cast<int>(from), of_),
          "MPI_Bcast");
    return bytes;
  }

  /// The bytes of every rank, in order, everywhere.
  [[nodiscard]] std::vector<std::vector<std::byte>> gather(std::vector<std::byte> mine) const {
    std::vector<std::vector<std::byte>> all;
    for (std::size_t from = 0; from < size(); ++from)
      all.push_back(broadcast(from == rank() ? std::move(mine) : std::vector<std::byte>{}, from));
    return all;
  }

  /// Completes an array of which each rank has some rows: rank r those from first[r] up to first[r + 1], where first has size() + 1
  /// entries.
  template <std::size_t Rank>
  void gather_rows(view<float, Rank> rows, std::span<std::size_t const> first) const {
    std::vector<int> counts, offsets;
    for (std::size_t r = 0; r < size(); ++r) {
      counts.push_back(static_cast<int>(first[r + 1] - first[r]));
      offsets.push_back(static_cast<int>(first[r]));
    }
    detail::mpi_row const row(rows.stride());
    detail::check_mpi(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, rows.data, counts.data(), offsets.data(), row.type(), of_),
                      "MPI_Allgatherv");
  }

 private:
  MPI_Comm of_;
  int rank_ = 0, size_ = 1;
};

/// MPI, from its start to its end: one for a program, made inside the try block of main().
///
///     int main() try {
///       mpi_session const mpi;
///       communicator const world = mpi.world();
///       ...
///     } catch (pareidolia::error const& problem) {
///       std::fprintf(stderr, "%s\n", problem.what());
///       return 1;
///     }
///
/// A rank that throws ends them all: when an exception passes the session, MPI stays open until the process exits, which then aborts the
/// others; they would wait for it for ever. A rank that dies without a word is noticed by mpirun, which ends the others, too. So a run on
/// many ranks ends with an error or with its result, and a checkpoint has what it had.
/// Threads: OpenMP's may compute between calls; the thread that made the session makes all calls.
/// Errors: MPI was started before (then make a communicator of the one you have), or cannot be used beside threads.
class mpi_session {
 public:
  mpi_session() {
    int started = 0, level = 0;
    detail::check_mpi(MPI_Initialized(&started), "MPI_Initialized");
    if (started != 0) detail::fail("mpi_session: MPI has been started already; make one session, or communicator{...} of what there is");
    detail::check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level), "MPI_Init_thread");
    if (level < MPI_THREAD_FUNNELED) detail::fail("mpi_session: this MPI cannot be used beside threads; use one that was built for them");
    detail::check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    detail::check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &world_), "MPI_Comm_dup");
  }
  mpi_session(mpi_session const&) = delete;
  mpi_session& operator=(mpi_session const&) = delete;
  ~mpi_session() {
    if (std::uncaught_exceptions() > exceptions_)
      std::atexit([] { MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE); });
    else
      MPI_Finalize();  // frees what world() names, too
  }

  /// All processes that mpirun started, for this library's messages alone.
  [[nodiscard]] communicator world() const { return communicator(world_); }

 private:
  MPI_Comm world_ = MPI_COMM_NULL;
  int exceptions_ = std::uncaught_exceptions();
};

}  // namespace pareidolia
