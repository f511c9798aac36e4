// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Makes a network err by pasting patches of other images, looking at its scores alone: an attack of the kind that Ouarti and Carmona (2018)
// call Deepception. Counts what it took, beside patches that are pasted blindly, and writes a report.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/any_images.hpp>
#include <pareidolia/loaders/any_network.hpp>
#include <pareidolia/loaders/class_names.hpp>
#include <pareidolia/pareidolia.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

struct settings {
  std::string model, strategy = "sampled", names, folder = "out/deepception";
  std::vector<std::string> files;
  std::vector<float> areas{.3f};
  std::size_t images = 50, donor_images = 200, queries = 1000, donors = 8, samples = 32, together = 1, batch = 64, shown = 24;
  double size = .2, stride = .1;
  float feather = 0;
  int target = -1;
  bool targeted = false, compare = false, universal = false, torchvision = false;
  std::uint64_t seed = 1;
};

settings read_options(int argc, char** argv) {
  settings s;
  CLI::App options("Makes a network err by pasting patches of other images, looking at its scores alone.");
  options.add_option("model", s.model, "a network of the zoo by name, a prototxt of one that sees colours as Caffe's do, or an ONNX file")
      ->required();
  options
      .add_option(
          "files", s.files,
          "the weights (but of ONNX) and the mean of its images, if it wants one; then images: PNG and JPEG files, folders of them, "
          "MNIST's or CIFAR-10's files")
      ->required();
  options.add_flag("--torchvision", s.torchvision, "the network is torchvision's");
  options.add_option("--images", s.images, "that are attacked, spread evenly over those there are")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.add_option("--donor-images", s.donor_images, "whose patches are pasted, at most: spread evenly over the others")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.add_flag("--targeted", s.targeted, "towards a class drawn from those of the donors, instead of away from the image's");
  options.add_option("--target", s.target, "towards this class")->check(CLI::NonNegativeNumber);
  options.add_option("--strategy", s.strategy, "how places are found")
      ->check(CLI::IsMember({"exhaustive", "sampled", "coarse", "lazy"}))
      ->capture_default_str();
  options.add_option("--samples", s.samples, "places a round that `sampled` looks at")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--area", s.areas, "share of the image that may be covered; several: one run each")
      ->check(CLI::Range(0.f, 1.f))
      ->capture_default_str();
  options.add_option("--queries", s.queries, "for each image, at most")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--donors", s.donors, "patches that one list of pasted ones is made of")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options
      .add_option("--together", s.together,
                  "looks at one image at the same time: more than 1 keeps the network busy where images are few, for some "
                  "queries more")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.add_option("--size", s.size, "of a patch, share of the image's side")->check(CLI::Range(.01, 1.))->capture_default_str();
  options.add_option("--stride", s.stride, "between places, share of the image's side")->check(CLI::Range(.001, 1.))->capture_default_str();
  options.add_option("--feather", s.feather, "pixels of a soft edge")->check(CLI::NonNegativeNumber)->capture_default_str();
  options.add_flag("--compare", s.compare, "with patches that are pasted blindly");
  options.add_flag("--universal", s.universal, "the same placements on all images");
  options.add_option("--batch", s.batch, "images at a time")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--shown", s.shown, "images in the report, at most")->check(CLI::PositiveNumber)->capture_default_str();
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

/// Every n-th of the images, in all `count`; the others are left in `rest`.
std::vector<std::size_t> spread(std::vector<std::size_t>& rest, std::size_t count) {
  std::vector<std::size_t> taken, left;
  std::size_t const n = rest.size(), wanted = std::min(count, n);
  for (std::size_t k = 0; k < n; ++k) (taken.size() < wanted && k == taken.size() * n / wanted ? taken : left).push_back(rest[k]);
  rest = std::move(left);
  return taken;
}

/// What these print as, side by side.
template <class... Ts>
std::string text(Ts const&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

std::string percent(double share) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.1f %%", 100 * share);
  return digits;
}

/// The same patches in a random order.
patches shuffled(patches const& all, rng const& random) {
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto stream = random.stream(0);
  shuffle(std::span(order), stream);
  auto images = filled<float, 4>(all.images().shape);
  copy(all.images(), as_view(images));
  std::vector<patch_window> windows;
  std::vector<int> evokes;
  for (std::size_t k : order) windows.push_back(all.windows()[k]), evokes.push_back(all.evokes()[k]);
  return patches(std::move(images), std::move(windows), std::move(evokes));
}

/// The first `most` images of an outcome.
outcome beginning(outcome const& all, std::size_t most) {
  std::size_t const n = std::min(most, all.size());
  outcome some = all;
  auto const shape = as_view(all.images).shape;
  some.images = filled<float, 4>({n, shape[1], shape[2], shape[3]});
  copy(as_view(all.images).rows(0, n), as_view(some.images));
  some.scores = filled<float, 2>({n, all.scores.shape()[1]});
  copy(as_view(all.scores).rows(0, n), as_view(some.scores));
  some.distances = filled<float, 2>({n, 4});
  copy(as_view(all.distances).rows(0, n), as_view(some.distances));
  for (auto* v : {&some.targets, &some.before, &some.labels}) v->resize(n);
  for (auto* v : {&some.forwards_spent, &some.backwards_spent}) v->resize(n);
  for (auto* v : {&some.success, &some.quantized_success}) v->resize(std::min(n, v->size()));
  some.values.resize(n);
  return some;
}

}  // namespace

int main(int argc, char** argv) try {
  settings s = read_options(argc, argv);
  auto [architecture, trained] = read_any_network(s.model, s.files, s.torchvision);
  network const net{cpu_engine{}, architecture, trained};
  image_shape const shape = net.input();
  labelled_images all{read_any_images(s.files, shape, static_cast<std::size_t>(-1)), {}};
  prepare_report(s.folder);
  std::vector<std::size_t> rest(all.size());
  std::iota(rest.begin(), rest.end(), std::size_t{0});
  labelled_images photos = selected(all, spread(rest, s.images));
  if (rest.empty()) throw error("no images are left to take patches from; give more images or a smaller --images");
  auto const donor_numbers = spread(rest, s.donor_images);
  labelled_images donor_images = selected(all, donor_numbers);
  labelled_images others = selected(all, s.universal ? spread(rest, s.images) : std::vector<std::size_t>{});
  all = blank(shape);
  others.labels = classified(net, others.images, s.batch);
  photos.labels = classified(net, photos.images, s.batch);
  donor_images.labels = classified(net, donor_images.images, s.batch);

  auto const pixels = [&](double share) {
    return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * static_cast<double>(std::min(shape[1], shape[2])))));
  };
  std::size_t const size = pixels(s.size), stride = pixels(s.stride);
  auto const donors = measure(donor_ranking{.size = size, .stride = stride, .batch = s.batch}, net, donor_images);
  std::fprintf(stderr, "%zu donor patches of %zux%zu pixels, %zu forwards to rank them\n", donors.ranked.size(), size, size,
               donors.forwards);

  rng const random{s.seed};
  patches const any = shuffled(donors.ranked, random.fork(2));
  bool const targeted = s.targeted || s.target >= 0;
  if (s.target >= static_cast<int>(net.classes())) throw error("--target is none of the network's classes");
  std::vector<int> const before = photos.labels;
  if (targeted) {
    std::set<int> const evoked(donors.ranked.evokes().begin(), donors.ranked.evokes().end());
    if (evoked.size() < 2 && s.target < 0) throw error("the donors are of one class; give --target or more images");
    for (std::size_t i = 0; i < photos.size(); ++i) {
      auto stream = random.fork(1).stream(i);
      do {
        photos.labels[i] = s.target >= 0 ? s.target : *std::next(evoked.begin(), stream.below(static_cast<std::uint32_t>(evoked.size())));
      } while (s.target < 0 && photos.labels[i] == before[i]);
    }
  }

  std::vector<std::size_t> budgets;
  for (std::size_t q : {10u, 100u, 1000u, 5000u})
    if (q < s.queries) budgets.push_back(q);
  budgets.push_back(s.queries);
  table shares{.title = targeted ? "Images that reached their class" : "Images that changed class",
               .note = "Within so many queries of the network for each image, the look at the image itself included.",
               .columns = {"placement", "area"},
               .rows = {}};
  for (std::size_t q : budgets) shares.columns.push_back(std::to_string(q) + " queries");
  for (char const* name : {"median queries", "area covered"}) shares.columns.emplace_back(name);
  report page{.title = "Deepception of " + architecture.name,
              .summary = text("Patches of ", donor_images.size(),
                              " other images, ranked by how much each evokes its class alone on the "
                              "mean colour of its image. The protocol is ours."),
              .settings = {{"strategy", s.strategy},
                           {"patch", text(size, " pixels")},
                           {"stride", text(stride, " pixels")},
                           {"donors of a list", text(s.donors)},
                           {"queries to rank donors", text(donors.forwards)},
                           {"feather", text(s.feather, " pixels")},
                           {"seed", text(s.seed)}},
              .class_names = s.names.empty() ? architecture.labels : read_class_names(s.names)};

  gallery best{.title = "The strongest donors", .note = "Where they are from, by the number of the image among those given."};
  for (std::size_t k = 0; k < std::min<std::size_t>(12, donors.ranked.size()); ++k) {
    auto const c = static_cast<std::size_t>(donors.ranked.evokes()[k]);
    picture one{.caption = text("image ", donor_numbers[donors.windows[k].image], ": ",
                                c < page.class_names.size() ? page.class_names[c] : text("class ", c), ", ",
                                percent(std::pow(10., double{donors.ranked.strength()[k]}))),
                .image = filled<float, 3>({shape[0], size, size})};
    auto const pixels_of_patch = donors.ranked.images().row(k);
    std::copy(pixels_of_patch.begin(), pixels_of_patch.end(), one.image.begin());
    best.pictures.push_back(std::move(one));
  }
  page.galleries.push_back(std::move(best));
  page.arrays = donors.arrays("donors.");

  stop_on_interrupt const stop;
  auto const try_one = [&](std::string const& name, float area, patches const& sources, auto const& how) {
    if (stop.interrupted()) return;
    std::size_t const copies =
        1 + static_cast<std::size_t>(area * static_cast<float>(shape[1] * shape[2]) / static_cast<float>(size * size));
    patch const pasted{.sources = sources, .copies = copies, .feather = s.feather, .overlap = false, .area = area};
    section found{.title = text(name, ", ", percent(area)), .result = {}, .step_name = "image", .canvas = photos.images};
    auto const go = [&](auto const& objective) {
      found.result = run(attack{pasted, objective, how}, net, photos, random, progress{found.title}, recorder{found.log}, stop,
                         batch_size{s.batch}, quantized{});
    };
    targeted ? go(towards{margin{}}) : go(margin{});

    outcome const& r = found.result;
    std::vector<std::uint32_t> spent;
    double covered = 0;
    std::size_t const plane = shape[1] * shape[2];
    for (std::size_t i = 0; i < r.size(); ++i) {
      if (r.success[i] == 0) continue;
      spent.push_back(r.forwards_spent[i]);
      auto const a = as_view(r.images).row(i);
      auto const b = as_view(photos.images).row(i);
      for (std::size_t j = 0; j < plane; ++j) {
        bool changed = false;
        for (std::size_t c = 0; c < shape[0]; ++c) changed = changed || a[c * plane + j] != b[c * plane + j];
        covered += changed;
      }
    }
    std::sort(spent.begin(), spent.end());
    std::vector<std::string> row{r.complete ? name : name + ", stopped", percent(area)};
    for (std::size_t q : budgets)
      row.push_back(percent(static_cast<double>(std::count_if(spent.begin(), spent.end(), [&](auto n) { return n <= q; })) /
                            static_cast<double>(r.size())));
    row.push_back(spent.empty() ? "-" : std::to_string(spent[spent.size() / 2]));
    row.push_back(spent.empty() ? "-" : percent(covered / static_cast<double>(spent.size() * plane)));
    std::string line;
    for (std::size_t k = 0; k < row.size(); ++k) line += (k == 0 ? "" : "  ") + shares.columns[k] + " " + row[k];
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
    shares.rows.push_back(std::move(row));
    if (others.size() > 0) {
      auto const seen = classified(net, shown(pasted, r.shared, others).images, s.batch);
      std::size_t changed = 0;
      for (std::size_t i = 0; i < seen.size(); ++i) changed += seen[i] != others.labels[i];
      std::string const share = percent(static_cast<double>(changed) / static_cast<double>(seen.size()));
      std::printf("of %zu images that it has not seen %s changed class\n", others.size(), share.c_str());
      page.settings.emplace_back(text("changed class of ", others.size(), " images not seen, ", percent(area)), share);
    }
    found.result = beginning(r, s.shown);
    found.canvas = first_images(photos, s.shown).images;
    page.sections.push_back(std::move(found));
  };
  auto const with = [&](std::string const& name, float area, auto const& strategy) {
    deepception<std::decay_t<decltype(strategy)>> const alone{
        .strategy = strategy, .queries = s.queries, .donors = s.donors, .stride = stride, .together = s.together, .batch = s.batch};
    if (!s.universal) return try_one(name, area, donors.ranked, alone);
    try_one(name + ", universal", area, donors.ranked,
            universal_deepception<std::decay_t<decltype(strategy)>>{
                .strategy = strategy, .queries = s.queries, .donors = s.donors, .stride = stride});
  };
  for (float area : s.areas) {
    if (s.strategy == "exhaustive") with(s.strategy, area, exhaustive{});
    if (s.strategy == "sampled") with(s.strategy, area, sampled{s.samples});
    if (s.strategy == "coarse") with("coarse to fine", area, coarse_to_fine{});
    if (s.strategy == "lazy") with("lazy greedy", area, lazy_greedy{});
    if (!s.compare) continue;
    std::size_t const fine = std::max<std::size_t>(1, stride / 4);
    try_one("best donor, blindly", area, donors.ranked,
            deepception<blind>{.queries = s.queries, .donors = 1, .stride = fine, .batch = s.batch});
    try_one("any donor, blindly", area, any,
            deepception<blind>{.queries = s.queries, .donors = s.donors, .stride = fine, .batch = s.batch});
  }
  page.tables.push_back(std::move(shares));
  write_report(s.folder, page);
  std::printf("%s/report.html\n", s.folder.c_str());
} catch (error const& problem) {
  std::fprintf(stderr, "deepception: %s\n", problem.what());
  return 1;
}
