// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/polished.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encodings/cppn.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/objectives/logit.hpp>

#include <doctest/doctest.h>

#include <support/kept_runs.hpp>
#include <support/lenet_task.hpp>
#include <support/small_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pareidolia_test {
namespace {

static_assert(TargetingOptimizer<polished, pixels, host> && TargetingOptimizer<polished, cppn, host>);
static_assert(!ScoreOptimizer<polished, pixels, host> && !GradientOptimizer<polished, pixels, host>);
static_assert(Stateful<polished::search<pixels, host>> && Stateful<polished::search<cppn, host>>);

/// Genotypes are numbers: drawn ones are 0, 1, 2, ...; a child is its parent + 100; to climb is to add the slope times the length.
struct numbers {
  template <space S>
  struct population {
    std::vector<float> values;
    [[nodiscard]] std::size_t size() const { return values.size(); }
    void assign(std::span<std::size_t const> to, population const& q, std::span<std::size_t const> from) {
      for (std::size_t k = 0; k < to.size(); ++k) values[to[k]] = q.values[from[k]];
    }
  };
  population<host> buffer(std::size_t n, const_image_view<host>) const { return {std::vector<float>(n)}; }
  void decode(population<host> const&, const_image_view<host>, image_view<host>) const {}
  void pullback(population<host> const&, const_image_view<host>, const_image_view<host>, population<host>&) const {}
  void climb(population<host>& p, population<host> const& dp, std::span<float const> lengths) const {
    for (std::size_t i = 0; i < p.size(); ++i) p.values[i] += dp.values[i] * lengths[i];
  }
  void draw(population<host>& children, rng const&) const {
    for (std::size_t i = 0; i < children.size(); ++i) children.values[i] = static_cast<float>(i);
  }
  void vary(population<host> const& parents, population<host>& children, rng const&) const {
    for (std::size_t i = 0; i < children.size(); ++i) children.values[i] = parents.values[i] + 100;
  }
};

labelled_images const canvas = blank({1, 2, 2});

auto started(polished const& policy) { return policy.start(numbers{}, as_view(canvas.images), rng(1)); }

template <class Search>
void tell(Search& search, tensor<float, 2> const& values) {
  search.tell({as_view(values), as_view(values)});
}

std::vector<int> targets_of(polished::search<numbers, host> const& search) {
  auto const targets = search.targets();
  return {targets.begin(), targets.end()};
}

double figure_of(standing const& where, std::string_view name) {
  for (figure const& f : where.figures)
    if (f.name == name) return f.value;
  return std::nan("");
}

}  // namespace

TEST_CASE("polished lets children climb so many steps and offers every look at them to all cells") {
  auto search = started({.inner = {.children = 2, .generations = 1}, .steps = 2, .rate = 0.5f});
  CHECK(search.ask().values == std::vector{0.f, 1.f});
  tell(search, {{0.1f, 0.3f}, {0.4f, 0.2f}});
  CHECK(search.best().values == std::vector{1.f, 0.f});
  CHECK(targets_of(search) == std::vector{1, 0});
  CHECK(search.ask().values == std::vector{0.f, 1.f});

  search.learn({{2.f, 4.f}});
  CHECK(search.ask().values == std::vector{1.f, 3.f});
  tell(search, {{0.5f, 0.2f}, {0.45f, 0.1f}});  // the first child wins a cell that it does not aim at
  CHECK(search.best().values == std::vector{1.f, 0.f});
  CHECK(search.elites()[0].id == 2);
  CHECK(search.elites()[1].id == 0);
  CHECK(figure_of(search.where(), "climbed") == doctest::Approx((-0.1 + 0.05) / 2));
  CHECK(targets_of(search) == std::vector{1, 0});

  search.learn({{2.f, 4.f}});  // the first child, which has lost by its step, takes half of one
  CHECK(search.ask().values == std::vector{1.5f, 5.f});
  CHECK_FALSE(search.done());
  tell(search, {{0.1f, 0.9f}, {0.1f, 0.1f}});
  CHECK(search.targets().empty());
  CHECK(search.best().values == std::vector{1.f, 1.5f});
  CHECK(search.elites()[1].id == 4);
  CHECK(search.elites()[1].generation == 0);

  for (float value : search.ask().values) CHECK((value == 101.f || value == 101.5f));  // children of champions that climbed
  for (std::size_t look = 0; look < 3; ++look) {
    CHECK_FALSE(search.done());
    tell(search, {{0.1f, 0.1f}, {0.1f, 0.1f}});
    if (look < 2) search.learn({{0.f, 0.f}});
  }
  CHECK(search.done());
  CHECK(search.where().step == 5);
  CHECK(search.where().steps == 5);
}

TEST_CASE("a child of polished aims where it is near to winning much, or at the class that it comes from") {
  for (auto const towards : {polished::aim::promise, polished::aim::descent}) {
    auto search = started({.inner = {.children = 3, .generations = 2}, .steps = 1, .towards = towards});
    tell(search, {{0.99f, 0.1f, 0.01f}, {0.9f, 0.05f, 0.02f}, {0.1f, 0.04f, 0.002f}});
    // Against the best of them, (.99, .1, .02): in the first class there is nothing left to win.
    CHECK(targets_of(search) == std::vector{1, 2, 1});
    search.learn({{0.f, 0.f, 0.f}});
    tell(search, {{0.f, 0.f, 0.f}, {0.f, 0.f, 0.f}, {0.f, 0.f, 0.f}});

    std::vector<std::size_t> const parents = [&] {
      std::vector<std::size_t> cells;
      for (float child : search.ask().values) cells.push_back(child == 101.f ? 2 : 0);  // 0 is the champion of two classes
      return cells;
    }();
    tell(search, {{0.9f, 0.09f, 0.f}, {0.9f, 0.f, 0.01f}, {0.9f, 0.001f, 0.f}});
    auto const targets = targets_of(search);
    if (towards == polished::aim::promise)
      CHECK(targets == std::vector{1, 2, 0});
    else
      for (std::size_t i = 0; i < 3; ++i) CHECK((targets[i] == 2) == (parents[i] == 2));
  }
}

TEST_CASE("polished without steps is map_elites") {
  toy const model{};
  map_elites const inner{.children = 10, .generations = 8};
  auto const plain = run(attack{pixels{}, class_probability{}, inner}, model, blank(model.input()), rng(3));
  auto const same = run(attack{pixels{}, class_probability{}, polished{.inner = inner, .steps = 0}}, model, blank(model.input()), rng(3));
  check_same(plain, same);
  CHECK(same.backwards == 0);
}

TEST_CASE("polished counts its backward passes, and does not depend on how it is cut") {
  toy const model{};
  attack const by_pixels{pixels{}, class_probability{}, polished{.inner = {.children = 6, .generations = 3}, .steps = 2}};
  auto const canvas_of_model = blank(model.input());
  auto const whole = run(by_pixels, model, canvas_of_model, rng(3));
  CHECK(whole.steps == 12);
  CHECK(whole.backwards == 6 * 2 * 4);
  CHECK(whole.forwards == 6 * 3 * 4 + model.classes() + 1);
  for (std::size_t steps : {1u, 2u, 3u, 5u}) check_same(whole, run_in_pieces(by_pixels, model, canvas_of_model, 3, 2 + steps));

  toy const grey{.shape = {1, 6, 5}};
  attack const by_networks{cppn{}, class_probability{}, polished{.inner = {.children = 6, .generations = 3}, .steps = 2}};
  auto const evolved = run(by_networks, grey, blank(grey.input()), rng(3));
  check_same(evolved, run_in_pieces(by_networks, grey, blank(grey.input()), 3, 4));
  CHECK_FALSE(evolved.births.empty());
}

TEST_CASE("polished refuses what it cannot work with") {
  CHECK(message_of([] { (void)started({.rate = 0}); }) == "polished: rate is 0; give more than 0");
  toy const model{};
  CHECK(message_of([&] {
          (void)run(attack{pixels{}, logit{}, polished{}}, model, blank(model.input()), rng(1));
        }).find("it climbs probabilities, which are 1 at most: class_probability") != std::string::npos);
}

TEST_CASE("data: children that climb make LeNet sure of images without digits with fewer passes") {
  auto const net = trained_lenet();
  auto const canvas_of_net = blank(net.input());
  auto const lowest = [](outcome const& r) { return *std::min_element(r.values.begin(), r.values.end()); };
  auto const plain = run(attack{pixels{}, class_probability{}, map_elites{.children = 100, .generations = 29}}, net, canvas_of_net, rng(1));
  auto const hybrid =
      run(attack{pixels{}, class_probability{}, polished{.inner = {.children = 100, .generations = 9}, .steps = 1, .rate = 0.05f}}, net,
          canvas_of_net, rng(1));
  CHECK(hybrid.forwards + hybrid.backwards <= plain.forwards);
  MESSAGE("lowest confidence of the ten digits: " << lowest(plain) << " evolved, " << lowest(hybrid) << " polished");
  CHECK(lowest(hybrid) > 0.99f);
  CHECK(lowest(plain) < 0.9f);
}

}  // namespace pareidolia_test
