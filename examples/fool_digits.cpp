// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Evolves images that mean nothing and that LeNet takes for digits (Nguyen, Yosinski & Clune 2015), and writes a report.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/checkpoint.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/pareidolia.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <optional>
#include <string>
#include <utility>

using namespace pareidolia;

int main(int argc, char** argv) try {
  std::string file = PAREIDOLIA_EXAMPLE_DATA "/lenet5.safetensors", encoding = "both", folder = "out/fool_digits";
  std::size_t generations = 200, children = 200;
  std::uint64_t seed = 1;
  std::optional<double> pause;
  CLI::App options("Evolves images that LeNet takes for digits.");
  options.add_option("--weights", file, "of LeNet: a caffemodel or a safetensors file")->capture_default_str();
  options.add_option("--encoding", encoding, "direct, cppn or both")
      ->check(CLI::IsMember({"direct", "cppn", "both"}))
      ->capture_default_str();
  options.add_option("--generations", generations, "after the random one")->capture_default_str();
  options.add_option("--children", children, "per generation")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--seed", seed, "of all randomness")->capture_default_str();
  options.add_option("--output", folder, "folder for the report")->capture_default_str();
  options.add_option("--checkpoint", pause, "keep the state in the output folder, this many seconds apart, and go on from what is there");
  CLI11_PARSE(options, argc, argv);

  network const lenet{cpu_engine{}, zoo::lenet5(), read_weights(file)};
  prepare_report(folder);
  report page{.title = "Digits that LeNet sees in nothing",
              .summary = "One image per class, evolved by MAP-Elites to be labelled with the highest confidence.",
              .settings = {{"children per generation", std::to_string(children)}},
              .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};

  stop_on_interrupt const stop;
  auto const evolve = [&](std::string const& name, auto const& code) {
    attack const fool{code, class_probability{}, map_elites{.children = children, .generations = generations}};
    section found{.title = name + " encoding", .result = {}};
    auto const evolved = [&](auto... keeper) {
      return run(fool, lenet, blank(lenet.input()), rng{seed}, progress{name}, recorder{found.log}, stop, keeper...);
    };
    found.result = pause ? evolved(checkpoint{folder + "/" + name + ".checkpoint", *pause}) : evolved();
    page.sections.push_back(std::move(found));
  };
  if (encoding != "cppn") evolve("direct", pixels{});
  if (encoding != "direct") evolve("cppn", cppn{});

  write_report(folder, page);
  std::printf("%s/report.html\n", folder.c_str());
} catch (error const& problem) {
  std::fprintf(stderr, "fool_digits: %s\n", problem.what());
  return 1;
}
