// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/genetic.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/patch.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/objectives/logit.hpp>
#include <pareidolia/objectives/margin.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/kept_runs.hpp>
#include <support/lenet_task.hpp>
#include <support/weighted_places.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
constexpr auto host = space::host;

// Genotypes are numbers: those drawn are 0, 1, 2, ...; a child is its parent + 1000.
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
    for (std::size_t i = 0; i < children.size(); ++i) children.ids[i] = parents.ids[i] + 1000;
  }
};

static_assert(ScoreOptimizer<genetic, pixels, host> && SamplingOptimizer<genetic, cppn, host> && ScoreOptimizer<genetic, patch, host>);
static_assert(!ClasswiseOptimizer<genetic, pixels, host> && !GradientOptimizer<genetic, pixels, host>);
static_assert(Stateful<search_t<genetic, cppn, host>>);

tensor<float, 4> const canvas = filled<float, 4>({3, 1, 2, 2});

auto started(genetic const& policy, std::size_t canvases = 1, std::uint64_t seed = 1) {
  return policy.start(counting{}, as_view(canvas).rows(0, canvases), rng(seed));
}

// Tells each genotype that was asked for what worth(canvas, genotype) says.
template <class Search, class Worth>
void tell(Search& search, Worth const& worth) {
  std::vector<float> values;
  for (std::size_t i = 0; i < search.ask().size(); ++i) values.push_back(worth(search.canvases()[i], search.ask().ids[i]));
  std::vector<int> const none(values.size());
  search.tell({{}, {values.data(), {values.size()}}, none, none, true});
}

double figure_of(standing const& where, std::string_view name) {
  for (figure const& f : where.figures)
    if (f.name == name) return f.value;
  return std::nan("");
}

// Class k likes pixels by its own weights: an image for each is known.
plane_model const planes = random_planes(4, {1, 4, 4}, 5);
labelled_images black(std::vector<int> labels) { return {filled<float, 4>({labels.size(), 1, 4, 4}), std::move(labels)}; }

}  // namespace

TEST_CASE("genetic asks for its population, canvas after canvas, a batch at a time") {
  auto search = started({.population = 5, .generations = 1, .elite = 1, .batch = 4}, 2);
  std::vector<std::vector<int>> asked;
  std::vector<std::size_t> canvases;
  for (; !search.done(); tell(search, [](std::size_t, int id) { return static_cast<float>(id); })) {
    asked.push_back(search.ask().ids);
    canvases.insert(canvases.end(), search.canvases().begin(), search.canvases().end());
  }
  REQUIRE(asked.size() == 5);
  CHECK(asked[0] == std::vector{0, 1, 2, 3});
  CHECK(asked[1] == std::vector{4, 0, 1, 2});
  CHECK(asked[2] == std::vector{3, 4});
  CHECK(asked[3].size() == 4);  // children of the first, but one place
  CHECK(asked[4].size() == 4);
  CHECK(canvases == std::vector<std::size_t>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1});
}

TEST_CASE("genetic keeps its elite without looking at it again, and replaces the others") {
  auto search = started({.population = 6, .generations = 1, .tournament = 3, .elite = 2});
  auto const worth = [](std::size_t, int id) { return static_cast<float>(id == 1 ? 10 : id == 4 ? 9 : id / 10000); };
  tell(search, worth);
  CHECK(search.best().ids == std::vector{1});
  CHECK(search.ask().size() == 4);
  for (int child : search.ask().ids) CHECK(child >= 1000);
  tell(search, worth);
  CHECK(search.done());
  CHECK(search.best().ids == std::vector{1});
  // The elite's values count in the mean of all: 10, 9 and four that are nothing.
  CHECK(figure_of(search.where(), "population") == doctest::Approx(19. / 6));
}

TEST_CASE("genetic chooses parents by tournaments: of n genotypes the best is a parent with probability 1 - (1 - 1/n)^size") {
  for (std::size_t size : {1u, 2u, 5u}) {
    auto search = started({.population = 20'000, .generations = 1, .tournament = size, .elite = 0, .batch = 20'000});
    tell(search, [](std::size_t, int id) { return id % 10 == 7 ? 1.f : 0.f; });  // one of ten is good
    auto const& children = search.ask().ids;
    auto const good = std::count_if(children.begin(), children.end(), [](int id) { return id % 10 == 7; });
    double const expected = 1 - std::pow(.9, static_cast<double>(size));
    CHECK(static_cast<double>(good) / 20'000 == doctest::Approx(expected).epsilon(.03));
  }
}

TEST_CASE("genetic remembers the best it has seen where no elite survives") {
  auto search = started({.population = 4, .generations = 3, .elite = 0});
  int generation = 0;
  for (; !search.done(); ++generation) tell(search, [&](std::size_t, int id) { return static_cast<float>(id % 1000 - 100 * generation); });
  CHECK(generation == 4);
  CHECK(search.best().ids == std::vector{3});
  CHECK(figure_of(search.where(), "max") == 3);
}

TEST_CASE("genetic leaves out canvases whose goal is reached, and is done when all are") {
  auto search = started({.population = 4, .generations = 100, .elite = 1, .goal = 2}, 3);
  std::vector<std::size_t> looks(3);
  auto const worth = [&](std::size_t c, int id) {
    ++looks[c];
    return c == 0 ? 5.f : static_cast<float>(id / 1000) / static_cast<float>(c);
  };
  while (!search.done()) tell(search, worth);
  CHECK(looks[0] == 4);
  CHECK(looks[1] == 4 + 2 * 3);  // 2000 after two generations
  CHECK(looks[2] == 4 + 4 * 3);
  CHECK(search.where().step == 4);
  CHECK(figure_of(search.where(), "reached") == 3);
  CHECK(figure_of(search.where(), "min") == 2);
  CHECK(figure_of(search.where(), "median") == 2);
  CHECK(figure_of(search.where(), "mean") == 3);
}

TEST_CASE("a NaN never wins in genetic, and nothing but NaN is an error") {
  float const no_number = std::numeric_limits<float>::quiet_NaN();
  auto search = started({.population = 3, .generations = 1, .tournament = 3, .elite = 1});
  tell(search, [&](std::size_t, int id) { return id == 2 ? -5.f : no_number; });
  CHECK(search.best().ids == std::vector{2});
  auto broken = started({.population = 3, .generations = 1}, 2);
  CHECK_THROWS_WITH_AS(tell(broken, [&](std::size_t c, int) { return c == 1 ? no_number : 1; }),
                       "genetic: no image of canvas 1 has a value in generation 0; check that the objective gives numbers", error);
}

TEST_CASE("genetic refuses what it cannot work with") {
  CHECK_THROWS_WITH_AS(started({.population = 2, .elite = 2}),
                       "genetic: elite is 2 of a population of 2; leave at least 1 to be replaced by children", error);
  CHECK_THROWS_WITH_AS(started({.tournament = 0}), "genetic: tournament is 0; give at least 1, or 2 for a choice", error);
  CHECK_THROWS_WITH_AS(started({.batch = 0}), "genetic: batch is 0; give at least 1", error);
}

TEST_CASE("genetic finds an image for each class that is asked for, at the cost that it says") {
  attack const aim{pixels{}, class_probability{}, genetic{.population = 40, .generations = 1000, .elite = 2, .goal = .95f}};
  auto const found = run(aim, planes, black({2, 0, 2}), rng(1));
  for (std::size_t i : {0u, 1u, 2u}) {
    CHECK(found.values[i] >= .95f);
    CHECK(found.success[i] == 1);
    CHECK((found.forwards_spent[i] - 40) % 38 == 0);
  }
  CHECK(found.targets == std::vector{2, 0, 2});
  CHECK(found.forwards == 6 + std::accumulate(found.forwards_spent.begin(), found.forwards_spent.end(), std::size_t{0}));
}

TEST_CASE("what becomes of a canvas in genetic does not depend on the others or the batch") {
  auto const with = [](std::vector<int> labels, std::size_t batch, std::uint64_t seed = 3) {
    attack const aim{pixels{.crossover = .5f}, class_probability{},
                     genetic{.population = 21, .generations = 8, .elite = 1, .batch = batch}};
    return run(aim, planes, black(std::move(labels)), rng(seed));
  };
  auto const alone = with({2}, 64), many = with({2, 0, 1}, 7);
  for (std::size_t j = 0; j < 16; ++j) CHECK(many.images.data()[j] == alone.images.data()[j]);
  check_same(with({2, 0, 1}, 1000), many);
  CHECK(with({2}, 64, 4).images != alone.images);
}

TEST_CASE("a run of genetic is the prefix of a longer one") {
  auto const values = [](std::size_t generations) {
    history log;
    attack const aim{cppn{}, class_probability{}, genetic{.population = 10, .generations = generations, .elite = 1, .batch = 10}};
    static_cast<void>(run(aim, planes, black({1}), rng(3), recorder{log}));
    return log.column("population");
  };
  auto const shorter = values(3), longer = values(9);
  CHECK(std::equal(shorter.begin(), shorter.end(), longer.begin()));
}

TEST_CASE("genetic that is killed again and again ends as if nothing had happened, with each encoding") {
  weighted_places const board{scrambled_weights(), {.5f, 1}, 40};
  genetic const how{.population = 11, .generations = 9, .elite = 2, .goal = 1e3f, .batch = 8};
  for (std::size_t steps : {3u, 7u}) {
    attack const direct{pixels{.crossover = .5f, .halve_every = 3}, class_probability{}, how};
    check_same(run_in_pieces(direct, planes, black({2, 0}), 1, steps), run(direct, planes, black({2, 0}), rng{1}));
    attack const indirect{cppn{}, class_probability{}, how};
    check_same(run_in_pieces(indirect, planes, black({2, 0}), 1, steps), run(indirect, planes, black({2, 0}), rng{1}));
    attack const pasted{board.encoding(), margin{}, how};
    check_same(run_in_pieces(pasted, board.model(), board.black(2, 1), 1, steps), run(pasted, board.model(), board.black(2, 1), rng{1}));
  }
}

TEST_CASE("genetic that was complete goes on if it is given more generations or another goal") {
  auto const with = [](std::size_t generations, float goal, auto&&... extras) {
    attack const aim{pixels{}, logit{}, genetic{.population = 12, .generations = generations, .elite = 2, .goal = goal}};
    return run(aim, planes, black({2, 0}), rng(3), extras...);
  };
  memory_keeper keeper;
  static_cast<void>(with(4, 1e9f, keeper));
  check_same(with(9, 1e9f, keeper), with(9, 1e9f));
  auto const easy = with(9, 0);
  memory_keeper other;
  static_cast<void>(with(9, 0, other));
  auto const further = with(12, 2, other);
  for (std::size_t i : {0u, 1u}) CHECK(further.values[i] >= easy.values[i]);
  CHECK(further.forwards > easy.forwards);
}

TEST_CASE("a state of genetic belongs to its settings") {
  auto const with = [](genetic const& how, memory_keeper& keeper) {
    static_cast<void>(run(attack{pixels{}, logit{}, how}, planes, black({2, 0}), rng(3), keeper));
  };
  memory_keeper keeper;
  with({.population = 12, .generations = 2}, keeper);
  CHECK_THROWS_WITH_AS(
      with({.population = 13, .generations = 2}, keeper),
      "memory: it was made with search/genetic.population = 12, this run has 13; go on with the same, or name another file", error);
}

TEST_CASE("data: genetic evolves an image of 99 % for each digit, a target at a time") {
  auto const net = trained_lenet();
  auto const canvas = repeated(blank(net.input()), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  attack const aim{cppn{}, class_probability{}, genetic{.population = 60, .generations = 40, .goal = .99f}};
  auto const found = run(aim, net, canvas, rng{1});
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(found.values[i] >= .99f);
    CHECK(found.labels[i] == static_cast<int>(i));
    CHECK(found.forwards_spent[i] <= 60 + 40 * 58);
  }
}
