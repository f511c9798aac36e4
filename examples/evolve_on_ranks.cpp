// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Evolves images of every class of a network on several processes: `mpirun -n 4 evolve_on_ranks lenet5 lenet5.safetensors`. They share the
// batches of one evolution, which ends with the same images on any number of ranks, or, with --islands, evolve beside each other.
#include <pareidolia/distributed/agreed.hpp>
#include <pareidolia/distributed/at_root.hpp>
#include <pareidolia/distributed/islands.hpp>
#include <pareidolia/distributed/sharded.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/checkpoint.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/any_network.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/objectives/class_probability.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>
#include <vector>

using namespace pareidolia;

int main(int argc, char** argv) try {
  std::string model, folder = "out/evolve_on_ranks", file;
  std::vector<std::string> files;
  map_elites evolution{.children = 400, .generations = 5000};
  std::size_t count = 0, every = 10, chunk = 16;
  std::uint64_t seed = 1;
  double seconds = 60;
  CLI::App options("Evolves images of every class of a network on the processes of mpirun.");
  options.add_option("network", model, "one of the zoo, or a prototxt or ONNX file")->required();
  options.add_option("weights", files, "its weights");
  options.add_option("--generations", evolution.generations, "after the random one")->capture_default_str();
  options.add_option("--children", evolution.children, "per generation, of each island")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--islands", count, "evolutions beside each other; 0: one, whose batches are shared")->capture_default_str();
  options.add_option("--every", every, "generations after which islands show each other their champions")->capture_default_str();
  options.add_option("--chunk", chunk, "images that a rank takes at a time, of batches that are shared")->capture_default_str();
  options.add_option("--seed", seed, "of all randomness")->capture_default_str();
  options.add_option("--checkpoint", file, "file that keeps the run, to be taken up by any number of ranks");
  options.add_option("--seconds", seconds, "from one checkpoint to the next")->capture_default_str();
  options.add_option("--output", folder, "folder for the report")->capture_default_str();
  CLI11_PARSE(options, argc, argv);

  mpi_session const mpi;
  communicator const world = mpi.world();
  onnx_network const read = read_any_network(model, files);
  network const net{cpu_engine{}, read.structure, read.parameters};
  if (world.is_root()) prepare_report(folder);

  stop_on_interrupt const stop;
  section found{.title = "CPPN, MAP-Elites", .result = {}};
  auto const evolve = [&](auto const& judge, auto const& optimizer, auto&&... keeper) {
    attack const dream{cppn{}, class_probability{}, optimizer};
    found.result = run(dream, judge, blank(net.input()), rng{seed}, at_root{world, progress{"evolve"}}, recorder{found.log},
                       agreed{world, stop}, keeper...);
  };
  auto const evolve_kept = [&](auto const& judge, auto const& optimizer) {
    if (file.empty())
      evolve(judge, optimizer);
    else
      evolve(judge, optimizer, at_root{world, checkpoint{file, seconds}});
  };
  if (count == 0)
    evolve_kept(sharded{net, world, chunk}, evolution);
  else
    evolve_kept(net, islands{evolution, world, count, every});

  if (!world.is_root()) return 0;
  write_report(folder, {.title = "What " + read.structure.name + " sees in nothing",
                        .settings = {{"children per generation", std::to_string(evolution.children)},
                                     {"islands", count == 0 ? "none, shared batches" : std::to_string(count)}},
                        .sections = {std::move(found)},
                        .class_names = read.structure.labels});
  std::printf("%s/report.html\n", folder.c_str());
} catch (error const& problem) {
  std::fprintf(stderr, "evolve_on_ranks: %s\n", problem.what());
  return 1;
}
