// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Trains LeNet on MNIST and writes its weights. The weights in examples/data were made by: train_lenet --seed 1 --epochs 10
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/loaders/safetensors.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/training.hpp>
#include <pareidolia/models/zoo.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

using namespace pareidolia;

int main(int argc, char** argv) try {
  std::filesystem::path folder;
  std::string output = "lenet5.safetensors";
  std::uint64_t seed = 1;
  sgd how;
  CLI::App options("Trains LeNet on MNIST.");
  options.add_option("mnist", folder, "folder with the four .gz files of MNIST")->required()->check(CLI::ExistingDirectory);
  options.add_option("--seed", seed, "of the first weights and the order of the images")->capture_default_str();
  options.add_option("--epochs", how.epochs, "passes over the 60,000 images")->capture_default_str();
  options.add_option("--output", output, "safetensors file")->capture_default_str();
  CLI11_PARSE(options, argc, argv);

  auto const digits = read_mnist(folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz");
  auto const held_out = read_mnist(folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz");
  rng const random{seed};
  network lenet{cpu_engine{}, zoo::lenet5(), xavier(zoo::lenet5(), random.fork(0))};

  stop_on_interrupt const stop;
  auto const result = train(lenet, digits, held_out, how, random.fork(1), progress{"training"}, stop);

  weights trained = lenet.to_weights();
  trained.metadata["command"] = "train_lenet --seed " + std::to_string(seed) + " --epochs " + std::to_string(how.epochs);
  trained.metadata["seed"] = std::to_string(seed);
  trained.metadata["steps"] = std::to_string(result.steps);
  trained.metadata["accuracy"] = std::to_string(result.accuracy);
  write_safetensors(output, trained);
  std::printf("%s: %.2f %% of the test images, %zu steps in %.1f s\n", output.c_str(), 100 * result.accuracy, result.steps, result.seconds);
} catch (error const& problem) {
  std::fprintf(stderr, "train_lenet: %s\n", problem.what());
  return 1;
}
