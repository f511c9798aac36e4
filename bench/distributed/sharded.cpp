// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// A batch of 64 images, scores and gradients, by this rank alone and by all that mpiexec started (`mpiexec -n 2
// bench.distributed.sharded`). Counter `efficiency`: images per second on R ranks, over R times those of one that works while the others do
// the same. Beside it what the ranks wait for: rows of scores, and images, that each gets from all.
//
// For more ranks: T(R) = ceil(C / R) / C T(1) + T_gather(R), C chunks. T_gather grows with the bytes, which each rank gets from all others
// whatever their number: efficiency(R) = 1 / (R ceil(C / R) / C + R T_gather / T(1)).
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/distributed/sharded.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

using namespace pareidolia;

namespace {

constexpr std::size_t count = 64;

// Seconds of a call that all ranks begin together.
template <class Body>
double seconds(communicator const& world, Body const& body) {
  static_cast<void>(world.any(false));
  auto const begin = std::chrono::steady_clock::now();
  body();
  static_cast<void>(world.any(false));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void shared(benchmark::State& state, communicator const& world, graph const& g, bool gradients) {
  network const net{cpu_engine{}, g, xavier(g, rng{1})};
  sharded const one{net, communicator(MPI_COMM_SELF), 8}, all{net, world, 8};
  auto const x = filled<float, 4>({count, g.input[0], g.input[1], g.input[2]}, 0.5f);
  auto y = filled<float, 2>({count, net.classes()});
  auto dx = x;
  auto alone = one.prepare(count), together = all.prepare(count);
  auto const pass = [&](auto const& model, auto& w) {
    model.forward(as_view(x), as_view(y), w);
    if (gradients) model.backward(as_view(y), as_view(dx), w);
  };
  pass(one, alone), pass(all, together);  // plans are made
  double by_one = 0, by_all = 0;
  for (auto _ : state) {
    by_one += seconds(world, [&] { pass(one, alone); });
    double const spent = seconds(world, [&] { pass(all, together); });
    by_all += spent;
    state.SetIterationTime(spent);
  }
  state.counters["ranks"] = static_cast<double>(world.size());
  state.counters["images/s"] = static_cast<double>(state.iterations()) * static_cast<double>(count) / by_all;
  state.counters["efficiency"] = by_one / by_all / static_cast<double>(world.size());
}

void gathered(benchmark::State& state, communicator const& world, std::size_t numbers) {
  std::vector<std::size_t> first;
  for (std::size_t r = 0; r <= world.size(); ++r) first.push_back(r * count / world.size());
  auto rows = filled<float, 2>({count, numbers});
  for (auto _ : state) state.SetIterationTime(seconds(world, [&] { world.gather_rows(as_view(rows), first); }));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(count * numbers * sizeof(float)));
}

// What the other ranks say.
struct silent : benchmark::BenchmarkReporter {
  bool ReportContext(Context const&) override { return true; }
  void ReportRuns(std::vector<Run> const&) override {}
};

}  // namespace

int main(int argc, char** argv) try {
  mpi_session const mpi;
  communicator const world = mpi.world();
  auto const add = [&](char const* name, auto const& body, auto const&... arguments) {
    // As many times on each rank, whatever its clock says.
    benchmark::RegisterBenchmark(name, body, world, arguments...)->UseManualTime()->Iterations(10)->Unit(benchmark::kMillisecond);
  };
  add("sharded/lenet/forward", shared, zoo::lenet5(), false);
  add("sharded/lenet/gradients", shared, zoo::lenet5(), true);
  add("sharded/squeezenet_1_1/forward", shared, zoo::squeezenet_1_1(), false);
  add("sharded/squeezenet_1_1/gradients", shared, zoo::squeezenet_1_1(), true);
  add("gather_rows/1000_scores", gathered, std::size_t{1000});
  add("gather_rows/images_227x227", gathered, std::size_t{3 * 227 * 227});
  benchmark::Initialize(&argc, argv);
  silent nobody;
  if (world.is_root())
    benchmark::RunSpecifiedBenchmarks();
  else
    benchmark::RunSpecifiedBenchmarks(&nobody);
} catch (error const& problem) {
  std::fprintf(stderr, "%s\n", problem.what());
  return 1;
}
