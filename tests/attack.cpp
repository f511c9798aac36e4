// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <pareidolia/core/parallel.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/optimizers/deepfool.hpp>
#include <pareidolia/optimizers/genetic.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/clipped.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/objectives/distortion.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/misclassification.hpp>
#include <pareidolia/objectives/penalised.hpp>
#include <pareidolia/optimizers/pgd.hpp>
#include <pareidolia/optimizers/restarts.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/kept_runs.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
constexpr auto host = space::host;
constexpr std::size_t side = 4, pixel_count = side * side;

// Class k likes the pixels of row k of the image and dislikes the others, so the best image for it is known: that row white, the rest
// black.
struct rows_model {
  static constexpr space memory = host;
  struct workspace {
    std::size_t room = 0;
  };
  std::size_t* prepared = nullptr;  // counts the calls of prepare
  float gain = 2;

  image_shape input() const { return {1, side, side}; }
  std::size_t classes() const { return side; }
  workspace prepare(std::size_t n) const {
    if (prepared != nullptr) ++*prepared;
    return {n};
  }
  float weight(std::size_t k, std::size_t j) const { return j / side == k ? gain : -gain; }
  void forward(const_image_view<host> x, score_view<host> y, workspace& w) const {
    REQUIRE(x.shape[0] <= w.room);
    for (std::size_t i = 0; i < x.shape[0]; ++i)
      for (std::size_t k = 0; k < side; ++k) {
        y.row(i)[k] = 0;
        for (std::size_t j = 0; j < pixel_count; ++j) y.row(i)[k] += weight(k, j) * x.row(i)[j];
      }
  }
  void backward(const_score_view<host> dy, image_view<host> dx, workspace&) const {
    for (std::size_t i = 0; i < dx.shape[0]; ++i)
      for (std::size_t j = 0; j < pixel_count; ++j) {
        dx.row(i)[j] = 0;
        for (std::size_t k = 0; k < side; ++k) dx.row(i)[j] += weight(k, j) * dy.row(i)[k];
      }
  }
  std::uint64_t fingerprint() const { return 99; }
};

tensor<float, 4> best_image(std::size_t k) {
  auto x = filled<float, 4>({1, 1, side, side});
  for (std::size_t j = 0; j < side; ++j) x(0, 0, k, j) = 1;
  return x;
}

// Follows the gradient of every image for a number of steps.
struct ascent {
  std::size_t steps = 50;
  float rate = 1;
  std::size_t genotypes = 0;  // 0: one for each canvas

  struct search;
  search start(pixels const& e, const_image_view<host> canvas, rng const&) const;
};
struct ascent::search {
  ascent policy;
  pixel_genes<host> p;
  std::size_t taken = 0;

  pixel_genes<host> const& ask() const { return p; }
  bool done() const { return taken == policy.steps; }
  pixel_genes<host> const& best() const { return p; }
  standing where() const { return {taken, policy.steps, {}}; }
  void tell(evaluation<host> const&, pixel_genes<host> const& dp) {
    for (std::size_t j = 0; j < p.genes.size(); ++j) p.genes[j] = std::clamp(p.genes[j] + policy.rate * dp.genes[j], 0.f, 1.f);
    ++taken;
  }
};
ascent::search ascent::start(pixels const& e, const_image_view<host> canvas, rng const&) const {
  return {*this, e.buffer(genotypes != 0 ? genotypes : canvas.shape[0], canvas)};
}

// Keeps of `children` random images the best, judged by their values.
struct random_search {
  std::size_t steps = 3, children = 50;

  struct search;
  search start(pixels const& e, const_image_view<host> canvas, rng const& random) const;
};
struct random_search::search {
  random_search policy;
  pixels encoding;
  rng random;
  pixel_genes<host> p, champion;
  float value = -std::numeric_limits<float>::infinity();
  std::size_t taken = 0;

  pixel_genes<host> const& ask() const { return p; }
  bool done() const { return taken == policy.steps; }
  pixel_genes<host> const& best() const { return champion; }
  standing where() const { return {taken, policy.steps, {}}; }
  void tell(evaluation<host> const& e) {
    CHECK(e.targets.size() == p.size());
    for (std::size_t i = 0; i < p.size(); ++i)
      if (e.values.data[i] > value) {
        value = e.values.data[i];
        champion.assign(std::vector<std::size_t>{0}, p, std::vector<std::size_t>{i});
      }
    encoding.draw(p, random.fork(++taken));
  }
};
random_search::search random_search::start(pixels const& e, const_image_view<host> canvas, rng const& random) const {
  search s{*this, e, random, e.buffer(children, canvas), e.buffer(1, canvas)};
  e.draw(s.p, random.fork(0));
  return s;
}

// The probability of leaving a class.
struct doubt {
  static constexpr bool targeted = false;
  void value(const_score_view<host> y, label_view t, value_view<host> v) const {
    class_probability{}.value(y, t, v);
    for (float& p : v.flat()) p = -p;
  }
  void seed(const_score_view<host> y, label_view t, score_view<host> dy) const {
    class_probability{}.seed(y, t, dy);
    for (float& d : dy.flat()) d = -d;
  }
};

attack const evolve{pixels{}, class_probability{}, map_elites{.children = 50, .generations = 100}};
attack const climb{pixels{.levels = 0}, class_probability{}, ascent{}};
auto const canvas = [] { return blank(rows_model{}.input()); };

labelled_images grey(std::vector<int> labels, float value = 0.5f) {
  return {filled<float, 4>({labels.size(), 1, side, side}, value), std::move(labels)};
}

}  // namespace

TEST_CASE("map_elites finds an image for every class of a linear model") {
  auto const found = run(evolve, rows_model{}, canvas(), rng(1));
  CHECK(found.size() == side);
  CHECK(found.complete);
  for (std::size_t k = 0; k < side; ++k) {
    CHECK(found.values[k] > 0.999f);
    CHECK(found.targets[k] == static_cast<int>(k));
    CHECK(found.labels[k] == static_cast<int>(k));
    CHECK(found.success[k] == 1);
    CHECK(found.before[k] == 0);  // of equal scores the first
    for (std::size_t j = 0; j < side; ++j) CHECK(found.images(k, 0, k, j) > 0.8f);
  }
}

TEST_CASE("a run reports what it saw: scores, values and distances belong to the images") {
  auto const found = run(evolve, rows_model{}, canvas(), rng(1));
  rows_model const m;
  auto w = m.prepare(side);
  auto y = filled<float, 2>({side, side});
  m.forward(as_view(found.images), as_view(y), w);
  CHECK(y == found.scores);
  for (std::size_t i = 0; i < side; ++i) {
    auto v = filled<float, 2>({side, side});
    class_probability{}.values(as_view(y), as_view(v));
    CHECK(found.values[i] == v(i, i));
    double sum = 0;
    for (std::size_t j = 0; j < pixel_count; ++j) sum += double{found.images.data()[i * pixel_count + j]};
    CHECK(double{found.distances(i, 1)} == doctest::Approx(sum).epsilon(1e-5));  // L1 from black
  }
  CHECK(found.seed == 1);
  CHECK(found.model == 99);
  CHECK(found.model_seconds > 0);
  CHECK(found.model_seconds <= found.seconds);
}

TEST_CASE("a gradient search reaches the optimum of a linear model from each of its canvases") {
  auto const found = run(climb, rows_model{}, grey({2, 0, 3}), rng(1));
  CHECK(found.size() == 3);
  CHECK(found.targets == std::vector{2, 0, 3});
  CHECK(found.labels == std::vector{2, 0, 3});
  CHECK(found.success == std::vector<std::uint8_t>{1, 1, 1});
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(found.values[i] > 0.99f);
    CHECK(found.images(i, 0, static_cast<std::size_t>(found.targets[i]), 1) > 0.5f);  // every pixel moved the right way
    CHECK(found.images(i, 0, 1, 1) < 0.5f);
  }
}

TEST_CASE("a gradient search that starts at the optimum stays there") {
  labelled_images const start{best_image(2), {2}};
  auto const found = run(climb, rows_model{}, start, rng(1));
  CHECK(found.images == start.images);
  for (std::size_t d = 0; d < 4; ++d) CHECK(found.distances(0, d) == 0);
}

TEST_CASE("one genotype on many canvases gets the sum of their gradients") {
  attack const universal{pixels{.levels = 0}, class_probability{}, ascent{.steps = 1, .rate = 0.125f, .genotypes = 1}};
  attack const single{pixels{.levels = 0}, class_probability{}, ascent{.steps = 1, .rate = 0.25f}};
  auto const both = run(universal, rows_model{}, grey({1, 1}), rng(1));
  auto const one = run(single, rows_model{}, grey({1}), rng(1));
  CHECK(both.size() == 2);
  for (std::size_t j = 0; j < pixel_count; ++j) {
    CHECK(both.images.data()[j] == doctest::Approx(one.images.data()[j]));
    CHECK(both.images.data()[j] == both.images.data()[pixel_count + j]);
    CHECK(both.images.data()[j] != 0.5f);
  }
}

TEST_CASE("an untargeted attack succeeds where the class is left") {
  attack const leave{pixels{.levels = 0}, doubt{}, ascent{.steps = 30}};
  auto start = grey({1, 2}, 0);
  for (std::size_t j = 0; j < side; ++j) start.images(0, 0, 1, j) = start.images(1, 0, 2, j) = 0.2f;
  auto const found = run(leave, rows_model{}, start, rng(1));
  CHECK(found.before == std::vector{1, 2});
  CHECK(found.targets == std::vector{1, 2});
  CHECK(found.labels[0] != 1);
  CHECK(found.labels[1] != 2);
  CHECK(found.success == std::vector<std::uint8_t>{1, 1});

  attack const idle{pixels{.levels = 0}, doubt{}, ascent{.steps = 1, .rate = 0}};
  CHECK(run(idle, rows_model{}, start, rng(1)).success == std::vector<std::uint8_t>{0, 0});
}

TEST_CASE("a search that is told values improves on a random image") {
  attack const luck{pixels{}, class_probability{}, random_search{}};
  auto const found = run(luck, rows_model{}, grey({2}), rng(1));
  CHECK(found.size() == 1);
  CHECK(found.values[0] > 0.5f);
  CHECK(found.labels[0] == 2);
}

TEST_CASE("a run counts its forward and backward passes in images") {
  auto const evolved = run(evolve, rows_model{}, canvas(), rng(1));
  CHECK(evolved.steps == 101);
  CHECK(evolved.forwards == 1 + 101 * 50 + side);
  CHECK(evolved.backwards == 0);
  auto const climbed = run(climb, rows_model{}, grey({0, 1, 2}), rng(1));
  CHECK(climbed.steps == 50);
  CHECK(climbed.forwards == 3 + 50 * 3 + 3);
  CHECK(climbed.backwards == 50 * 3);
}

TEST_CASE("a run prepares the model once for each batch that is larger than any before") {
  std::size_t prepared = 0;
  run(evolve, rows_model{&prepared}, canvas(), rng(1));
  CHECK(prepared == 2);  // for the canvas, and for the children
  prepared = 0;
  run(climb, rows_model{&prepared}, grey({0, 1, 2}), rng(1));
  CHECK(prepared == 1);
}

TEST_CASE("sinks see every step in order") {
  history log;
  std::vector<std::size_t> steps;
  double last = 0;
  auto const found = run(evolve, rows_model{}, canvas(), rng(1), recorder(log), [&](step const& now) {
    steps.push_back(now.where.step);
    CHECK(now.where.steps == 100);
    CHECK(now.seconds >= last);
    CHECK(now.model_seconds <= now.seconds);
    last = now.seconds;
  });
  REQUIRE(steps.size() == 101);
  for (std::size_t i = 0; i < steps.size(); ++i) CHECK(steps[i] == i);
  CHECK(log.steps == steps);
  auto const least = log.column("min");
  CHECK(std::is_sorted(least.begin(), least.end()));  // champions never get worse
  CHECK(least.back() == double{*std::min_element(found.values.begin(), found.values.end())});
}

TEST_CASE("a sink that says stop ends the run with the best so far") {
  auto const after = [](std::size_t step_count) {
    return [step_count](step const& now) { return now.where.step == step_count ? verdict::stop : verdict::go_on; };
  };
  auto const stopped = run(evolve, rows_model{}, canvas(), rng(1), after(10));
  CHECK(stopped.steps == 11);
  CHECK_FALSE(stopped.complete);

  attack const shorter{pixels{}, class_probability{}, map_elites{.children = 50, .generations = 10}};
  auto const whole = run(shorter, rows_model{}, canvas(), rng(1));
  CHECK(whole.complete);
  CHECK(whole.images == stopped.images);
  CHECK(run(shorter, rows_model{}, canvas(), rng(1), after(10)).complete);  // stopped when it was done
}

TEST_CASE("an exception in a sink leaves the run") {
  CHECK_THROWS_WITH_AS(run(evolve, rows_model{}, canvas(), rng(1), [](step const&) { throw std::runtime_error("disk full"); }), "disk full",
                       std::runtime_error);
}

TEST_CASE("the same seed gives the same images, another seed others") {
  auto const first = run(evolve, rows_model{}, canvas(), rng(7));
  CHECK(run(evolve, rows_model{}, canvas(), rng(7)).images == first.images);
  CHECK(run(evolve, rows_model{}, canvas(), rng(8)).images != first.images);
}

#ifdef _OPENMP
TEST_CASE("the number of threads does not change the images") {
  attack const crossing{pixels{.crossover = 0.5f, .halve_every = 5}, class_probability{}, map_elites{.children = 51, .generations = 20}};
  int const threads = omp_get_max_threads();
  omp_set_num_threads(1);
  auto const one = run(crossing, rows_model{}, canvas(), rng(7));
  omp_set_num_threads(3);
  auto const three = run(crossing, rows_model{}, canvas(), rng(7));
  omp_set_num_threads(threads);
  CHECK(one.images == three.images);
  CHECK(one.values == three.values);
}
#endif

// ------------------------------------------------------------------ errors

TEST_CASE("run refuses canvases that the model cannot take") {
  CHECK_THROWS_WITH_AS(run(evolve, rows_model{}, blank({3, side, side}), rng(1)),
                       "run: the images are 3x4x4 (channels x height x width), the model wants 1x4x4", error);
  CHECK_THROWS_WITH_AS(run(evolve, rows_model{}, {filled<float, 4>({0, 1, side, side}), {}}, rng(1)),
                       "run: no images were given; blank(model.input()) is the canvas of attacks that start from nothing", error);
}

TEST_CASE("run refuses pixels outside [0, 1]") {
  for (float const wrong : {-0.1f, 1.5f, std::numeric_limits<float>::infinity()}) {
    auto start = grey({0, 1});
    start.images(1, 0, 2, 3) = wrong;
    CHECK_THROWS_WITH_AS(run(climb, rows_model{}, start, rng(1)),
                         detail::text("run: image 1 has a pixel of ", wrong, "; pixels must be in [0, 1]").c_str(), error);
  }
  auto start = grey({0, 1});
  start.images(0, 0, 0, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(run(climb, rows_model{}, start, rng(1)), "run: image 0 has a pixel of nan; pixels must be in [0, 1]", error);
}

TEST_CASE("run refuses missing labels and labels that are no class") {
  CHECK_THROWS_WITH_AS(run(climb, rows_model{}, canvas(), rng(1)), "run: 1 images but 0 labels; this attack needs one class per image",
                       error);
  CHECK_THROWS_WITH_AS(run(climb, rows_model{}, grey({0, 4}), rng(1)), "run: a label is 4; the model's classes are 0 to 3", error);
  CHECK_THROWS_WITH_AS(run(climb, rows_model{}, grey({-1}), rng(1)), "run: a label is -1; the model's classes are 0 to 3", error);
}

TEST_CASE("run says which image a model answered with NaN or infinity") {
  struct broken : rows_model {
    float answer;
    std::size_t at;
    void forward(const_image_view<host> x, score_view<host> y, workspace& w) const {
      rows_model::forward(x, y, w);
      if (at < x.shape[0]) y.row(at)[3] = answer;
    }
  };
  for (float const answer : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    CHECK_THROWS_WITH_AS(run(evolve, broken{{}, answer, 7}, canvas(), rng(1)),
                         "the model gave a score that is not a finite number for image 7 of a batch of 50; check its weights and that the "
                         "images are in [0, 1]",
                         error);
}

TEST_CASE("run refuses an optimizer that is done before it begins") {
  attack const nothing{pixels{}, class_probability{}, ascent{.steps = 0}};
  CHECK_THROWS_WITH_AS(run(nothing, rows_model{}, grey({0}), rng(1)),
                       "run: the optimizer was done before its first step; give it at least one", error);
}

// ----------------------------------------------------------------- measure

namespace {

// How many images there are, and the sum of their labels.
struct census {
  struct result {
    std::size_t images;
    int labels;
  };
  result measure(rows_model const&, const_image_view<host> x, label_view labels) const {
    int sum = 0;
    for (int label : labels) sum += label;
    return {x.shape[0], sum};
  }
};

}  // namespace

TEST_CASE("measure hands a probe the images and their labels") {
  auto const counted = measure(census{}, rows_model{}, grey({1, 3}));
  CHECK(counted.images == 2);
  CHECK(counted.labels == 4);
  CHECK(measure(census{}, rows_model{}, canvas()).labels == 0);  // no labels are no error
}

TEST_CASE("measure refuses what the model cannot take") {
  CHECK_THROWS_AS(measure(census{}, rows_model{}, blank({1, 5, 5})), error);
  CHECK_THROWS_AS(measure(census{}, rows_model{}, grey({9})), error);
}

TEST_CASE("a run that goes image by image and is stopped gives what it has, and canvases where nothing was begun") {
  auto const planes = random_planes(3, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 9, 2);
  attack const a{perturbation{linf{1e-4f}}, cross_entropy{}, pgd{.steps = 5, .random_start = false}};  // too small to succeed
  int steps = 0;
  auto const r = run(a, planes, canvas, rng{1}, batch_size{4}, [&](step const&) { return ++steps < 3 ? verdict::go_on : verdict::stop; });
  CHECK(!r.complete);
  CHECK(r.steps == 3);
  CHECK(r.size() == 9);
  CHECK(r.forwards_spent == std::vector<std::uint32_t>{3, 3, 3, 3, 0, 0, 0, 0, 0});
  for (std::size_t i = 0; i < 9; ++i) {
    CHECK((r.distances(i, 3) > 0) == (i < 4));
    CHECK(r.labels[i] == canvas.labels[i]);
    CHECK(r.before[i] == canvas.labels[i]);
  }
}

TEST_CASE("an image that is done makes room for one that waits, and the batch shrinks when none does") {
  struct watched : plane_model {
    std::vector<std::size_t>* batches = nullptr;
    void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
      batches->push_back(x.shape[0]);
      plane_model::forward(x, y, w);
    }
  };
  std::vector<std::size_t> batches;
  watched planes{random_planes(4, {1, 3, 4}, 3), &batches};
  auto const canvas = random_images(planes, 20, 4);
  batches.clear();
  attack const a{perturbation{linf{.3f}}, cross_entropy{}, pgd{.rate = .01f, .steps = 30, .random_start = false}};
  auto const r = run(a, planes, canvas, rng{1}, batch_size{6});
  // Classes of the canvas and verification take ceil(20 / 6) passes each; between them the batch is full until the images run out.
  REQUIRE(batches.size() == r.steps + 8);
  std::vector<std::size_t> const search(batches.begin() + 4, batches.end() - 4);
  CHECK(std::ranges::is_sorted(search, std::ranges::greater{}));
  CHECK(search.front() == 6);
  CHECK(search.back() < 6);
  std::size_t spent = 0;
  for (std::size_t n : r.forwards_spent) spent += n;
  CHECK(spent == std::accumulate(search.begin(), search.end(), std::size_t{0}));
  CHECK(r.forwards == spent + 40);
  CHECK(std::ranges::count(r.success, 1) == 20);
}

TEST_CASE("rounding to 8 bits is verified if asked, and undoes what is less than half a level") {
  auto const planes = random_planes(2, {1, 3, 4}, 5);
  auto canvas = random_images(planes, 30, 6);
  for (float& v : canvas.images) v = std::round(v * 255) / 255;
  auto close = planes;  // the border so near that less than half a level passes it
  std::vector<int> const all = [&] {
    auto y = filled<float, 2>({30, 2});
    plane_model::workspace w;
    close.forward(as_view(canvas.images), as_view(y), w);
    std::vector<int> labels(30);
    argmax(as_view(y), labels);
    return labels;
  }();
  canvas.labels = all;
  auto const small = run(attack{perturbation{linf{.4f / 255}}, cross_entropy{}, pgd{}}, close, canvas, rng{1}, quantized{});
  auto const large = run(attack{perturbation{linf{.5f}}, cross_entropy{}, pgd{.stop_early = false}}, close, canvas, rng{1}, quantized{});
  REQUIRE(small.quantized_success.size() == 30);
  CHECK(std::ranges::count(small.quantized_success, 1) == 0);
  CHECK(large.quantized_success == large.success);
  CHECK(std::ranges::count(large.success, 1) == 30);
  CHECK(run(attack{perturbation{linf{.5f}}, cross_entropy{}, pgd{}}, close, canvas, rng{1}).quantized_success.empty());
}

TEST_CASE("what is wanted of the image itself counts in the value and in the gradient") {
  auto const planes = random_planes(3, {1, 3, 4}, 7);
  auto const canvas = random_images(planes, 4, 8);
  pgd const how{.rate = .02f, .steps = 40, .random_start = false, .stop_early = false};
  auto const free = run(attack{perturbation{l2{.5f}}, cross_entropy{}, how}, planes, canvas, rng{1});
  auto const held = run(attack{perturbation{l2{.5f}}, cross_entropy{} + distortion{.weight = 500}, how}, planes, canvas, rng{1});
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(held.distances(i, 2) < free.distances(i, 2));
    CHECK(held.values[i] < free.values[i]);
  }
}

TEST_CASE("a genotype that all images show is part of the outcome") {
  auto const planes = random_planes(3, {1, 3, 4}, 9);
  auto const canvas = random_images(planes, 70, 10);
  struct one {
    struct search {
      perturbations<host> p;
      bool told = false;
      perturbations<host> const& ask() const { return p; }
      perturbations<host> const& best() const { return p; }
      bool done() const { return told; }
      standing where() const { return {}; }
      void tell(evaluation<host> const& e) {
        CHECK(e.scores.shape[0] == 70);
        told = true;
      }
    };
    search start(perturbation<linf> const& e, const_image_view<host> images, rng const&) const {
      search s{e.buffer(1, images)};
      for (float& v : s.p.rows().flat()) v = .25f;
      return s;
    }
  };
  auto const r = run(attack{perturbation{linf{.5f}}, cross_entropy{}, one{}}, planes, canvas, rng{1});
  CHECK(r.shared == filled<float, 2>({1, 12}, .25f));
  for (std::size_t i = 0; i < 70; ++i) CHECK(r.distances(i, 3) == doctest::Approx(.25).epsilon(1e-5));
  CHECK(r.forwards == 3 * 70);
}

TEST_CASE("several models are measured one after the other, each on its images") {
  auto const one = grey({1, 3}), other = grey({1, 2, 3});
  rows_model const model;
  auto const both = measure_each(census{}, subject{"one", model, one}, subject{"other", model, other});
  REQUIRE(both.size() == 2);
  CHECK(both[0].model == "one");
  CHECK(both[0].result.labels == 4);
  CHECK(both[1].model == "other");
  CHECK(both[1].result.labels == 6);
  std::vector<subject<rows_model>> const list{{"one", model, one}, {"other", model, other}, {"one", model, one}};
  CHECK(measure_each(census{}, std::span<subject<rows_model> const>(list)).back().result.labels == 4);
}

TEST_CASE("a batch of no images is refused") {
  auto const planes = random_planes(2, {1, 3, 4}, 1);
  CHECK_THROWS_WITH_AS(
      run(attack{perturbation{linf{.1f}}, cross_entropy{}, pgd{}}, planes, random_images(planes, 1, 2), rng{1}, batch_size{0}),
      doctest::Contains("batch_size: 0 images"), error);
}

// ------------------------------------------------------------------- state

TEST_CASE("a run that goes image by image and is killed ends with the same answers, whatever the batch") {
  auto const planes = random_planes(4, {1, 3, 4}, 3);
  auto const canvas = random_images(planes, 20, 4);
  auto const check = [&](auto const& a, std::size_t steps) {
    auto const whole = run(a, planes, canvas, rng{1}, batch_size{6});
    check_same_answers(run_in_pieces(a, planes, canvas, 1, steps, batch_size{6}), whole);
    memory_keeper keeper;
    CHECK_THROWS_AS(run(a, planes, canvas, rng{1}, keeper, batch_size{9}, kill_after{3}), kill_after::killed);
    check_same_answers(run(a, planes, canvas, rng{1}, keeper, batch_size{4}), whole);  // more were in the batch than it has room for now
  };
  check(attack{perturbation{linf{.3f}}, cross_entropy{}, pgd{.rate = .01f, .steps = 30}}, 50);
  check(attack{perturbation{l2{}}, misclassification{}, deepfool{}}, 12);
  check(attack{perturbation{linf{.2f}}, cross_entropy{}, restarts{3, pgd{.rate = .01f, .steps = 10}}}, 40);
}

TEST_CASE("what is kept of a run that goes image by image are the images that are done") {
  auto const planes = random_planes(3, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 9, 2);
  attack const a{perturbation{linf{.3f}}, cross_entropy{}, pgd{.rate = .01f, .steps = 40, .random_start = false}};
  memory_keeper keeper;
  auto const cut = run(a, planes, canvas, rng{1}, batch_size{4}, keeper, [done = std::size_t{0}](step const& now) mutable {
    return (done = now.where.step) < 3 ? verdict::go_on : verdict::stop;
  });
  CHECK(!cut.complete);
  auto const& arrays = keeper.state->arrays;
  std::size_t const finished = arrays.at("finished").shape[0];
  CHECK(finished >= 3);
  CHECK(finished < 9);
  CHECK(arrays.at("answers").shape == std::vector<std::size_t>{finished, 1, 3, 4});
  auto const whole = run(a, planes, canvas, rng{1});
  check_same_answers(run(a, planes, canvas, rng{1}, keeper), whole);
  CHECK(keeper.state->arrays.at("finished").shape[0] == 9);
  auto const again = run(a, planes, canvas, rng{1}, keeper);  // was complete: nothing is left to do
  CHECK(again.images == whole.images);
  CHECK(again.forwards_spent == whole.forwards_spent);
  CHECK(again.complete);
}

TEST_CASE("a state with finished images that cannot be is refused") {
  auto const planes = random_planes(3, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 9, 2);
  attack const a{perturbation{linf{.3f}}, cross_entropy{}, pgd{}};
  memory_keeper keeper;
  static_cast<void>(run(a, planes, canvas, rng{1}, keeper));
  std::uint64_t const beyond = 9;
  std::memcpy(keeper.state->arrays.at("finished").bytes.data() + 8 * sizeof beyond, &beyond, sizeof beyond);
  CHECK_THROWS_WITH_AS(static_cast<void>(run(a, planes, canvas, rng{1}, keeper)),
                       "run: the images that were kept as finished are damaged; begin anew", error);
}

TEST_CASE("map_elites that is killed again and again ends with the same champions, births and history") {
  for (std::size_t steps : {2u, 5u}) {
    history log, one;
    attack const direct{pixels{.crossover = .5f}, class_probability{}, map_elites{.children = 20, .generations = 25}};
    auto const whole = run(direct, rows_model{}, canvas(), rng{5}, recorder{log});
    check_same(run_in_pieces(direct, rows_model{}, canvas(), 5, steps, recorder{one}), whole);
    CHECK(one.rows == log.rows);
    CHECK(one.steps == log.steps);
    attack const indirect{cppn{}, class_probability{}, map_elites{.children = 20, .generations = 25}};
    check_same(run_in_pieces(indirect, rows_model{}, canvas(), 5, steps), run(indirect, rows_model{}, canvas(), rng{5}));
  }
}

TEST_CASE("a run that was complete goes on if it is given more generations") {
  auto const until = [](std::size_t generations, auto&&... extras) {
    return run(attack{pixels{}, class_probability{}, map_elites{.children = 10, .generations = generations}}, rows_model{}, canvas(),
               rng{5}, extras...);
  };
  memory_keeper keeper;
  static_cast<void>(until(4, keeper));
  check_same(until(9, keeper), until(9));
}

TEST_CASE("a state is refused by a run with another seed, model, canvas or setting, and by another kind of run") {
  memory_keeper const kept = [] {
    memory_keeper keeper;
    static_cast<void>(
        run(attack{pixels{}, class_probability{}, map_elites{.children = 10, .generations = 2}}, rows_model{}, canvas(), rng{5}, keeper));
    return keeper;
  }();
  auto const said = [&](auto const& a, auto const& model, labelled_images const& on, std::uint64_t seed) {
    memory_keeper keeper = kept;
    try {
      static_cast<void>(run(a, model, on, rng{seed}, keeper));
    } catch (error const& e) {
      return std::string(e.what());
    }
    return std::string("nothing");
  };
  struct retrained : rows_model {
    std::uint64_t fingerprint() const { return 100; }
  };
  auto white = canvas();
  white.images.fill(1);
  attack const same{pixels{}, class_probability{}, map_elites{.children = 10, .generations = 2}};
  CHECK(said(same, rows_model{}, canvas(), 5) == "nothing");
  CHECK(said(same, rows_model{}, canvas(), 6) ==
        "memory: it was made with seed = 5, this run has 6; go on with the same, or name another file");
  CHECK(said(same, retrained{}, canvas(), 5).find("memory: it was made with model = 99, this run has 100;") == 0);
  CHECK(said(same, rows_model{}, white, 5).find("memory: it was made with canvas = ") == 0);
  CHECK(said(attack{pixels{.rate = .2f}, class_probability{}, map_elites{.children = 10}}, rows_model{}, canvas(), 5)
            .find("memory: it was made with encoding/pixels.rate = 0.1") == 0);
  CHECK(said(attack{cppn{}, class_probability{}, map_elites{.children = 10}}, rows_model{}, canvas(), 5)
            .find("memory: it was made with encoding = pareidolia::pixels, this run has pareidolia::cppn;") == 0);
  CHECK(said(attack{pixels{}, class_probability{}, genetic{}}, rows_model{}, grey({0}, 0), 5).find("memory: ") == 0);
}

TEST_CASE("a state of a run that goes image by image belongs to the settings of all its parts") {
  auto const planes = random_planes(3, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 9, 2);
  auto const kept = [&](auto const& a) {
    memory_keeper keeper;
    static_cast<void>(run(a, planes, canvas, rng{1}, keeper));
    return keeper;
  };
  auto const said = [&](memory_keeper keeper, auto const& a) {
    try {
      static_cast<void>(run(a, planes, canvas, rng{1}, keeper));
    } catch (error const& e) {
      return std::string(e.what());
    }
    return std::string("nothing");
  };
  auto const with = [](float radius, float limit, float rate) {
    return attack{perturbation{linf{radius}}, clipped{margin{}, limit}, restarts{2, pgd{.rate = rate}}};
  };
  auto const keeper = kept(with(.25f, 2, .5f));
  CHECK(said(keeper, with(.25f, 2, .5f)) == "nothing");
  CHECK(said(keeper, with(.5f, 2, .5f)) ==
        "memory: it was made with encoding/perturbation.radius = 0.25, this run has 0.5; go on with the same, or name another file");
  CHECK(said(keeper, with(.25f, 3, .5f)).find("memory: it was made with objective/clipped.limit = 2, this run has 3;") == 0);
  CHECK(said(keeper, with(.25f, 2, .75f)).find("memory: it was made with optimizer/optimizer/pgd.rate = 0.5, this run has 0.75;") == 0);
  CHECK(
      said(keeper, attack{perturbation{linf{.25f}}, cross_entropy{}, restarts{2, pgd{.rate = .5f}}})
          .find("memory: it was made with objective = pareidolia::clipped<pareidolia::margin>, this run has pareidolia::cross_entropy;") ==
      0);
}
