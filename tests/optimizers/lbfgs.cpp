// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/lbfgs.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/logit.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/opposite.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>
#include <support/nearest_border.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
using doubles = std::vector<double>;

// The score is -f, f a function of one image in double with its gradient.
template <class F>
struct function_model {
  static constexpr space memory = space::host;
  struct workspace {
    std::vector<float> x;
  };
  std::size_t length = 2;
  F f = {};

  [[nodiscard]] image_shape input() const { return {1, 1, length}; }
  [[nodiscard]] std::size_t classes() const { return 1; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& at) const {
    at.x.assign(x.data, x.data + x.size());
    doubles gradient(length);
    for (std::size_t i = 0; i < x.shape[0]; ++i) y.row(i)[0] = static_cast<float>(-f(x.row(i), gradient));
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& at) const {
    doubles gradient(length);
    for (std::size_t i = 0; i < dx.shape[0]; ++i) {
      f(std::span<float const>(at.x).subspan(i * length, length), gradient);
      for (std::size_t j = 0; j < length; ++j) dx.row(i)[j] = static_cast<float>(-gradient[j] * double{dy.row(i)[0]});
    }
  }
};

// sum_j 100 (u_{j+1} - u_j^2)^2 + (1 - u_j)^2, u = low + (high - low) x.
struct rosenbrock {
  double low = -1.5, high = 1.5;
  double operator()(std::span<float const> x, doubles& gradient) const {
    double const scale = high - low;
    doubles u;
    for (float v : x) u.push_back(low + scale * double{v});
    double sum = 0;
    std::fill(gradient.begin(), gradient.end(), 0.);
    for (std::size_t j = 0; j + 1 < u.size(); ++j) {
      double const bend = u[j + 1] - u[j] * u[j];
      sum += 100 * bend * bend + (1 - u[j]) * (1 - u[j]);
      gradient[j] += scale * (-400 * u[j] * bend - 2 * (1 - u[j]));
      gradient[j + 1] += scale * 200 * bend;
    }
    return sum;
  }
};

// (x - a)^T A (x - a) / 2 with A = diagonal + ones * coupling, a partly outside [0, 1].
struct bowl {
  [[nodiscard]] static double a(std::size_t j) { return .5 + .9 * std::sin(3. * static_cast<double>(j) + 1); }
  [[nodiscard]] static double diagonal(std::size_t j) { return 1 + 10. * static_cast<double>(j % 4); }
  static constexpr double coupling = .5;
  double operator()(std::span<float const> x, doubles& gradient) const {
    double together = 0, value = 0;
    for (std::size_t j = 0; j < x.size(); ++j) together += double{x[j]} - a(j);
    for (std::size_t j = 0; j < x.size(); ++j) {
      double const r = double{x[j]} - a(j);
      gradient[j] = diagonal(j) * r + coupling * together;
      value += r * gradient[j] / 2;
    }
    return value;
  }
  // The least in [0, 1]^n, one value after the other, which converges since A is positive definite.
  [[nodiscard]] static doubles least(std::size_t n) {
    doubles x(n, .5);
    for (int sweep = 0; sweep < 500; ++sweep)
      for (std::size_t j = 0; j < n; ++j) {
        double others = 0;
        for (std::size_t k = 0; k < n; ++k)
          if (k != j) others += x[k] - a(k);
        x[j] = std::clamp(a(j) - coupling * others / (diagonal(j) + coupling), 0., 1.);
      }
    return x;
  }
};

template <class M>
outcome lowest(M const& model, labelled_images const& canvas, lbfgs const& how, std::size_t batch = 64) {
  return run(attack{perturbation{l2{}}, logit{}, how}, model, canvas, rng{1}, batch_size{batch});
}

constexpr lbfgs thorough{.distortion = 0, .steps = 300, .tolerance = 0};

}  // namespace

TEST_CASE("lbfgs follows the valley of Rosenbrock's function to its end") {
  function_model<rosenbrock> const valley{2};
  labelled_images canvas{filled<float, 4>({3, 1, 1, 2}), {0, 0, 0}};
  canvas.images = {{{{.1f, .8f}}}, {{{.9f, .2f}}}, {{{.5f, .5f}}}};
  auto const r = lowest(valley, canvas, thorough);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 2; ++j) CHECK(r.images(i, 0, 0, j) == doctest::Approx(2.5 / 3).epsilon(1e-4));
    CHECK(r.values[i] > -1e-7f);
    CHECK(r.forwards_spent[i] < 120);  // steepest descent takes thousands
  }
  auto const longer = random_images(function_model<rosenbrock>{10}, 4, 3, .6f, 1.f);
  auto const s = lowest(function_model<rosenbrock>{10}, longer, thorough);
  for (std::size_t i = 0; i < 4; ++i) CHECK(s.values[i] > -1e-5f);
}

TEST_CASE("lbfgs ends where Rosenbrock's function is least within bounds that keep it from its minimum") {
  // u_1 <= 1/2 holds the minimum at (1/2, 1/4), where f = 1/4.
  function_model<rosenbrock> const valley{2, {-1.5, .5}};
  labelled_images canvas{filled<float, 4>({2, 1, 1, 2}), {0, 0}};
  canvas.images = {{{{.2f, .9f}}}, {{{.9f, .1f}}}};
  auto const r = lowest(valley, canvas, thorough);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(r.images(i, 0, 0, 0) == 1);
    CHECK(r.images(i, 0, 0, 1) == doctest::Approx(1.75 / 2).epsilon(1e-4));
    CHECK(r.values[i] == doctest::Approx(-.25).epsilon(1e-5));
  }
  // A ball of linf is a box too: u_1 within .1 * 3 of -.3.
  function_model<rosenbrock> const wide{2};
  canvas.images = {{{{.4f, .5f}}}, {{{.4f, .5f}}}};
  auto const near = run(attack{perturbation{linf{.1f}}, logit{}, thorough}, wide, canvas, rng{1});
  CHECK(near.images(0, 0, 0, 0) == doctest::Approx(.5));
  CHECK(near.images(0, 0, 0, 1) == doctest::Approx(.5));
}

TEST_CASE("lbfgs finds the least of a bowl in the box, with many values at its bounds") {
  std::size_t const n = 40;
  function_model<bowl> const model{n};
  auto const canvas = random_images(model, 3, 1, 0, 1);
  auto const r = lowest(model, canvas, thorough);
  auto const expected = bowl::least(n);
  std::size_t bound = 0;
  for (std::size_t j = 0; j < n; ++j) {
    bound += expected[j] == 0 || expected[j] == 1;
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(double{as_view(r.images).row(i)[j]} - expected[j]) < 2e-3);  // what floats can tell
  }
  CHECK(bound > 10);
  CHECK(bound < 30);
  for (std::size_t i = 0; i < 3; ++i) CHECK(r.forwards_spent[i] < 100);
  for (std::size_t batch : {1u, 2u}) CHECK(lowest(model, canvas, thorough, batch).images == r.images);
}

TEST_CASE("on planes and spheres lbfgs finds the nearest image of the other class, inside the box") {
  check_shortest(lbfgs{.bisections = 14, .steps = 100, .tolerance = 1e-6f}, margin{}, towards{margin{}}, .005);
}

TEST_CASE("the answer of lbfgs is the same in a batch of any size") {
  check_batches(lbfgs{}, margin{});
  check_batches(lbfgs{.distortion = 0, .steps = 3}, margin{});
}

TEST_CASE("what lbfgs finds hardly depends on the c it begins with") {
  auto const planes = random_planes(2, {1, 3, 4}, 6);
  auto const canvas = random_images(planes, 5, 7);
  for (float c : {1e-3f, 1.f, 1e3f}) {
    CAPTURE(c);
    check_lengths(run(attack{perturbation{l2{}}, margin{}, lbfgs{.distortion = c}}, planes, canvas, rng{1}), planes, canvas, .02);
  }
}

TEST_CASE("an image that is what lbfgs wants stays as it is, and so does one that cannot be") {
  auto planes = random_planes(2, {1, 3, 4}, 9);
  auto canvas = random_images(planes, 3, 10);
  canvas.labels[1] = 1 - canvas.labels[1];
  auto const r = run(attack{perturbation{l2{}}, margin{}, lbfgs{}}, planes, canvas, rng{1});
  CHECK(r.distances(1, 2) == 0);
  CHECK(r.forwards_spent[1] == 1);
  planes.b[static_cast<std::size_t>(canvas.labels[0])] += 1e3;
  auto const never = run(attack{perturbation{l2{}}, margin{}, lbfgs{}}, planes, canvas, rng{1});
  CHECK(never.success[0] == 0);
  CHECK(never.distances(0, 2) == 0);
}

TEST_CASE("lbfgs refuses searches of nothing") {
  auto const planes = random_planes(2, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 1, 2);
  auto const with = [&](lbfgs const& how) { return run(attack{perturbation{l2{}}, margin{}, how}, planes, canvas, rng{1}); };
  CHECK_THROWS_AS(with({.distortion = -1}), error);
  CHECK_THROWS_AS(with({.steps = 0}), error);
  CHECK_THROWS_AS(with({.memory = 0}), error);
  CHECK_THROWS_AS(with({.tolerance = std::numeric_limits<float>::quiet_NaN()}), error);
}

TEST_CASE("data: lbfgs changes digits less than DeepFool does, to leave a class, and reaches every class") {
  auto const lenet = trained_lenet();
  auto digits = known_digits(lenet, 60);
  auto const left = run(attack{perturbation{l2{}}, margin{}, lbfgs{}}, lenet, digits, rng{1});
  CHECK(std::ranges::count(left.success, 1) == 60);
  CHECK(mean_ratio(left, digits) < .18);
  for (std::size_t i = 0; i < 60; ++i) digits.labels[i] = (digits.labels[i] + 1 + static_cast<int>(i % 9)) % 10;
  auto const reached = run(attack{perturbation{l2{}}, towards{margin{}}, lbfgs{}}, lenet, digits, rng{1});
  CHECK(std::ranges::count(reached.success, 1) == 60);
  CHECK(mean_ratio(reached, digits) < .35);
}
