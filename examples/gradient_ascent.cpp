// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Climbs the probability of classes from noise: images that mean nothing and that a network is sure of (Nguyen, Yosinski & Clune 2015,
// figure 13), with the four settings of its authors and one more.
#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/class_names.hpp>
#include <pareidolia/loaders/weights.hpp>
#include <pareidolia/models/mean_image.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/optimizers/gradient_ascent.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <vector>

using namespace pareidolia;

int main(int argc, char** argv) try {
  std::map<std::string, gradient_ascent> const presets{{"unregularised", gradient_ascent::unregularised()},
                                                       {"decayed", gradient_ascent::decayed()},
                                                       {"blurred", gradient_ascent::blurred()},
                                                       {"clipped", gradient_ascent::clipped()},
                                                       {"lightly_decayed", gradient_ascent::lightly_decayed()}};
  std::string model, file, names, folder = "out/gradient_ascent", preset = "unregularised";
  std::vector<int> classes;
  std::size_t random_classes = 10, steps = 0, batch = 16;
  std::uint64_t seed = 1;
  CLI::App options("Climbs the probability of classes from noise.");
  options.add_option("network", model, "one of the zoo, by name")->required();
  options.add_option("weights", file, "its weights: a caffemodel or a safetensors file")->required();
  options.add_option("--classes", classes, "to reach, by index; otherwise random ones");
  options.add_option("--random", random_classes, "how many random classes")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--preset", preset, "settings")->check(CLI::IsMember(presets))->capture_default_str();
  options.add_option("--steps", steps, "at most; those of the preset if not given");
  options.add_option("--batch", batch, "images at a time")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--names", names, "of the classes, one a line");
  options.add_option("--seed", seed, "of all randomness")->capture_default_str();
  options.add_option("--output", folder, "folder for the report")->capture_default_str();
  CLI11_PARSE(options, argc, argv);

  graph const architecture = zoo::named(model);
  network const net{cpu_engine{}, architecture, read_weights(file)};
  prepare_report(folder);
  rng const random{seed};
  if (classes.empty()) {
    classes.resize(net.classes());
    std::iota(classes.begin(), classes.end(), 0);
    auto stream = random.fork(0).stream(0);
    shuffle(std::span(classes), stream);
    classes.resize(std::min(random_classes, classes.size()));
  }
  gradient_ascent climb = presets.at(preset);
  if (steps > 0) climb.steps = steps;

  stop_on_interrupt const stop;
  attack const dream{perturbation{l2{}}, class_probability{}, climb};
  auto const canvas = repeated(mean_image(architecture), classes);
  outcome const found = run(dream, net, canvas, random.fork(1), progress{preset}, stop, batch_size{batch}, quantized{});

  write_report(folder,
               {.title = "What " + architecture.name + " is sure to see",
                .summary = "From noise, by gradient ascent on the probability of each class, beside ten times what was added to the mean.",
                .settings = {{"preset", preset}, {"steps", std::to_string(climb.steps)}},
                .sections = {{.title = preset, .result = found, .canvas = canvas.images}},
                .class_names = names.empty() ? architecture.labels : read_class_names(names)});
  auto const sure = std::count_if(found.values.begin(), found.values.end(), [&](float p) { return p >= climb.confidence; });
  std::printf("%td of %zu classes at %.2f %%\n%s/report.html\n", sure, found.size(), 100 * static_cast<double>(climb.confidence),
              folder.c_str());
} catch (error const& problem) {
  std::fprintf(stderr, "gradient_ascent: %s\n", problem.what());
  return 1;
}
