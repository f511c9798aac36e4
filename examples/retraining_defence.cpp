// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Trains LeNet on MNIST, evolves images that mean nothing and that it takes for digits, trains another one that has them as a class of
// their own, and so on (Nguyen, Yosinski & Clune 2015, section 3.6): does it help? Writes a report, beside what they found.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/checkpoint.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/io/retraining_report.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/models/extended.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/retraining.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/pareidolia.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

using namespace pareidolia;

namespace {

// Median confidence of the images evolved against DNN1 to DNN15: their figure 11.
constexpr double published[] = {.9999, .9742, .9983, .7252, .9755, .9968, .7613, .9996, .9951, .9948, .9862, .9997, .9993, .9915, .9915};

// LeNet with weights to begin with: ten digits, and from the second round on what fools.
network<cpu_engine> untrained(std::size_t round, rng const& random) {
  extended_network net{zoo::lenet5(), xavier(zoo::lenet5(), random.fork(0))};
  if (round > 0) net = extended(net.structure, net.parameters, random.fork(1));
  return {cpu_engine{}, net.structure, net.parameters};
}

}  // namespace

int main(int argc, char** argv) try {
  std::filesystem::path mnist;
  std::string folder = "out/retraining_defence", state;
  retraining<> how{.rounds = 5};
  map_elites evolution;
  std::size_t most = 60'000;
  std::uint64_t seed = 1;
  CLI::App options("Trains networks on what fooled those before them, and fools them.");
  options.add_option("mnist", mnist, "folder with the four .gz files of MNIST")->required()->check(CLI::ExistingDirectory);
  options.add_option("--images", most, "of the digits to train on")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--rounds", how.rounds, "networks; the paper has 15")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--runs", how.runs, "evolutions against each")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--generations", evolution.generations, "of each, after the random one")->capture_default_str();
  options.add_option("--children", evolution.children, "per generation")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--epochs", how.training.epochs, "of each training")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--first-added", how.first_added, "fooling images for the second network")->capture_default_str();
  options.add_option("--added", how.added, "fooling images more for each later one")->capture_default_str();
  options.add_option("--seed", seed, "of all randomness")->capture_default_str();
  options.add_option("--checkpoint", state, "file to keep the state in, and to go on from")->default_str("state.ckpt in the output folder");
  options.add_option("--output", folder, "folder for the report")->capture_default_str();
  CLI11_PARSE(options, argc, argv);

  auto const digits = first_images(read_mnist(mnist / "train-images-idx3-ubyte.gz", mnist / "train-labels-idx1-ubyte.gz"), most);
  auto const held_out = read_mnist(mnist / "t10k-images-idx3-ubyte.gz", mnist / "t10k-labels-idx1-ubyte.gz");
  prepare_report(folder);
  attack const fool{cppn::paper(), class_probability{}, evolution};
  stop_on_interrupt const stop;
  auto const rounds = retrain(untrained, fool, digits, held_out, how, rng{seed}, progress{"retraining"}, stop,
                              checkpoint{state.empty() ? folder + "/state.ckpt" : state});

  report const page{.title = "Does it help to train on what fools?",
                    .summary = "Each network has learned the images evolved against those before it as a class of their own.",
                    .settings = {{"evolutions against each network", std::to_string(how.runs)},
                                 {"generations", std::to_string(evolution.generations)},
                                 {"children per generation", std::to_string(evolution.children)},
                                 {"epochs", std::to_string(how.training.epochs)},
                                 {"fooling images at first", std::to_string(how.first_added)},
                                 {"fooling images later", std::to_string(how.added)}},
                    .tables = {table_of("Networks", rounds, published)},
                    .charts = {chart_of("Confidence", rounds, published)},
                    .galleries = {gallery_of("Images that fool", rounds)},
                    .arrays = arrays_of(rounds)};
  write_report(folder, page);
  std::printf("%s/report.html\n", folder.c_str());
} catch (error const& problem) {
  std::fprintf(stderr, "retraining_defence: %s\n", problem.what());
  return 1;
}
