// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Changes images a little, so that a network sees something else, by any of the methods for it, and writes a report: before, after, and ten
// times the difference.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/any_images.hpp>
#include <pareidolia/loaders/any_network.hpp>
#include <pareidolia/loaders/class_names.hpp>
#include <pareidolia/pareidolia.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

struct settings {
  std::string model, method = "pgd", norm = "linf", names, folder = "out/adversarial";
  std::vector<std::string> files;
  float radius = 0, rate = 0;
  std::size_t steps = 40, most = 1000, batch = 64;
  int target = -1;
  std::uint64_t seed = 1;
  bool torchvision = false;
};

settings read_options(int argc, char** argv) {
  settings s;
  CLI::App options("Changes images a little, so that a network sees something else.");
  options.add_option("model", s.model, "a network of the zoo by name, a prototxt of one that sees colours as Caffe's do, or an ONNX file")
      ->required();
  options.add_option("files", s.files, "the weights (but of ONNX), then images: PNG and JPEG files, folders of them, MNIST's files")
      ->required();
  options.add_flag("--torchvision", s.torchvision, "the network is torchvision's");
  options.add_option("--method", s.method)
      ->check(CLI::IsMember({"fgsm", "pgd", "apgd", "deepfool", "ddn", "cw", "lbfgs"}))
      ->capture_default_str();
  options.add_option("--norm", s.norm, "in which the change is small")
      ->check(CLI::IsMember({"linf", "l2", "l1", "l0"}))
      ->capture_default_str();
  options
      .add_option("--radius", s.radius,
                  "most of it, for fgsm, pgd and apgd: 8/255 for linf, 3 for l2, 40 for l1 and 100 pixels for l0 if not given")
      ->check(CLI::PositiveNumber);
  options.add_option("--rate", s.rate, "length of a step; 2.5 radius / steps if not given")->check(CLI::PositiveNumber);
  options.add_option("--steps", s.steps)->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--target", s.target, "the class to reach; without it any class will do that is not the image's")
      ->check(CLI::NonNegativeNumber);
  options.add_option("--images", s.most, "at most")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--batch", s.batch, "images at a time")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--names", s.names, "of the classes, one a line");
  options.add_option("--seed", s.seed, "of all randomness")->capture_default_str();
  options.add_option("--output", s.folder, "folder for the report")->capture_default_str();
  try {
    options.parse(argc, argv);
  } catch (CLI::ParseError const& problem) {
    std::exit(options.exit(problem));
  }
  return s;
}

}  // namespace

int main(int argc, char** argv) try {
  settings s = read_options(argc, argv);
  auto [architecture, trained] = read_any_network(s.model, s.files, s.torchvision);
  network const net{cpu_engine{}, architecture, trained};
  labelled_images photos{read_any_images(s.files, net.input(), s.most), {}};
  bool const euclidean = s.method == "ddn" || s.method == "cw" || s.method == "lbfgs";
  if (euclidean && s.norm != "l2") throw error(s.method + " knows one norm; give --norm l2");
  if (s.method == "deepfool" && s.norm == "l0") throw error("deepfool knows no borders in l0; give another norm");
  prepare_report(s.folder);
  if (s.target >= static_cast<int>(net.classes())) throw error("--target is none of the network's classes");
  photos.labels = s.target < 0 ? classified(net, photos.images, s.batch) : std::vector<int>(photos.size(), s.target);

  section found{.title = s.method + ", " + s.norm, .result = {}, .step_name = "step", .canvas = photos.images};
  stop_on_interrupt const stop;
  auto const attack_with = [&](auto const& norm, auto const& objective, auto const& how) {
    attack const a{perturbation{norm}, objective, how};
    found.result = run(a, net, photos, rng{s.seed}, progress{s.method}, recorder{found.log}, stop, batch_size{s.batch}, quantized{});
  };
  // Within a ball, or the nearest there is.
  auto const in_ball = [&](auto const& ball, auto const& objective) {
    if (s.method == "fgsm") attack_with(ball, objective, fgsm{});
    if (s.method == "pgd") attack_with(ball, objective, pgd{.rate = s.rate, .steps = s.steps});
    if (s.method == "apgd") attack_with(ball, objective, apgd{.steps = s.steps});
  };
  auto const nearest = [&](auto const& norm, auto const& objective) {
    if (s.method == "deepfool") attack_with(norm, objective, deepfool{});
  };
  auto const with_norm = [&](auto const& objective) {
    auto const radius = [&](float usual) { return s.radius > 0 ? s.radius : usual; };
    if (s.norm == "linf") in_ball(linf{radius(8 / 255.f)}, objective), nearest(linf{}, objective);
    if (s.norm == "l2") in_ball(l2{radius(3)}, objective), nearest(l2{}, objective);
    if (s.norm == "l1") in_ball(l1{radius(40)}, objective), nearest(l1{}, objective);
    if (s.norm == "l0") in_ball(l0{radius(100)}, objective);
    if (s.method == "ddn") attack_with(l2{}, objective, decoupled_norm{.steps = s.steps});
  };
  auto const by_margin = [&](auto const& objective) {
    if (s.method == "cw") attack_with(l2{}, objective, carlini_wagner{});
    if (s.method == "lbfgs") attack_with(l2{}, objective, lbfgs{});
  };
  if (s.target < 0)
    with_norm(cross_entropy{}), by_margin(margin{});
  else
    with_norm(towards{cross_entropy{}}), by_margin(towards{margin{}});

  report page{.title = "What " + architecture.name + " no longer sees",
              .summary = "Each image before, after, and the difference, ten times.",
              .settings = {{"method", s.method}, {"norm", s.norm}, {"steps", std::to_string(s.steps)}},
              .sections = {std::move(found)},
              .class_names = s.names.empty() ? architecture.labels : read_class_names(s.names)};
  write_report(s.folder, page);
  std::printf("%s/report.html\n", s.folder.c_str());
} catch (error const& problem) {
  std::fprintf(stderr, "adversarial: %s\n", problem.what());
  return 1;
}
