// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Do digits made to fool one network fool another? Trains networks on MNIST, finds the least change that makes each see a digit that was
// drawn, and shows it to all of them, beside noise: table 2 of Szegedy et al. (2013), as a report.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/pareidolia.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}
std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

/// Mean over images of sqrt(sum (x' - x)^2 / n): what the paper calls distortion.
double distortion_of(outcome const& found) {
  double sum = 0;
  for (std::size_t i = 0; i < found.size(); ++i) sum += double{found.distances(i, 2)};
  return sum / std::sqrt(static_cast<double>(as_view(found.images).stride())) / static_cast<double>(found.size());
}

/// The images with normal noise of that standard deviation, in [0, 1].
labelled_images noisy(labelled_images images, float deviation, rng const& random) {
  for (std::size_t i = 0; i < images.size(); ++i) {
    auto stream = random.stream(i);
    for (float& v : as_view(images.images).row(i)) v = std::clamp(v + deviation * stream.normal(), 0.f, 1.f);
  }
  return images;
}

struct candidate {
  std::string name;
  graph structure;
  std::vector<float> decay;  // lambda of each layer
  sgd<> training;
};

}  // namespace

int main(int argc, char** argv) try {
  std::filesystem::path data, folder = "out/szegedy";
  std::size_t count = 200, epochs = 10, kept = 60000;
  std::uint64_t seed = 1;
  CLI::App options("Shows digits made to fool one network to others.");
  options.add_option("data", data, "the folder with MNIST's four files")->required();
  options.add_option("--images", count, "test images to attack")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--epochs", epochs, "of each training")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--training-images", kept, "at most")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--seed", seed, "of all randomness")->capture_default_str();
  options.add_option("--output", folder, "folder for the report")->capture_default_str();
  CLI11_PARSE(options, argc, argv);

  auto const read = [&](char const* part) {
    std::string const name = part;
    return read_mnist(data / (name + "-images-idx3-ubyte.gz"), data / (name + "-labels-idx1-ubyte.gz"));
  };
  labelled_images const training = first_images(read("train"), kept), test = read("t10k");
  prepare_report(folder);
  rng const random{seed};
  stop_on_interrupt const stop;

  sgd<> const linear{.rate = .02f, .batch = 100, .epochs = epochs, .schedule = {.gamma = 1e-3f}};
  sgd<> const held{.rate = .005f, .batch = 100, .epochs = epochs, .schedule = {.gamma = 1e-3f}};  // the decay is a curvature of its own
  sgd<> const deep{.rate = .2f, .batch = 20, .epochs = epochs};
  std::vector<candidate> const candidates{{"FC10(1e-4)", zoo::fc10(), {1e-4f}, linear},
                                          {"FC10(1)", zoo::fc10(), {1}, held},
                                          {"FC100-100-10", zoo::fc100_100_10(), {1e-5f, 1e-5f, 1e-6f}, deep},
                                          {"FC200-200-10", zoo::fc200_200_10(), {1e-5f, 1e-5f, 1e-6f}, deep}};
  std::vector<network<cpu_engine>> networks;
  table trained{.title = "The networks",
                .note = "Decay as the paper writes it, four times: so the errors of FC10 are those of its table 1.",
                .columns = {"network", "test error", "mean least distortion"}};
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    candidate const& c = candidates[k];
    networks.emplace_back(cpu_engine{}, c.structure, xavier(c.structure, random.fork(k)));
    sgd<> how = c.training;
    how.decays = layer_decay(networks.back().structure(), c.decay);
    for (float& v : how.decays) v *= 4;  // with which the errors of FC10 are those of the paper
    auto const result = train(networks.back(), training, test, how, random.fork(100 + k), progress{c.name}, stop);
    trained.rows.push_back({c.name, percent(1 - result.accuracy), ""});
    if (!result.complete) throw error("interrupted while " + c.name + " was trained; nothing was written");
  }

  // Images that all networks have right, so that every error is the perturbation's.
  std::vector<std::size_t> right(test.size());
  std::iota(right.begin(), right.end(), std::size_t{0});
  for (auto const& net : networks) {
    auto const seen = classified(net, test.images);
    std::erase_if(right, [&](std::size_t i) { return seen[i] != test.labels[i]; });
  }
  labelled_images const digits = first_images(selected(test, right), count);
  labelled_images aimed = digits;  // each at another class, drawn
  for (std::size_t i = 0; i < aimed.size(); ++i)
    aimed.labels[i] = (aimed.labels[i] + 1 + static_cast<int>(random.fork(99).stream(i).below(9))) % 10;

  report page{
      .title = "Digits made for one network, seen by others",
      .summary = "Szegedy et al. (2013), table 2: the least change that makes a network see a digit that was drawn, and what others see.",
      .settings = {{"images", std::to_string(digits.size())}, {"epochs", std::to_string(epochs)}},
      .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
  table errors{.title = "Errors of each network (columns) on images made for another (rows)",
               .note = "All of these digits are seen right by all networks as they were.",
               .columns = {"made for"}};
  for (candidate const& c : candidates) errors.columns.push_back(c.name);
  errors.columns.push_back("distortion");
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    section found{.title = candidates[k].name, .result = {}, .step_name = "step", .canvas = digits.images};
    attack const least{perturbation{l2{}}, towards{margin{}}, lbfgs{}};
    found.result = run(least, networks[k], aimed, random.fork(200 + k), progress{candidates[k].name}, stop, quantized{});
    std::vector<std::string> row{candidates[k].name};
    for (auto const& net : networks) row.push_back(percent(measure(transfer{.all = true}, net, found.result).left));
    std::string const distortion = number(distortion_of(found.result));
    row.push_back(distortion);
    trained.rows[k].back() = distortion;
    errors.rows.push_back(std::move(row));
    page.sections.push_back(std::move(found));
  }
  for (float deviation : {.1f, .3f}) {
    auto const noise = noisy(digits, deviation, random.fork(300));
    std::vector<std::string> row{"normal noise, " + number(double{deviation})};
    for (auto const& net : networks) row.push_back(percent(1 - accuracy(net, noise)));
    row.push_back(number(double{deviation}));
    errors.rows.push_back(std::move(row));
  }
  page.tables = {std::move(trained), std::move(errors)};
  write_report(folder, page);
  auto const print = [](std::vector<std::string> const& row) {
    for (std::string const& cell : row) std::printf("%-24s", cell.c_str());
    std::printf("\n");
  };
  for (table const& t : page.tables) {
    print(t.columns);
    for (auto const& row : t.rows) print(row);
  }
  std::printf("%s\n", (folder / "report.html").c_str());
} catch (error const& problem) {
  std::fprintf(stderr, "szegedy: %s\n", problem.what());
  return 1;
}
