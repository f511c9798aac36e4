// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Finds one small change that makes a network see something else in most images (Moosavi-Dezfooli et al. 2017), tries it on images that it
// has not seen, and writes it as a picture and a report.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/png.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/any_images.hpp>
#include <pareidolia/loaders/any_network.hpp>
#include <pareidolia/loaders/class_names.hpp>
#include <pareidolia/pareidolia.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

/// Share of images whose class is not what it was.
double fooled(std::vector<int> const& before, std::vector<int> const& after) {
  std::size_t changed = 0;
  for (std::size_t i = 0; i < before.size(); ++i) changed += before[i] != after[i];
  return static_cast<double>(changed) / static_cast<double>(std::max<std::size_t>(1, before.size()));
}

}  // namespace

int main(int argc, char** argv) try {
  std::string model, method = "ascent", names;
  std::filesystem::path folder = "out/universal";
  std::vector<std::string> files;
  std::size_t count = 200, held_out = 200, passes = 5, together = 1;
  float radius = 10;
  std::uint64_t seed = 1;
  bool torchvision = false;
  CLI::App options("Finds one small change that makes a network see something else in most images.");
  options.add_option("model", model, "a network of the zoo by name, a prototxt of one that sees colours as Caffe's do, or an ONNX file")
      ->required();
  options.add_option("files", files, "the weights (but of ONNX), then images: PNG and JPEG files, folders of them, MNIST's files")
      ->required();
  options.add_flag("--torchvision", torchvision, "the network is torchvision's");
  options.add_option("--method", method, "ascent on all images together, or the paper's algorithm, image by image")
      ->check(CLI::IsMember({"ascent", "paper"}))
      ->capture_default_str();
  options.add_option("--radius", radius, "largest change of a value, of 255")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--images", count, "to find it with")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--held-out", held_out, "to try it on, at most: those behind the first ones")->capture_default_str();
  options.add_option("--passes", passes, "over the images, at most")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--together", together, "images that the paper's algorithm moves at a time; 1 is the paper")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.add_option("--names", names, "of the classes, one a line");
  options.add_option("--seed", seed, "of all randomness")->capture_default_str();
  options.add_option("--output", folder, "folder for the report")->capture_default_str();
  CLI11_PARSE(options, argc, argv);

  auto [architecture, trained] = read_any_network(model, files, torchvision);
  network const net{cpu_engine{}, architecture, trained};
  labelled_images photos{read_any_images(files, net.input(), count + held_out), {}};
  prepare_report(folder);
  photos.labels = classified(net, photos.images);
  rng const random{seed};
  std::vector<std::size_t> order(photos.size());  // files are often sorted by class
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto stream = random.fork(1).stream(0);
  shuffle(std::span(order), stream);
  auto const split = std::min(count, order.size());
  labelled_images const some = selected(photos, std::span(order).first(split)), others = selected(photos, std::span(order).subspan(split));

  section found{.title = "the images it was found with", .result = {}, .step_name = "step", .canvas = some.images};
  stop_on_interrupt const stop;
  perturbation const ball{linf{radius / 255}};
  auto const find = [&](auto const& objective, auto const& how) {
    attack const a{ball, objective, how};
    found.result = run(a, net, some, random, progress{method}, recorder{found.log}, stop, quantized{});
  };
  if (method == "paper")
    find(misclassification{}, universal{.passes = passes, .together = together});
  else
    find(clipped{cross_entropy{}, 9.f}, universal_ascent{.epochs = passes});

  double const share = fooled(some.labels, found.result.labels);
  table rates{.title = "Images that changed class", .columns = {"images", "number", "share"}, .rows = {}};
  auto const add = [&](char const* which, std::size_t number, double of_them) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %%", 100 * of_them);
    rates.rows.push_back({which, std::to_string(number), text});
    std::printf("%-32s %6zu  %s\n", which, number, text);
  };
  add("that it was found with", some.size(), share);
  if (others.size() > 0)
    add("that it has not seen", others.size(), fooled(others.labels, classified(net, shown(ball, found.result.shared, others).images)));

  // The change itself, from black for -radius to white for +radius.
  image_shape const shape = net.input();
  auto picture = filled<float, 3>(shape);
  std::transform(found.result.shared.begin(), found.result.shared.end(), picture.begin(),
                 [&](float v) { return std::clamp(.5f + .5f * v / ball.norm.radius, 0.f, 1.f); });
  report page{.title = "One change for all images",
              .summary = "Each image before, after, and the difference, ten times.",
              .settings = {{"method", method}, {"radius", std::to_string(radius) + " / 255"}, {"passes", std::to_string(passes)}},
              .sections = {std::move(found)},
              .tables = {std::move(rates)},
              .class_names = names.empty() ? architecture.labels : read_class_names(names)};
  write_report(folder, page);
  write_png(folder / "perturbation.png", as_view(picture));
  std::printf("%s\n", (folder / "report.html").c_str());
} catch (error const& problem) {
  std::fprintf(stderr, "universal: %s\n", problem.what());
  return 1;
}
