// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// The geometry of a network's classification regions, after Fawzi, Moosavi-Dezfooli, Frossard and Soatto (2018): are they connected and
// convex, how far and how flat are their boundaries, in which directions are these curved, do images share such directions, and does the
// curvature tell images that were perturbed? Writes a report with a sentence on each claim of the paper.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/curvature_report.hpp>
#include <pareidolia/io/detector_report.hpp>
#include <pareidolia/io/model_table.hpp>
#include <pareidolia/io/region_report.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/any_images.hpp>
#include <pareidolia/loaders/any_network.hpp>
#include <pareidolia/loaders/class_names.hpp>
#include <pareidolia/pareidolia.hpp>
#include <pareidolia/probes/principal_curvatures.hpp>
#include <pareidolia/probes/shared_curvature.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

constexpr std::array part_names{"paths", "convexity", "flatness", "curvature", "shared", "detector"};

struct settings {
  std::string model, names, folder = "out/region_geometry";
  std::vector<std::string> files, parts{part_names.begin(), part_names.end()};
  std::size_t images = 200, pairs = 100, directions = 50, extremes = 10, curved = 20, adaptive = 20, batch = 64;
  double step = .02, radius = 0, universal = 0;
  std::uint64_t seed = 1;
  bool torchvision = false;
};

settings read_options(int argc, char** argv) {
  settings s;
  CLI::App options("Measures the geometry of a network's classification regions.");
  options.add_option("model", s.model, "a network of the zoo by name, a prototxt of one that sees colours as Caffe's do, or an ONNX file")
      ->required();
  options
      .add_option("files", s.files,
                  "the weights (but of ONNX), then images: PNG and JPEG files, folders of them, MNIST's or CIFAR-10's files")
      ->required();
  options.add_flag("--torchvision", s.torchvision, "the network is torchvision's");
  options.add_option("--parts", s.parts, "what is measured: paths, convexity, flatness, curvature, shared, detector; all if not given")
      ->check(CLI::IsMember(part_names));
  options.add_option("--images", s.images, "that are measured, spread evenly over those there are")
      ->check(CLI::Range(std::size_t{4}, std::size_t{1000000}))
      ->capture_default_str();
  options.add_option("--pairs", s.pairs, "of images between which a path is sought, of each kind")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.add_option("--directions", s.directions, "random ones in which a curvature is measured, for each image")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.add_option("--curved", s.curved, "images whose principal curvatures are found, and as many to find shared directions with")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options
      .add_option("--extremes", s.extremes,
                  "of these curvatures, the largest and as many smallest; also the dimension of the shared subspace")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.add_option("--adaptive", s.adaptive, "images on which an attack knows the detector; 0: none")->capture_default_str();
  options.add_option("--step", s.step, "over which gradients are compared: root mean square change of a value")
      ->check(CLI::Range(1e-5, 1.))
      ->capture_default_str();
  options.add_option("--radius", s.radius, "of PGD, in linf; .15 for grey images and 4/255 for colours, if not given")
      ->check(CLI::PositiveNumber);
  options.add_option("--universal", s.universal, "radius of the universal perturbation, in linf; .2 and 10/255, if not given")
      ->check(CLI::PositiveNumber);
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

/// What these print as, side by side.
template <class... Ts>
std::string text(Ts const&... parts) {
  std::ostringstream out;
  out.precision(3);
  (out << ... << parts);
  return out.str();
}

std::string percent(double share) { return text(std::round(1000 * share) / 10, " %"); }

/// Every second image, from the first or the second on.
labelled_images half(labelled_images const& images, std::size_t first) {
  std::vector<std::size_t> which;
  for (std::size_t i = first; i < images.size(); i += 2) which.push_back(i);
  return selected(images, which);
}

/// Rows of differences between two sets of images.
tensor<float, 2> differences(tensor<float, 4> const& a, tensor<float, 4> const& b) {
  auto rows = filled<float, 2>({a.shape()[0], a.size() / a.shape()[0]});
  std::transform(a.begin(), a.end(), b.begin(), rows.begin(), std::minus<>{});
  return rows;
}

enum class finding { not_seen, in_part, seen };

class study {
 public:
  study(settings const& s, std::string model, network<cpu_engine> const& net, labelled_images const& photos, std::vector<std::string> names)
      : s_(s),
        model_(std::move(model)),
        net_(net),
        photos_(photos),
        train_(half(photos, 0)),
        test_(half(photos, 1)),
        random_(s.seed),
        claims_{.title = "What the paper says",
                .note = "Whether it is seen here, by figures of ours: the paper's own are not known to us.",
                .columns = {"claim", "measured", "finding"}} {
    page_.class_names = std::move(names);
  }

  /// Measures one part. An interruption loses that part alone.
  void measure_part(std::string const& part) {
    std::fprintf(stderr, "%s\n", part.c_str());
    if (part == "paths") paths();
    if (part == "convexity") convexity();
    if (part == "flatness") flatness();
    if (part == "curvature") curvature();
    if (part == "shared") shared();
    if (part == "detector") detector();
  }

  [[nodiscard]] report finish(bool complete) {
    page_.title = "The regions of " + model_;
    page_.summary =
        "After Fawzi, Moosavi-Dezfooli, Frossard and Soatto (2018). Classes are those that the network sees; perturbations and paths "
        "may leave [0, 1], but those of the detector. Curvatures are positive where a boundary bends around the image.";
    if (!complete) page_.summary += " Interrupted: some parts are missing.";
    page_.settings = {{"images", std::to_string(photos_.size())},
                      {"pairs", std::to_string(s_.pairs)},
                      {"random directions", std::to_string(s_.directions)},
                      {"step", text(s_.step)},
                      {"seed", std::to_string(s_.seed)}};
    page_.tables.insert(page_.tables.begin(), std::move(claims_));
    page_.tables.push_back(std::move(costs_));
    return std::move(page_);
  }

 private:
  void claim(std::string what, std::string measured, finding f) {
    std::string const name = f == finding::seen ? "seen" : f == finding::in_part ? "seen in part" : "not seen";
    std::printf("%s: %s: %s.\n", what.c_str(), measured.c_str(), name.c_str());
    std::fflush(stdout);  // what is known may be wanted while the rest is measured
    claims_.rows.push_back({std::move(what), std::move(measured), name});
  }
  /// Seen from `enough` on, in part from `some` on.
  static finding graded(double value, double some, double enough) {
    return value >= enough ? finding::seen : value >= some ? finding::in_part : finding::not_seen;
  }

  void add(std::vector<named_array> arrays) { std::move(arrays.begin(), arrays.end(), std::back_inserter(page_.arrays)); }
  void add(std::string const& what, cost const& c) {
    costs_.rows.push_back({what, std::to_string(c.forwards), std::to_string(c.backwards), text(c.seconds), percent(c.share_of_model())});
  }

  /// A measurement, noted.
  template <class P>
  auto noted(std::string const& what, P const& probe, labelled_images const& images) {
    auto found = measure(probe, net_, images);
    add(what, found.spent);
    if constexpr (requires { found.arrays(what); }) add(found.arrays(what + "."));
    return found;
  }

  void paths() {
    std::vector<measurement<region_path::result>> all;
    std::array const kinds{std::pair{path_partner::same_class, "two images"},
                           std::pair{path_partner::perturbed, "image and perturbed image"},
                           std::pair{path_partner::noise, "image and perturbed noise"}};
    double least = 1, straightness = 1;
    std::string measured;
    for (auto const& [to, name] : kinds) {
      all.push_back({name, noted(text("paths, ", name),
                                 region_path{.random = random_.fork(1), .to = to, .pairs = s_.pairs, .batch = s_.batch}, photos_)});
      auto const& found = all.back().result;
      least = std::min(least, found.share_connected());
      straightness = std::max(straightness, found.mean_straightness());
      measured += text(measured.empty() ? "" : "; ", name, ": ", percent(found.share_connected()), " of ", found.paths.size());
      page_.galleries.push_back(gallery_of(text("Paths, ", name), found, net_.input(), 4, page_.class_names));
    }
    page_.tables.push_back(table_of("Paths", all));
    page_.charts.push_back(chart_of("Paths", all));
    claim("Regions are connected: there is a path between any two images of a class", measured + " are connected", graded(least, .9, 1));
    claim("The paths are almost straight",
          text("on average they are longer than the straight line by ", straightness - 1, " of its length, at most"),
          graded(-straightness, -1.1, -1.01));
  }

  void convexity() {
    std::vector<measurement<region_convexity::result>> const all{
        {model_,
         noted("convexity", region_convexity{.random = random_.fork(2), .images_together = together(), .batch = s_.batch}, photos_)}};
    page_.charts.push_back(chart_of("Convexity", all));
    auto const& entries = all.front().result.entries;
    claim("Regions need not be convex",
          text(percent(entries.front().share), " of the combinations of ", entries.front().k, " images and ", percent(entries.back().share),
               " of those of ", entries.back().k, " are in their region"),
          entries.back().share + 3 * entries.back().standard_error < 1 ? finding::seen : finding::not_seen);
  }

  /// How many images are combined: as many as some class has.
  [[nodiscard]] std::vector<std::size_t> together() const {
    std::vector<std::size_t> members(net_.classes()), counts;
    for (int const k : photos_.labels) ++members[static_cast<std::size_t>(k)];
    for (std::size_t const k : {2u, 3u, 5u, 10u})
      if (k <= std::ranges::max(members)) counts.push_back(k);
    if (counts.empty()) throw error("convexity: no class is seen in two of the images; give more --images, or leave the part out");
    return counts;
  }

  void flatness() {
    std::size_t const d = length();
    std::vector<std::size_t> dimensions;
    for (std::size_t m = 10; m < d; m *= 4) dimensions.push_back(m);
    std::vector<measurement<boundary_flatness::result>> const all{
        {model_, noted("flatness", boundary_flatness{.random = random_.fork(3), .dimensions = dimensions, .batch = s_.batch}, test_)}};
    page_.charts.push_back(chart_of("Flatness", all));
    auto const& found = all.front().result;
    std::string measured = "distance in random subspaces over that of a flat boundary, median:";
    double worst = 1;
    for (std::size_t k = 0; k < dimensions.size(); ++k) {
      double const ratio = found.quantile(k, .5);
      measured += text(k == 0 ? " " : ", ", ratio, " (m = ", dimensions[k], ")");
      if (dimensions[k] >= 100) worst = std::abs(ratio - 1) > std::abs(worst - 1) ? ratio : worst;
    }
    claim("Seen from images, boundaries are nearly flat in random subspaces", measured, graded(-std::abs(worst - 1), -.3, -.1));
  }

  [[nodiscard]] std::size_t length() const {
    image_shape const shape = net_.input();
    return shape[0] * shape[1] * shape[2];
  }

  void curvature() {
    std::vector<measurement<boundary_curvature::result>> const means{
        {model_, noted("curvature",
                       boundary_curvature{
                           .random = random_.fork(4), .directions = s_.directions, .step = static_cast<float>(s_.step), .batch = s_.batch},
                       test_)}};
    page_.charts.push_back(chart_of("Mean curvature", means));
    bool const all_of_them = length() <= most_for_spectra;
    std::vector<measurement<principal_curvatures::result>> const principal{
        {model_, noted("principal curvatures", curvatures(all_of_them ? curvature_extent::spectrum : curvature_extent::extremes),
                       first_images(test_, s_.curved))}};
    auto const& found = principal.front().result;
    page_.charts.push_back(chart_of("Principal curvatures", principal));
    page_.galleries.push_back(gallery_of("Principal directions", found, first_images(test_, s_.curved), 4));
    page_.tables.push_back(table_of("Curvature", means));
    page_.tables.push_back(table_of("Principal curvatures", principal));

    auto const profile = found.mean_profile();
    double const largest = std::max(std::abs(profile.front()), std::abs(profile.back()));
    double squares = 0;  // of the curvatures in random directions
    std::size_t counted = 0;
    for (double const kappa : means.front().result.random)
      if (std::isfinite(kappa)) squares += kappa * kappa, ++counted;
    double const typical = std::sqrt(squares / static_cast<double>(std::max<std::size_t>(1, counted)));
    if (all_of_them) {
      auto const flat = static_cast<double>(std::ranges::count_if(profile, [&](double k) { return std::abs(k) < .1 * largest; }));
      double const share = flat / static_cast<double>(profile.size());
      claim("Boundaries are flat in most directions, curved in few",
            text(percent(share), " of the principal curvatures of the mean profile are below a tenth of the largest, which is ", largest),
            graded(share, .7, .9));
    } else {
      claim("Boundaries are flat in most directions, curved in few",
            text("the largest curvature is ", largest, ", that of random directions ", typical, " (root mean square)"),
            graded(largest / typical, 3, 10));
    }
    if (!all_of_them) return;  // of the extremes alone half are of either sign
    double const negative = found.share_negative();
    claim("Curvatures are asymmetric: large ones have mostly one sign",
          text(percent(negative),
               " of those above a tenth of the largest are negative, where the boundary bends away from the image; the largest is ",
               profile.front(), ", the least ", profile.back()),
          graded(std::max(negative, 1 - negative), .6, .8));
  }

  static constexpr std::size_t most_for_spectra = 4000;  // values of an image: two matrices of 128 MB

  [[nodiscard]] principal_curvatures curvatures(curvature_extent extent) const {
    return {.extent = extent, .extremes = s_.extremes, .step = static_cast<float>(s_.step), .batch = s_.batch};
  }

  void shared() {
    auto const found =
        noted("shared curvature",
              shared_curvature{.random = random_.fork(5), .curvatures = curvatures(curvature_extent::extremes), .dimensions = s_.extremes},
              first_images(train_, s_.curved));
    auto const unseen = first_images(test_, s_.curved);
    auto const ratio_of = [&](char const* name, tensor<float, 2> const& directions) {
      return measurement<curvature_ratio::result>{name, noted(text("curvature ratio, ", name),
                                                              curvature_ratio{.random = random_.fork(6),
                                                                              .given = directions,
                                                                              .directions = s_.directions,
                                                                              .step = static_cast<float>(s_.step),
                                                                              .batch = s_.batch},
                                                              unseen)};
    };
    std::vector const ratios{ratio_of("curved", found.curved), ratio_of("flat", found.flat)};
    page_.charts.push_back(chart_of("Curvature of unseen images along shared directions", ratios));
    page_.galleries.push_back(gallery_of("Shared directions", found.curved, net_.input(), s_.extremes));

    auto const near = noted("nearest boundary", nearest_boundary{.batch = s_.batch}, test_).points;
    double const distance = median(near.distances);
    std::vector<double> norms;
    for (double factor = .5; factor < 200; factor *= 2) norms.push_back(factor * distance);
    auto const noise_in = [&](char const* name, tensor<float, 2> const& subspace) {
      return measurement<subspace_noise::result>{
          name,
          noted(text("noise, ", name),
                subspace_noise{.random = random_.fork(7), .subspace = subspace, .norms = norms, .draws = 5, .batch = s_.batch}, test_)};
    };
    std::vector const noises{noise_in("curved", found.curved), noise_in("flat", found.flat),
                             noise_in("all directions", filled<float, 2>({0, 0}))};
    page_.charts.push_back(chart_of("Noise in subspaces", noises));

    table inside{.title = "Share of perturbations inside the shared curved subspace",
                 .note = text("||P r|| / ||r||, median over images; a random perturbation has ",
                              std::sqrt(static_cast<double>(s_.extremes) / static_cast<double>(length())), "."),
                 .columns = {"perturbation", "curved", "flat"}};
    for (auto const& set : perturbed()) {
      auto const r = differences(set.images.images, selected(test_, set.who).images);
      inside.rows.push_back(
          {set.name, text(median(share_inside(found.curved, as_view(r)))), text(median(share_inside(found.flat, as_view(r))))});
    }
    page_.tables.push_back(std::move(inside));

    double const curved = ratios[0].result.median().front(), flat = median(ratios[1].result.median());
    claim("Curved directions are shared by images",
          text("on unseen images the curvature along the first shared direction is ", curved,
               " times that of random ones, median; along flat ones ", flat, " times"),
          graded(curved, 2, 5));
    auto const& in_curved = noises[0].result.share;
    auto const& anywhere = noises[2].result.share;
    std::size_t at = 0;
    for (std::size_t k = 0; k < norms.size(); ++k)
      if (in_curved[k] - anywhere[k] > in_curved[at] - anywhere[at]) at = k;
    claim("Networks are sensitive to noise in these directions",
          text("noise of norm ", norms[at], " changes ", percent(in_curved[at]), " of the classes in the curved subspace, ",
               percent(noises[1].result.share[at]), " in a flat one, ", percent(anywhere[at]), " in all directions"),
          graded(in_curved[at] - anywhere[at], .1, .3));
  }

  static double median(std::vector<double> v) {
    if (v.empty()) return 0;
    std::ranges::nth_element(v, v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2));
    return v[v.size() / 2];
  }

  /// Images whose class a perturbation has changed, of which of the test images, with the class there was.
  struct changed_images {
    std::string name;
    labelled_images images;
    std::vector<std::size_t> who;
  };

  [[nodiscard]] changed_images changed(std::string name, tensor<float, 4> const& images) const {
    auto const seen = classified(net_, images, s_.batch);
    changed_images result{std::move(name), {}, {}};
    for (std::size_t i = 0; i < seen.size(); ++i)
      if (seen[i] != test_.labels[i]) result.who.push_back(i);
    result.images = selected({images, test_.labels}, result.who);
    return result;
  }

  [[nodiscard]] bool grey() const { return net_.input()[0] == 1; }
  [[nodiscard]] float pgd_radius() const { return static_cast<float>(s_.radius > 0 ? s_.radius : grey() ? .15 : 4. / 255); }

  template <class A, class M>
  [[nodiscard]] outcome searched(A const& attack, M const& model, labelled_images const& images) const {
    stop_on_interrupt const stop;
    auto found = run(attack, model, images, random_.fork(8), stop, batch_size{s_.batch});
    if (!found.complete) throw interruption("perturbations: interrupted before they were done");
    return found;
  }

  /// The test images, perturbed in several ways, within [0, 1]; made once.
  std::vector<changed_images> const& perturbed() {
    if (!perturbed_.empty()) return perturbed_;
    auto const nearest = searched(attack{perturbation{l2{}}, misclassification{}, deepfool{}}, net_, test_);
    for (auto const& [factor, name] :
         {std::pair{1.f, "DeepFool"}, std::pair{2.f, "DeepFool, twice as far"}, std::pair{5.f, "DeepFool, 5 times as far"}}) {
      auto images = test_.images;
      for (std::size_t j = 0; j < images.size(); ++j)
        images.data()[j] = std::clamp(images.data()[j] + factor * (nearest.images.data()[j] - images.data()[j]), 0.f, 1.f);
      perturbed_.push_back(changed(name, images));
    }
    perturbed_.push_back(changed("PGD", searched(attack{perturbation{linf{pgd_radius()}}, cross_entropy{}, pgd{}}, net_, test_).images));
    perturbation const ball{linf{static_cast<float>(s_.universal > 0 ? s_.universal : grey() ? .2 : 10. / 255)}};
    auto const one = searched(attack{ball, clipped{cross_entropy{}, 9.f}, universal_ascent{}}, net_, train_);
    perturbed_.push_back(changed("universal", shown(ball, one.shared, test_).images));
    std::erase_if(perturbed_, [](changed_images const& set) { return set.who.empty(); });
    return perturbed_;
  }

  void detector() {
    auto const watch = calibrate(curvature_detector{.random = random_.fork(9), .batch = s_.batch}, net_, train_, false_alarms);
    std::vector<measurement<curvature_detector::result>> all{{"natural", noted("detector, natural", watch, test_)}};
    std::vector<measurement<roc>> curves;
    table rates{
        .title = "Detection",
        .note = text("Images whose class was changed, within [0, 1]. The threshold is such that ", percent(false_alarms),
                     " of other natural images are taken for perturbed; of these natural ones ", percent(all[0].result.share_perturbed()),
                     " are. By distance alone: where what is nearer to its boundary is taken for perturbed. Recovered: the class there was "
                     "before is said."),
        .columns = {"perturbation", "images", "area of the ROC curve", "area by distance alone", "detected", "recovered",
                    "recovered, of the detected"}};
    auto const natural = all[0].result.statistic;  // `all` grows
    auto const near = [](curvature_detector::result const& r) {
      std::vector<double> nearness;
      for (double const distance : r.distances) nearness.push_back(-distance);
      return nearness;
    };
    for (auto const& set : perturbed()) {
      all.push_back({set.name, noted(text("detector, ", set.name), watch, set.images)});
      auto const& found = all.back().result;
      curves.push_back({set.name, roc_curve(natural, found.statistic)});
      double const detected = found.share_perturbed(), recovered = found.share_recovered(set.images.labels);
      rates.rows.push_back({set.name, std::to_string(set.images.size()), text(curves.back().result.area),
                            text(roc_curve(near(all[0].result), near(found)).area), percent(detected), percent(recovered),
                            detected > 0 ? percent(recovered / detected) : "-"});
    }
    if (curves.empty()) throw error("detector: no perturbation changed a class; give more --images, or larger radii");
    page_.charts.push_back(chart_of("Detector", watch, all));
    page_.charts.push_back(chart_of("Detector, ROC", curves));
    page_.tables.push_back(std::move(rates));

    auto const above = [](std::vector<double> const& v) {
      return static_cast<double>(std::ranges::count_if(v, [](double rho) { return rho > 0; })) / static_cast<double>(v.size());
    };
    double const of_natural = above(natural), of_perturbed = above(all[1].result.statistic);
    claim("The mean curvature has another sign beside natural images than beside perturbed ones",
          text(percent(1 - of_natural), " of the natural images have a boundary that bends away, ", percent(of_perturbed), " of those of ",
               all[1].model, " one that bends around them"),
          graded(of_perturbed - of_natural, .2, .6));
    claim("Curvature detects perturbed images",
          text("area of the ROC curve ", curves[0].result.area, " for ", curves[0].model, ", where distance alone has ",
               roc_curve(near(all[0].result), near(all[1].result)).area),
          graded(curves[0].result.area, .65, .85));
    double const recovered = all[1].result.share_recovered(perturbed()[0].images.labels);
    claim("Curvature recovers their labels", text(percent(recovered), " of the images of ", all[1].model), graded(recovered, .5, .8));
    if (s_.adaptive > 0) attack_detector(watch);
  }

  static constexpr double false_alarms = .05;

  /// What an attack does that knows the detector: APGD on both, towards the class beyond the nearest boundary, as far as twice there.
  void attack_detector(curvature_detector const& watch) {
    auto some = first_images(test_, s_.adaptive);
    auto const before = some.labels;
    auto const near = measure(nearest_boundary{.batch = s_.batch}, net_, some).points;
    some.labels = near.other;
    auto const radius = static_cast<float>(2 * median(near.distances));
    attack const push{perturbation{l2{radius}}, towards{margin{}}, apgd{.steps = 40}};
    table t{.title = "An attack that knows the detector",
            .note = text("APGD in l2 ", radius, ", twice the median distance of the boundary, 40 steps, towards the class beyond it, on ",
                         some.size(), " images: on the network alone, and on the network with the detector as one class more."),
            .columns = {"attack on", "class reached", "of these not detected", "class reached and not detected"}};
    guarded const both{net_, watch};
    auto const note = [&](std::string const& name, outcome const& found) {
      auto const seen = classified(net_, found.images, s_.batch);
      auto const judged = measure(watch, net_, labelled_images{found.images, before});
      std::size_t reached = 0, silent = 0;
      for (std::size_t i = 0; i < seen.size(); ++i) {
        reached += seen[i] == some.labels[i];
        silent += seen[i] == some.labels[i] && !judged.perturbed[i];
      }
      auto const share = [&](std::size_t part, std::size_t of) {
        return of == 0 ? "-" : percent(static_cast<double>(part) / static_cast<double>(of));
      };
      t.rows.push_back({name, share(reached, some.size()), share(silent, reached), share(silent, some.size())});
      std::printf("APGD on %s: class reached %s, and not detected %s\n", name.c_str(), t.rows.back()[1].c_str(), t.rows.back()[3].c_str());
    };
    note("the network", searched(push, net_, some));
    note("the network and the detector", searched(push, both, some));
    page_.tables.push_back(std::move(t));
  }

  settings const& s_;
  std::string model_;
  network<cpu_engine> const& net_;
  labelled_images const& photos_;
  labelled_images train_, test_;
  rng random_;
  report page_;
  table claims_;
  table costs_{.title = "What it cost", .columns = {"measurement", "forwards", "backwards", "seconds", "of that in the network"}};
  std::vector<changed_images> perturbed_;
};

}  // namespace

int main(int argc, char** argv) try {
  settings s = read_options(argc, argv);
  auto [architecture, trained] = read_any_network(s.model, s.files, s.torchvision);
  network const net{cpu_engine{}, architecture, trained};
  auto photos = spread_images({read_any_images(s.files, net.input(), static_cast<std::size_t>(-1)), {}}, s.images);
  if (photos.size() < 4)
    throw error("region_geometry: 4 images at least are wanted, half of them to be measured with what the others gave");
  prepare_report(s.folder);
  photos.labels = classified(net, photos.images, s.batch);

  stop_on_interrupt const stop;
  study of(s, architecture.name, net, photos, s.names.empty() ? architecture.labels : read_class_names(s.names));
  bool complete = true;
  try {
    for (std::string const& part : s.parts) of.measure_part(part);
  } catch (interruption const& early) {
    std::fprintf(stderr, "%s\n", early.what());
    complete = false;
  }
  write_report(s.folder, of.finish(complete));
  std::printf("%s/report.html\n", s.folder.c_str());
} catch (error const& problem) {
  std::fprintf(stderr, "region_geometry: %s\n", problem.what());
  return 1;
}
