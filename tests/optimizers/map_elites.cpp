// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/map_elites.hpp>

#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encodings/pixels.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace pareidolia;
constexpr auto host = space::host;

// Genotypes are numbers that say where they come from: drawn ones are 0, 1, 2, ...; a child is its parent + 100.
struct counting {
  template <space S>
  struct population {
    std::vector<int> ids;
    [[nodiscard]] std::size_t size() const { return ids.size(); }
    void assign(std::span<std::size_t const> to, population const& q, std::span<std::size_t const> from) {
      for (std::size_t k = 0; k < to.size(); ++k) ids[to[k]] = q.ids[from[k]];
    }
  };
  population<host> buffer(std::size_t n, const_image_view<host>) const { return {std::vector<int>(n, -1)}; }
  void decode(population<host> const&, const_image_view<host>, image_view<host>) const {}
  void draw(population<host>& children, rng const&) const {
    for (std::size_t i = 0; i < children.size(); ++i) children.ids[i] = static_cast<int>(i);
  }
  void vary(population<host> const& parents, population<host>& children, rng const&) const {
    for (std::size_t i = 0; i < children.size(); ++i) children.ids[i] = parents.ids[i] + 100;
  }
};

// The same, but a child is its parent + 1000 * the generation.
struct scheduled_counting : counting {
  int step = 0;
  [[nodiscard]] scheduled_counting at(std::size_t generation) const { return {{}, 1000 * static_cast<int>(generation)}; }
  void vary(population<host> const& parents, population<host>& children, rng const&) const {
    for (std::size_t i = 0; i < children.size(); ++i) children.ids[i] = parents.ids[i] + step;
  }
};

static_assert(ClasswiseOptimizer<map_elites, pixels, host> && ClasswiseOptimizer<map_elites, counting, host>);
static_assert(!ScoreOptimizer<map_elites, pixels, host> && !GradientOptimizer<map_elites, pixels, host>);
static_assert(ScheduledEncoding<scheduled_counting, host> && !ScheduledEncoding<counting, host>);

labelled_images const canvas = blank({1, 2, 2});

template <class E>
auto started(map_elites const& policy, E const& encoding, std::uint64_t seed = 1) {
  return policy.start(encoding, as_view(canvas.images), rng(seed));
}

template <class Search>
void tell(Search& search, tensor<float, 2> const& values) {
  search.tell({as_view(values), as_view(values)});
}

double figure_of(standing const& where, std::string_view name) {
  for (figure const& f : where.figures)
    if (f.name == name) return f.value;
  return std::nan("");
}

constexpr float no_number = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("map_elites keeps the best child of each class") {
  auto search = started({.children = 3, .generations = 2}, counting{});
  CHECK(search.ask().ids == std::vector{0, 1, 2});
  tell(search, {{0.1f, 0.5f}, {0.3f, 0.2f}, {0.2f, 0.4f}});
  CHECK(search.best().ids == std::vector{1, 0});
  CHECK(search.elites()[0].value == 0.3f);
  CHECK(search.elites()[1].value == 0.5f);
}

TEST_CASE("map_elites offers one child to all cells") {
  auto search = started({.children = 2, .generations = 1}, counting{});
  tell(search, {{0.1f, 0.1f, 0.1f}, {0.9f, 0.8f, 0.7f}});
  CHECK(search.best().ids == std::vector{1, 1, 1});
}

TEST_CASE("map_elites replaces a champion only by a strictly better child, once a generation") {
  auto search = started({.children = 2, .generations = 3}, counting{});
  tell(search, {{0.5f, 0.5f}, {0.5f, 0.6f}});
  CHECK(search.best().ids == std::vector{0, 1});  // of two equal children the first
  CHECK(figure_of(search.where(), "replaced") == 2);

  tell(search, {{0.5f, 0.7f}, {0.5f, 0.8f}});  // the first class is only equalled, the second improved by both
  CHECK(search.best().ids[0] == 0);
  CHECK(search.best().ids[1] >= 100);
  CHECK(figure_of(search.where(), "replaced") == 1);
  CHECK(search.elites()[0].generation == 0);
  CHECK(search.elites()[0].replacements == 1);
  CHECK(search.elites()[1].generation == 1);
  CHECK(search.elites()[1].replacements == 2);
}

TEST_CASE("map_elites makes children of champions alone") {
  auto search = started({.children = 200, .generations = 5}, counting{});
  auto values = filled<float, 2>({200, 2});
  values(17, 0) = values(42, 1) = 1;
  tell(search, values);
  auto const& children = search.ask().ids;
  auto const of = [&](int parent) { return std::count(children.begin(), children.end(), parent + 100); };
  CHECK(of(17) + of(42) == 200);
  CHECK(of(17) > 60);  // parents are drawn uniformly
  CHECK(of(42) > 60);
}

TEST_CASE("a NaN never wins in map_elites") {
  auto search = started({.children = 2, .generations = 3}, counting{});
  tell(search, {{no_number, 0.2f}, {0.1f, no_number}});
  CHECK(search.best().ids == std::vector{1, 0});
  tell(search, {{no_number, no_number}, {no_number, no_number}});
  CHECK(search.best().ids == std::vector{1, 0});
  CHECK(figure_of(search.where(), "replaced") == 0);
}

TEST_CASE("map_elites says so when a class has nothing but NaN") {
  auto search = started({.children = 2, .generations = 3}, counting{});
  CHECK_THROWS_WITH_AS(tell(search, {{no_number, 0.2f}, {no_number, 0.1f}}),
                       "map_elites: some class has no image with a value in generation 0; check that the objective gives numbers", error);
}

TEST_CASE("map_elites counts generations from the random one") {
  auto search = started({.children = 1, .generations = 2}, counting{});
  CHECK(search.where().steps == 2);
  for (std::size_t generation = 0; generation <= 2; ++generation) {
    CHECK_FALSE(search.done());
    tell(search, {{0.5f}});
    CHECK(search.where().step == generation);
  }
  CHECK(search.done());
  CHECK(search.ask().ids == std::vector{100});  // nothing is made that nobody will ask for

  auto only_random = started({.children = 1, .generations = 0}, counting{});
  CHECK_FALSE(only_random.done());
  tell(only_random, {{0.5f}});
  CHECK(only_random.done());
}

TEST_CASE("map_elites reports median, mean, max and min of its champions") {
  auto search = started({.children = 1, .generations = 2}, counting{});
  tell(search, {{0.25f, 0, 1, 0.5f}});
  auto const where = search.where();
  std::vector<std::string> names;
  for (figure const& f : where.figures) names.emplace_back(f.name);
  CHECK(names == std::vector<std::string>{"replaced", "median", "mean", "max", "min"});
  CHECK(figure_of(where, "replaced") == 4);
  CHECK(figure_of(where, "median") == 0.375);
  CHECK(figure_of(where, "mean") == 0.4375);
  CHECK(figure_of(where, "max") == 1);
  CHECK(figure_of(where, "min") == 0);

  auto odd = started({.children = 1, .generations = 2}, counting{});
  tell(odd, {{0.25f, 0.75f, 1}});
  CHECK(figure_of(odd.where(), "median") == 0.75);
}

TEST_CASE("map_elites asks an encoding with a schedule for its state at each generation") {
  auto search = started({.children = 1, .generations = 3}, scheduled_counting{});
  tell(search, {{0.5f}});
  CHECK(search.ask().ids == std::vector{1000});
  tell(search, {{0.6f}});
  CHECK(search.ask().ids == std::vector{3000});  // 1000, then generation 2
}

TEST_CASE("a run of map_elites is the prefix of a longer one, and depends on the seed") {
  pixels const encoding;
  auto shorter = started({.children = 5, .generations = 2}, encoding, 3);
  auto longer = started({.children = 5, .generations = 9}, encoding, 3);
  auto other = started({.children = 5, .generations = 9}, encoding, 4);
  for (int generation = 0; generation <= 2; ++generation) {
    CHECK(shorter.ask().genes == longer.ask().genes);
    CHECK(other.ask().genes != longer.ask().genes);
    auto values = filled<float, 2>({5, 2});
    for (std::size_t i = 0; i < 5; ++i) values(i, 0) = shorter.ask().rows().row(i)[0], values(i, 1) = 1 - values(i, 0);
    for (auto* search : {&shorter, &longer, &other}) tell(*search, values);
  }
  CHECK(shorter.best().genes == longer.best().genes);
}

TEST_CASE("map_elites draws new numbers in each generation") {
  auto search = started({.children = 2, .generations = 3}, pixels{});
  tell(search, {{1}, {0}});
  auto const first = search.ask().genes;
  tell(search, {{0}, {0}});  // the same champion again
  CHECK(search.ask().genes != first);
}

TEST_CASE("map_elites' presets are those of the paper and of its code") {
  constexpr auto is = [](map_elites const& m, std::size_t children, std::size_t generations) {
    return m.children == children && m.generations == generations;
  };
  static_assert(is(map_elites::paper_mnist(), 200, 200));
  static_assert(is(map_elites::paper_imagenet_cppn(), 400, 5000));
  static_assert(is(map_elites::paper_imagenet_direct(), 200, 20'000));
  static_assert(is(map_elites::released_mnist_cppn(), 200, 1001));
  static_assert(is(map_elites::released_mnist_direct(), 200, 1010));
  static_assert(is(map_elites::released_imagenet_cppn(), 400, 5001));
  static_assert(is(map_elites::released_imagenet_direct(), 200, 5010));
}

TEST_CASE("map_elites refuses what it cannot work with") {
  CHECK_THROWS_WITH_AS(started({.children = 0}, counting{}), "map_elites: children is 0; give at least 1", error);
  labelled_images const two{filled<float, 4>({2, 1, 2, 2}), {}};
  CHECK_THROWS_WITH_AS(static_cast<void>(map_elites{}.start(counting{}, as_view(two.images), rng(1))),
                       "map_elites: it keeps one champion per class and starts from 1 image, not 2; give blank(model.input())", error);
}
