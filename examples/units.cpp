// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Are the units of a layer special (Szegedy et al. 2013)? What they see most in, beside what random directions see most in: two pictures
// with a direction a row, and the purity of their labels.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/png.hpp>
#include <pareidolia/loaders/folder.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/pareidolia.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

using namespace pareidolia;

int main(int argc, char** argv) try {
  std::string model = "lenet5", file = PAREIDOLIA_EXAMPLE_DATA "/lenet5.safetensors";
  std::filesystem::path source, folder = "out/units";
  std::size_t rows = 12, scale = 1;
  std::uint64_t seed = 1;
  unit_directions probe{.layer = "relu1", .random = rng{seed}};
  std::map<std::string, unit_kind> const kinds{
      {"value", unit_kind::value}, {"maximum", unit_kind::channel_maximum}, {"mean", unit_kind::channel_mean}};
  CLI::App options("Shows the images that units and random directions of a layer rank highest.");
  options.add_option("images", source, "a folder with the test files of MNIST, or of PNG and JPEG files, or a list `name label`")
      ->required();
  options.add_option("--network", model, "of the zoo, by name")->capture_default_str();
  options.add_option("--weights", file, "of the network: a caffemodel or a safetensors file")->capture_default_str();
  options.add_option("--layer", probe.layer, "whose activations are looked at")->capture_default_str();
  options.add_option("--unit", probe.kind, "each value of the activation, or the maximum or mean of each channel")
      ->transform(CLI::CheckedTransformer(kinds))
      ->option_text("value|maximum|mean [value]");
  options.add_option("--directions", probe.directions, "of each basis")->capture_default_str();
  options.add_option("--top", probe.top, "images for each direction")->capture_default_str();
  options.add_option("--rows", rows, "directions in each picture")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--scale", scale, "pictures are enlarged by it")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--seed", seed, "of the random directions and the choice of units")->capture_default_str();
  options.add_option("--output", folder, "folder for the pictures")->capture_default_str();
  CLI11_PARSE(options, argc, argv);
  probe.random = rng{seed};
  probe.units = probe.directions;

  network const net{cpu_engine{}, zoo::named(model), read_weights(file)};
  auto const digits = source / "t10k-images-idx3-ubyte.gz";
  labelled_images const images =
      std::filesystem::exists(digits) ? read_mnist(digits, source / "t10k-labels-idx1-ubyte.gz") : read_images(source, net.input());
  auto const found = measure(probe, net, images);

  std::filesystem::create_directories(folder);
  auto const show = [&](char const* basis, direction_ranking const& ranking) {
    auto const picture = folder / (std::string(basis) + ".png");
    write_png(picture, as_view(contact_sheet(as_view(top_images(ranking, images, rows)), probe.top, 2, scale)));
    std::printf("%s", picture.c_str());
    auto const purity = ranking.mean_purity();
    if (!images.labels.empty())
      std::printf(": purity %.3f +- %.3f over %zu directions, %.3f by chance", purity.mean, purity.standard_error, purity.directions,
                  found.chance);
    std::printf("\n");
  };
  show("natural", found.natural);
  show("random", found.arbitrary);
} catch (error const& problem) {
  std::fprintf(stderr, "units: %s\n", problem.what());
  return 1;
}
