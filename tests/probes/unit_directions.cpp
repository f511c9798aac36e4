// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/unit_directions.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include "support/archetypes.hpp"
#include "support/data.hpp"
#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// The images are their own only layer, "image".
struct looking_glass {
  static constexpr space memory = space::host;
  struct workspace {
    std::vector<float> seen;
  };
  image_shape shape{2, 2, 3};

  image_shape input() const { return shape; }
  std::size_t classes() const { return 8; }
  workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    w.seen.assign(x.data, x.data + x.size());
    std::fill_n(y.data, y.size(), 0.f);
  }
  std::vector<std::string> layers() const { return {"image"}; }
  image_shape shape_of(std::string const&) const { return shape; }
  workspace prepare(std::size_t, std::vector<std::string> const&) const { return {}; }
  void activation(std::string const&, image_view<memory> to, workspace& w) const {
    REQUIRE(w.seen.size() == to.size());
    std::copy(w.seen.begin(), w.seen.end(), to.data);
  }
};

labelled_images set_of(std::size_t count, image_shape const& s, std::uint64_t seed) {
  labelled_images set{random_uniform<float, 4>({count, s[0], s[1], s[2]}, seed), std::vector<int>(count)};
  for (std::size_t i = 0; i < count; ++i) set.labels[i] = static_cast<int>(i * i % 5);
  return set;
}

/// Images in the order of their scores, the highest first.
std::vector<std::size_t> ranked(std::vector<double> const& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

bool same(direction_ranking const& a, direction_ranking const& b) {
  return a.images == b.images && a.scores == b.scores && a.telling == b.telling && a.purity == b.purity;
}

}  // namespace

TEST_CASE("the natural basis ranks images by the value of a unit") {
  auto const set = set_of(50, {2, 2, 3}, 1);
  auto const found = measure(unit_directions{.layer = "image", .random = rng{2}, .top = 7, .batch = 8}, looking_glass{}, set);
  REQUIRE(found.units.size() == 12);  // all there are
  REQUIRE(found.natural.images.shape()[0] == 12);
  REQUIRE(found.natural.images.shape()[1] == 7);
  for (std::size_t u = 0; u < 12; ++u) {
    CHECK(found.units[u] == u);
    std::vector<double> values;
    for (std::size_t i = 0; i < 50; ++i) values.push_back(double{as_view(set.images).row(i)[u]});
    auto const order = ranked(values);
    std::vector<int> count(5);
    for (std::size_t k = 0; k < 7; ++k) {
      CHECK(found.natural.images(u, k) == order[k]);
      CHECK(double{found.natural.scores(u, k)} == values[order[k]]);
      ++count[static_cast<std::size_t>(set.labels[order[k]])];
    }
    CHECK(found.natural.purity[u] == doctest::Approx(*std::max_element(count.begin(), count.end()) / 7.));
    CHECK(found.natural.telling[u] == 1);
  }
}

TEST_CASE("random directions rank images by a product with normal numbers, each with its own") {
  auto const set = set_of(40, {1, 1, 400}, 1);
  looking_glass const glass{{1, 1, 400}};
  unit_directions const probe{.layer = "image", .random = rng{3}, .units = 5, .directions = 30, .top = 40};
  auto const found = measure(probe, glass, set);
  CHECK(found.units.size() == 5);
  CHECK(std::is_sorted(found.units.begin(), found.units.end()));
  CHECK(std::adjacent_find(found.units.begin(), found.units.end()) == found.units.end());
  // Scores of all images say what v is: 40 equations. Their variance over directions is |phi|^2.
  for (std::size_t i = 0; i < 40; ++i) {
    double squares = 0, length = 0;
    for (std::size_t d = 0; d < 30; ++d)
      for (std::size_t k = 0; k < 40; ++k)
        if (found.arbitrary.images(d, k) == i) squares += std::pow(double{found.arbitrary.scores(d, k)}, 2);
    for (float const v : as_view(set.images).row(i)) length += double{v} * double{v};
    CHECK(squares / 30 > .4 * length);
    CHECK(squares / 30 < 2 * length);
  }
  CHECK(as_view(found.arbitrary.images).row(0)[0] < 40);
  CHECK(!std::equal(found.arbitrary.scores.data(), found.arbitrary.scores.data() + 40, found.arbitrary.scores.data() + 40));

  // Linear: an image that is the sum of two others scores the sum.
  auto sums = filled<float, 4>({3, 1, 1, 400});
  for (std::size_t j = 0; j < 400; ++j) {
    sums(0, 0, 0, j) = set.images(0, 0, 0, j) / 2;
    sums(1, 0, 0, j) = set.images(1, 0, 0, j) / 2;
    sums(2, 0, 0, j) = sums(0, 0, 0, j) + sums(1, 0, 0, j);
  }
  auto const three =
      measure(unit_directions{.layer = "image", .random = rng{3}, .directions = 30, .top = 3}, glass, labelled_images{sums, {}});
  for (std::size_t d = 0; d < 30; ++d) {
    double score[3];
    for (std::size_t k = 0; k < 3; ++k) score[three.arbitrary.images(d, k)] = double{three.arbitrary.scores(d, k)};
    CHECK(score[2] == doctest::Approx(score[0] + score[1]).epsilon(1e-4));
  }
  CHECK(three.chance == 0);
  CHECK(three.natural.purity.empty());
  CHECK(three.natural.mean_purity().directions == 0);
}

TEST_CASE("a channel counts by its largest or by its mean value") {
  auto const set = set_of(20, {2, 2, 3}, 1);
  for (unit_kind const kind : {unit_kind::channel_maximum, unit_kind::channel_mean}) {
    auto const found = measure(unit_directions{.layer = "image", .random = rng{2}, .top = 3, .kind = kind}, looking_glass{}, set);
    REQUIRE(found.units == std::vector<std::size_t>{0, 1});
    for (std::size_t c : {0u, 1u}) {
      std::vector<double> values;
      for (std::size_t i = 0; i < 20; ++i) {
        auto const channel = as_view(set.images).row(i).subspan(6 * c, 6);
        values.push_back(kind == unit_kind::channel_mean ? std::accumulate(channel.begin(), channel.end(), 0.) / 6
                                                         : double{*std::max_element(channel.begin(), channel.end())});
      }
      auto const order = ranked(values);
      for (std::size_t k = 0; k < 3; ++k) {
        CHECK(found.natural.images(c, k) == order[k]);
        CHECK(double{found.natural.scores(c, k)} == doctest::Approx(values[order[k]]));
      }
    }
  }
}

TEST_CASE("of equal images the first leads, and a unit that is the same for all tells nothing") {
  labelled_images set{filled<float, 4>({9, 1, 1, 2}, .5f), {0, 1, 2, 3, 4, 5, 6, 7, 7}};
  set.images(7, 0, 0, 0) = set.images(8, 0, 0, 0) = 1;
  auto const found = measure(unit_directions{.layer = "image", .random = rng{2}, .top = 3, .batch = 2}, looking_glass{{1, 1, 2}}, set);
  CHECK(std::vector<std::size_t>(found.natural.images.begin(), found.natural.images.end()) == std::vector<std::size_t>{7, 8, 0, 0, 1, 2});
  CHECK(found.natural.telling == std::vector<std::uint8_t>{1, 0});
  CHECK(found.natural.purity[0] == doctest::Approx(2 / 3.));
  CHECK(found.natural.purity[1] == doctest::Approx(1 / 3.));
  CHECK(found.natural.mean_purity().mean == doctest::Approx(2 / 3.));
  CHECK(found.natural.mean_purity().directions == 1);
  CHECK(found.chance == doctest::Approx((1 + 1 / 12.) / 3).epsilon(.05));  // both sevens are among three of nine once in 12
}

TEST_CASE("the mean purity has the standard error of its sample") {
  direction_ranking r;
  r.purity = {.5, 1, .75, .25};
  r.telling = {1, 1, 1, 0};
  CHECK(r.mean_purity().mean == doctest::Approx(.75));
  CHECK(r.mean_purity().standard_error == doctest::Approx(.25 / std::sqrt(3.)));
}

TEST_CASE_TEMPLATE("the result depends neither on the batch nor on the number of threads", E, cpu_engine, reference_engine<float>) {
  graph const g = zoo::lenet5();
  network const net{E{}, g, random_weights(g, 1)};
  auto const set = set_of(23, {1, 28, 28}, 4);
  auto const found = [&](std::size_t batch, int threads) {
    int const former = omp_get_max_threads();
    omp_set_num_threads(threads);
    auto const result =
        measure(unit_directions{.layer = "pool2", .random = rng{5}, .units = 20, .directions = 10, .top = 4, .batch = batch}, net, set);
    omp_set_num_threads(former);
    return result;
  };
  auto const whole = found(23, 1);
  for (std::size_t const batch : {5u, 100u}) {
    auto const other = found(batch, 2);
    CHECK(other.units == whole.units);
    CHECK(other.natural.images == whole.natural.images);
    CHECK(other.arbitrary.images == whole.arbitrary.images);
    CHECK(relative_error(other.arbitrary.scores, whole.arbitrary.scores) < 1e-5);
  }
  CHECK(same(found(23, 2).arbitrary, whole.arbitrary));
}

TEST_CASE("top images lie in rows, one direction a row") {
  auto const set = set_of(10, {2, 2, 3}, 1);
  auto const found = measure(unit_directions{.layer = "image", .random = rng{2}, .top = 3}, looking_glass{}, set);
  auto const rows = top_images(found.natural, set, 2);
  REQUIRE(rows.shape()[0] == 6);
  for (std::size_t k = 0; k < 6; ++k) {
    auto const expected = as_view(set.images).row(found.natural.images(k / 3, k % 3)), got = as_view(rows).row(k);
    CHECK(std::equal(got.begin(), got.end(), expected.begin(), expected.end()));
  }
  CHECK(top_images(found.natural, set, 1000).shape()[0] == 36);
}

TEST_CASE("the probe asks of a model no more than the contract says") {
  auto const four = labelled_images{filled<float, 4>({4, 1, 2, 2}), {}};
  auto const found = measure(unit_directions{.layer = "only", .random = rng{1}, .top = 2}, layered_model<space::host>{}, four);
  CHECK(found.units.size() == 2);
  CHECK(found.natural.telling == std::vector<std::uint8_t>{0, 0});
}

TEST_CASE("what cannot be ranked is refused in a sentence") {
  auto set = set_of(5, {2, 2, 3}, 1);
  auto const refused = [&](unit_directions const& probe, char const* why) {
    CHECK_THROWS_WITH_AS(static_cast<void>(measure(probe, looking_glass{}, set)), doctest::Contains(why), error);
  };
  refused({.layer = "image", .random = rng{1}, .top = 6}, "the top 6 of 5 images");
  refused({.layer = "image", .random = rng{1}, .top = 0}, "the top 0 of 5 images");
  refused({.layer = "image", .random = rng{1}, .top = 2, .batch = 0}, "in batches of 0");
  graph const g = zoo::lenet5();
  network const net{cpu_engine{}, g, random_weights(g, 1)};
  CHECK_THROWS_WITH_AS(static_cast<void>(measure(unit_directions{.layer = "no", .random = rng{1}}, net, set_of(9, {1, 28, 28}, 1))),
                       doctest::Contains("has no layer 'no'"), error);
  set.labels.pop_back();
  refused({.layer = "image", .random = rng{1}, .top = 2}, "5 images but 4 labels");
}

TEST_CASE("data: random directions of LeNet are about as pure as its units, and both far purer than chance") {
  network const net{cpu_engine{}, zoo::lenet5(), read_caffemodel(data_path("models/lenet/lenet_iter_10000"))};
  auto const digits = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  for (std::string const layer : {"pool2", "relu1"}) {
    auto const found = measure(unit_directions{.layer = layer, .random = rng{1}, .batch = 500}, net, digits);
    auto const natural = found.natural.mean_purity(), arbitrary = found.arbitrary.mean_purity();
    MESSAGE(layer << ": natural " << natural.mean << " +- " << natural.standard_error << " (" << natural.directions << " units), random "
                  << arbitrary.mean << " +- " << arbitrary.standard_error << ", chance " << found.chance);
    CHECK(found.chance > .2);
    CHECK(found.chance < .35);
    CHECK(natural.mean > found.chance + .1);
    CHECK(arbitrary.mean > found.chance + .1);
    CHECK(std::abs(natural.mean - arbitrary.mean) < .25);
  }
}
