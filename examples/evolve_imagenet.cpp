// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Evolves an image for each of the thousand classes of a network, or of several, and writes a report: how sure the networks get, where the
// images came from, what is left without their repeated parts, and what other networks see in them (Nguyen, Yosinski & Clune 2015). A run
// that was stopped, by its time, by Ctrl-C or by anything else, goes on when the same command is given again.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/checkpoint.hpp>
#include <pareidolia/io/evolution_report.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/any_network.hpp>
#include <pareidolia/loaders/class_names.hpp>
#include <pareidolia/pareidolia.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

struct settings {
  std::vector<std::vector<std::string>> networks;
  std::string encoding = "cppn", preset = "own", names;
  std::filesystem::path folder = "out/evolve_imagenet";
  std::size_t generations = 5000, children = 64, crops = 1, climb = 0, ablated = 50;
  double minutes = 60;
  std::uint64_t seed = 1;
};

/// A preset of an encoding that others have published, or the library's own.
template <class E>
E chosen(std::string const& preset) {
  return preset == "paper" ? E::paper() : preset == "released" ? E::released_code() : E{};
}

/// A network and what was evolved for it.
struct subject_of_evolution {
  std::string name;
  network<cpu_engine> net;
  outcome found = {};
  history log = {};
};

/// Image i of an outcome.
tensor<float, 3> image_of(outcome const& found, std::size_t i) {
  auto const& s = found.images.shape();
  auto image = filled<float, 3>({s[1], s[2], s[3]});
  std::ranges::copy(as_view(found.images).row(i), image.begin());
  return image;
}

/// All images, those that convince most first.
gallery pictures_of(std::string title, outcome const& found, std::vector<std::string> const& names) {
  std::vector<std::size_t> order(found.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return found.values[i]; });
  gallery g{std::move(title), "One image for each class, those that the network is most sure of first.", {}};
  for (std::size_t const i : order) {
    char confidence[32];
    std::snprintf(confidence, sizeof confidence, ", %.2f %%", 100 * static_cast<double>(found.values[i]));
    g.pictures.push_back({(i < names.size() ? names[i] : std::to_string(i)) + confidence, image_of(found, i)});
  }
  return g;
}

/// At most so many images that the network is sure of, spread evenly over their classes, labelled with them.
labelled_images sure_ones(outcome const& found, std::size_t most) {
  std::vector<std::size_t> sure;
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found.values[i] >= .99f) sure.push_back(i);
  std::size_t const count = std::min(most, sure.size());
  auto const& shape = found.images.shape();
  labelled_images chosen{filled<float, 4>({count, shape[1], shape[2], shape[3]}), {}};
  for (std::size_t k = 0; k < count; ++k) {
    std::size_t const i = sure[k * sure.size() / count];
    std::ranges::copy(as_view(found.images).row(i), as_view(chosen.images).row(k).begin());
    chosen.labels.push_back(found.targets[i]);
  }
  return chosen;
}

/// Evolves images for one network as its judge shows them to it.
template <class M>
outcome evolve(settings const& s, M const& judge, subject_of_evolution& subject, time_limit const& time, stop_on_interrupt const& stop) {
  map_elites const search{.children = s.children, .generations = s.generations};
  auto const with = [&](auto const& code, auto const& optimizer) {
    return run(attack{code, class_probability{}, optimizer}, judge, blank(judge.input()), rng{s.seed}, progress{subject.name},
               recorder{subject.log}, time, stop, checkpoint{s.folder / (subject.name + "_" + s.encoding + ".checkpoint")});
  };
  auto const by = [&](auto const& code) {
    return s.climb == 0 ? with(code, search) : with(code, polished{.inner = search, .steps = s.climb});
  };
  return s.encoding == "direct" ? by(chosen<pixels>(s.preset)) : by(chosen<cppn>(s.preset));
}

/// Evolves images for all networks, asks each about those of the others, and reports.
template <class M>
void evolve_all(settings const& s, std::vector<M const*> const& judges, std::vector<subject_of_evolution>& subjects) {
  stop_on_interrupt const stop;
  auto const names = s.names.empty() ? subjects.front().net.structure().source.labels : read_class_names(s.names);
  report page{.title = "What networks see in nothing",
              .summary = "One image for each class, evolved by MAP-Elites to be labelled with the highest confidence.",
              .settings = {{"encoding", s.encoding},
                           {"preset", s.preset},
                           {"children per generation", std::to_string(s.children)},
                           {"steps along the gradient", std::to_string(s.climb)},
                           {"crops", std::to_string(s.crops)},
                           {"seed", std::to_string(s.seed)}},
              .class_names = names};
  std::vector<evolution> curves;
  std::vector<sample> confidences;
  std::vector<ancestry> families;
  std::vector<evolved<M>> pairs;
  std::vector<measurement<repetition_ablation::result>> ablations;
  for (std::size_t k = 0; k < subjects.size(); ++k) {
    auto& subject = subjects[k];
    time_limit const time(60 * s.minutes);
    subject.found = evolve(s, *judges[k], subject, time, stop);
    outcome const& found = subject.found;
    std::printf("%s: %zu images evaluated, %zu gradients, %.0f s, of which the network %.0f\n", subject.name.c_str(), found.forwards,
                found.backwards, found.seconds, found.model_seconds);
    curves.push_back({subject.name, subject.log, s.children});
    confidences.push_back(confidences_of(subject.name, found));
    families.push_back({subject.name, genealogy(found.births), found.births.back().generation + 1});
    pairs.push_back({subject.name, *judges[k], found});
    page.arrays.push_back({subject.name + ".confidence", {found.size()}, found.values});
    page.arrays.push_back(named(subject.name + ".scores", found.scores));
    page.galleries.push_back(pictures_of(subject.name, found, names));
    page.galleries.push_back(gallery_of(subject.name + ", lineages", families.back().family, found, 12, names));
    page.tables.push_back(lineages_of(subject.name + ", lineages", families.back().family, 12, names));
    if (auto const sure = sure_ones(found, s.ablated); sure.size() > 0 && !stop.interrupted()) {
      ablations.push_back({subject.name, measure(repetition_ablation{}, *judges[k], sure)});
      page.galleries.push_back(gallery_of(subject.name + ", without its repetitions", ablations.back().result, sure.images,
                                          std::min<std::size_t>(s.ablated, 8), names));
    }
  }
  bool const imagenet = subjects.front().net.classes() == 1000;
  auto const zones = imagenet ? std::vector{dogs_and_cats()} : std::vector<class_zone>{};
  page.charts.push_back(convergence_of("Confidence", curves, imagenet ? published_medians() : std::vector<line>{}));
  page.charts.push_back(sorted_confidences("Classes by confidence", confidences));
  page.charts.push_back(confidence_by_class("Confidence by class", confidences, zones));
  page.tables.insert(page.tables.begin(), confidence_table("Confidence", confidences, zones));
  page.tables.push_back(table_of("Lineages", families));
  if (!ablations.empty()) {
    page.charts.push_back(chart_of("Without repetitions", ablations));
    page.tables.push_back(table_of("Without repetitions", ablations));
  }
  for (chart& c : novelty_of(families)) page.charts.push_back(std::move(c));
  if (!stop.interrupted() && subjects.size() > 1) {
    auto const crossed = transfer_matrix{}.measure(std::span<evolved<M> const>(pairs));
    page.tables.push_back(table_of("Images of one network on another", crossed));
    page.galleries.push_back(gallery_of("Images of one network on another", crossed));
    for (named_array& a : crossed.arrays("transfer.")) page.arrays.push_back(std::move(a));
  }
  for (auto const& row : page.tables.front().rows)
    std::printf("%s: median %s, at 99 %% %s\n", row[0].c_str(), row[2].c_str(), row[5].c_str());
  write_report(s.folder, page);
  std::printf("%s\n", (s.folder / "report.html").c_str());
}

}  // namespace

int main(int argc, char** argv) try {
  settings s;
  CLI::App options("Evolves an image for each class of a network.");
  options
      .add_option("--network", s.networks,
                  "a network of the zoo by name, or a prototxt, then its weights, and the mean of its images if it wants one; or an ONNX "
                  "file. May be given several times, with networks of the same classes")
      ->required()
      ->take_all();
  options.add_option("--encoding", s.encoding, "cppn or direct")->check(CLI::IsMember({"cppn", "direct"}))->capture_default_str();
  options.add_option("--preset", s.preset, "of the encoding: the paper's, that of the code its authors released, or the library's own")
      ->check(CLI::IsMember({"paper", "released", "own"}))
      ->capture_default_str();
  options.add_option("--children", s.children, "per generation; the paper has 400 (cppn) and 200 (direct), smaller ones get further")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.add_option("--generations", s.generations, "after the random one")->capture_default_str();
  options.add_option("--climb", s.climb, "steps along the gradient that each child takes before it competes; 0: none, as in the paper")
      ->capture_default_str();
  options.add_option("--minutes", s.minutes, "for each network, at most; the next call goes on")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.add_option("--crops", s.crops, "1: the network sees the image; 10: it sees ten crops of an image of 256x256, as in the paper")
      ->check(CLI::IsMember({1, 10}))
      ->capture_default_str();
  options.add_option("--ablated", s.ablated, "images whose repeated parts are removed, of those that the network is sure of")
      ->capture_default_str();
  options.add_option("--names", s.names, "of the classes, one a line");
  options.add_option("--seed", s.seed, "of all randomness")->capture_default_str();
  options.add_option("--output", s.folder, "folder for the report and the states of the runs")->capture_default_str();
  CLI11_PARSE(options, argc, argv);

  std::vector<subject_of_evolution> subjects;
  for (auto files : s.networks) {
    if (files.empty()) throw error("--network names nothing; give a network and its weights");
    std::string const model = files.front();
    files.erase(files.begin());
    auto [architecture, trained] = read_any_network(model, files);
    if (!files.empty()) throw error(files.front() + ": --network takes a network, its weights and the mean of its images, no more");
    std::string name = architecture.name;
    for (auto const& other : subjects)
      if (other.name == name) name += "_" + std::to_string(subjects.size() + 1);
    subjects.push_back({std::move(name), network<cpu_engine>{cpu_engine{}, architecture, trained}});
    if (subjects.back().net.classes() != subjects.front().net.classes())
      throw error(subjects.back().name + " and " + subjects.front().name + " have different numbers of classes; run them by themselves");
  }
  prepare_report(s.folder);
  if (s.crops == 10) {
    std::vector<ten_crop<network<cpu_engine>>> crops;
    for (auto const& subject : subjects) crops.emplace_back(subject.net, 256, 256);
    std::vector<ten_crop<network<cpu_engine>> const*> judges;
    for (auto const& judge : crops) judges.push_back(&judge);
    evolve_all(s, judges, subjects);
  } else {
    std::vector<network<cpu_engine> const*> judges;
    for (auto const& subject : subjects) judges.push_back(&subject.net);
    evolve_all(s, judges, subjects);
  }
} catch (error const& problem) {
  std::fprintf(stderr, "evolve_imagenet: %s\n", problem.what());
  return 1;
}
