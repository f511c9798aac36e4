// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/recovered.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/models/selection.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/misclassification.hpp>
#include <pareidolia/objectives/opposite.hpp>
#include <pareidolia/optimizers/apgd.hpp>
#include <pareidolia/optimizers/deepfool.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/lenet_task.hpp>
#include <support/quadric_model.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// y_0 = 0, y_1 = sum_j w_j u_j + a_j u_j^3 / 6 - .2, y_2 = -1 + u_0, u = x - 1/2: a boundary whose curvature is not the same all over.
struct cubic {
  static constexpr space memory = space::host;
  struct workspace {
    std::vector<float> x;
  };
  std::vector<double> w{.6, -.5, .4, .3, -.2, .7}, a{3, -2, 4, 5, -1, 2};
  std::uint64_t print = 7;

  [[nodiscard]] image_shape input() const { return {1, 2, 3}; }
  [[nodiscard]] std::size_t classes() const { return 3; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }
  [[nodiscard]] std::uint64_t fingerprint() const { return print; }
  [[nodiscard]] std::vector<double> scores(std::vector<double> const& x) const {
    double sum = -.2;
    for (std::size_t j = 0; j < 6; ++j) sum += w[j] * (x[j] - .5) + a[j] * std::pow(x[j] - .5, 3) / 6;
    return {0, sum, -1 + (x[0] - .5)};
  }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& at) const {
    at.x.assign(x.data, x.data + x.size());
    for (std::size_t i = 0; i < x.shape[0]; ++i)
      std::ranges::transform(scores({x.row(i).begin(), x.row(i).end()}), y.row(i).begin(), [](double v) { return static_cast<float>(v); });
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& at) const {
    for (std::size_t i = 0; i < dx.shape[0]; ++i)
      for (std::size_t j = 0; j < 6; ++j) {
        double const u = double{at.x[i * 6 + j]} - .5, slope = w[j] + a[j] * u * u / 2;
        dx.row(i)[j] = static_cast<float>(double{dy.row(i)[1]} * slope + (j == 0 ? double{dy.row(i)[2]} : 0));
      }
  }
};

/// An image of each side of the boundary between classes 0 and 1.
labelled_images two_sides() { return {{{{{.5f, .6f, .4f}, {.55f, .45f, .5f}}}, {{{.9f, .2f, .8f}, {.7f, .4f, .9f}}}}, {0, 1}}; }

/// What a model says of images, with the gradient for some dy.
template <class M>
std::pair<tensor<float, 2>, tensor<float, 4>> seen_by(M const& m, tensor<float, 4> const& x, tensor<float, 2> const& dy) {
  auto w = m.prepare(x.shape()[0]);
  auto y = filled<float, 2>({x.shape()[0], m.classes()});
  tensor<float, 4> dx = x;
  m.forward(as_view(x), as_view(y), w);
  m.backward(as_view(dy), as_view(dx), w);
  return {y, dx};
}

int highest_of(tensor<float, 2> const& y, std::size_t i) {
  auto const row = as_view(y).row(i);
  return static_cast<int>(std::ranges::max_element(row) - row.begin());
}

}  // namespace

TEST_CASE("a recovered model exchanges two scores of what is taken for perturbed") {
  cubic const m;
  auto const x = two_sides();
  curvature_detector detector{.random = rng{1}, .classes = 2};
  auto const rho = measure(detector, m, x);
  detector.threshold = (rho.statistic[0] + rho.statistic[1]) / 2;
  auto const judged = measure(detector, m, x);
  std::size_t const marked = judged.perturbed[0] ? 0 : 1, other = 1 - marked;
  REQUIRE(judged.perturbed[marked] == 1);
  REQUIRE(judged.perturbed[other] == 0);
  tensor<float, 2> const dy{{.5f, -1, .25f}, {2, .75f, -.5f}};
  auto const [y, dx] = seen_by(recovered{m, detector}, x.images, dy);
  auto exchanged = dy;
  auto const a = static_cast<std::size_t>(judged.seen[marked]), b = static_cast<std::size_t>(judged.recovered[marked]);
  REQUIRE(a != b);
  std::swap(exchanged(marked, a), exchanged(marked, b));
  auto [plain, expected] = seen_by(m, x.images, exchanged);
  CHECK(dx == expected);
  std::swap(plain(marked, a), plain(marked, b));
  CHECK(y == plain);
  for (std::size_t i = 0; i < 2; ++i) CHECK(highest_of(y, i) == judged.recovered[i]);
}

TEST_CASE("a guarded model has its last class where the detector takes an image for perturbed") {
  cubic const m;
  auto const x = two_sides();
  curvature_detector detector{.random = rng{1}};
  auto const rho = measure(detector, m, x);
  detector.threshold = (rho.statistic[0] + rho.statistic[1]) / 2;
  auto const judged = measure(detector, m, x);
  guarded const g{m, detector, 10};
  CHECK(g.classes() == 4);
  auto const [y, dx] = seen_by(g, x.images, filled<float, 2>({2, 4}));
  auto const plain = seen_by(m, x.images, filled<float, 2>({2, 3})).first;
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(highest_of(y, i) == (judged.perturbed[i] ? 3 : judged.seen[i]));
    for (std::size_t k = 0; k < 3; ++k) CHECK(y(i, k) == plain(i, k));
    auto const top = static_cast<std::size_t>(highest_of(plain, i));
    CHECK(double{y(i, 3)} == doctest::Approx(double{plain(i, top)} + 10 * (rho.statistic[i] - detector.threshold)));
  }
}

TEST_CASE("gradients of a guarded model are those of its scores, norms and normals and the way to the boundary held fixed") {
  cubic const m;
  auto const x = two_sides();
  tensor<float, 2> const dy{{.3f, -.2f, .4f, 1.5f}, {.6f, -.1f, .2f, -.75f}};
  for (auto at : {curvature_at::boundary, curvature_at::image}) {
    curvature_detector const detector{.random = rng{1}, .at = at, .directions = 7, .classes = 2, .step = .05f};
    double const gain = 3;
    auto const [y, dx] = seen_by(guarded{m, detector, static_cast<float>(gain)}, x.images, dy);
    detail::landscape f("test", m, 64);
    auto const r = detail::read_curvatures(f, detail::rows_of(as_view(x.images)), detector);
    for (std::size_t i = 0; i < 2; ++i) {
      auto const image = as_view(x.images).row(i);
      std::vector<double> const from(image.begin(), image.end());
      auto const value = [&](std::vector<double> const& moved) {
        auto const score = [&](std::size_t c, double t, std::span<float const> u) {
          std::vector<double> z(6);
          for (std::size_t j = 0; j < 6; ++j) z[j] = double{r.points(i, j)} + (moved[j] - from[j]) + t * double{u[j]};
          auto const s = m.scores(z);
          return s[static_cast<std::size_t>(r.other(i, c))] - s[static_cast<std::size_t>(r.own[i])];
        };
        double rho = 0;
        for (std::size_t c = 0; c < 2; ++c) {
          auto const second = [&](std::span<float const> u) {
            return (score(c, r.h, u) - 2 * score(c, 0, u) + score(c, -r.h, u)) / (r.h * r.h);
          };
          double sum = -second(r.normal(i, c));
          for (std::size_t j = 0; j < 7; ++j) sum += second(as_view(r.directions).row(j)) * 6 / 7;
          rho += sum / (5 * r.slopes(i, c)) / 2;
        }
        auto const s = m.scores(moved);
        double sum = double{dy(i, 3)} * (s[static_cast<std::size_t>(r.own[i])] + gain * rho);
        for (std::size_t k = 0; k < 3; ++k) sum += double{dy(i, k)} * s[k];
        return sum;
      };
      for (std::size_t j = 0; j < 6; ++j) {
        auto up = from, down = from;
        up[j] += 1e-4;
        down[j] -= 1e-4;
        CHECK(double{as_view(dx).row(i)[j]} == doctest::Approx((value(up) - value(down)) / 2e-4).epsilon(1e-3));
      }
    }
  }
}

TEST_CASE("a guarded model without a statistic says that nothing was perturbed") {
  plane_model const flat{.shape = {1, 2, 2}, .w = {std::vector<double>(4), std::vector<double>(4)}, .b = {1, 0}};
  auto const [y, dx] =
      seen_by(guarded{flat, curvature_detector{.random = rng{1}}, 2}, grey_images({1, 2, 2}, 1).images, filled<float, 2>({1, 3}, 1));
  CHECK(y(0, 2) == -1);
  CHECK(dx == filled<float, 4>({1, 1, 2, 2}));
}

TEST_CASE("models that ask a detector have fingerprints of their own and refuse what makes no sense") {
  cubic const m;
  curvature_detector const one{.random = rng{1}};
  auto other = one;
  other.threshold = .5;
  CHECK(guarded{m, one}.fingerprint() != recovered{m, one}.fingerprint());
  CHECK(guarded{m, one}.fingerprint() != guarded{m, other}.fingerprint());
  CHECK(guarded{m, one}.fingerprint() == guarded{m, one}.fingerprint());
  CHECK(guarded{m, one}.fingerprint() != m.fingerprint());
  cubic const twin{.print = 8};
  CHECK(guarded{m, one}.fingerprint() != guarded{twin, one}.fingerprint());
  CHECK_THROWS_WITH((guarded{m, one, 0}), "guarded: gain is 0; give a positive number");
  other.directions = 0;
  CHECK_THROWS_WITH((recovered{m, other}), "curvature_detector: directions is 0; give at least 1");
  static_assert(DifferentiableModel<guarded<cubic>> && DifferentiableModel<recovered<cubic>>);
  static_assert(FingerprintedModel<guarded<cubic>> && !FingerprintedModel<guarded<plane_model>>);
  static_assert(!std::is_constructible_v<guarded<cubic>, cubic, curvature_detector const&, float>);
}

TEST_CASE("data: LeNet's digits that DeepFool perturbed are recovered, and an attack that knows the detector evades it") {
  auto const lenet = trained_lenet();
  auto const digits = known_digits(lenet, 20);
  auto const detector = calibrate(curvature_detector{.random = rng{1}, .directions = 10}, lenet, digits, .05);
  auto const fooled = run(attack{perturbation{l2{}}, misclassification{}, deepfool{}}, lenet, digits, rng{1});
  auto const same = [&](auto const& model, tensor<float, 4> const& images, std::vector<int> const& labels) {
    auto const seen = classified(model, images);
    return std::inner_product(seen.begin(), seen.end(), labels.begin(), 0, std::plus<>{}, std::equal_to<>{});
  };
  recovered const healed{lenet, detector};
  CHECK(same(lenet, fooled.images, digits.labels) == 0);
  CHECK(same(healed, fooled.images, digits.labels) >= 18);
  CHECK(same(healed, digits.images, digits.labels) >= 18);

  guarded const model{lenet, detector};
  CHECK(same(model, fooled.images, std::vector<int>(20, 10)) >= 18);
  labelled_images start{digits.images, fooled.labels};
  start = first_images(start, 10);
  auto const evading = run(attack{perturbation{l2{3}}, towards{margin{}}, apgd{.steps = 40}}, model, start, rng{2});
  CHECK(std::ranges::count(evading.success, 1) >= 7);
  auto const judged = measure(detector, lenet, labelled_images{evading.images, {}});
  for (std::size_t i = 0; i < 10; ++i)
    if (evading.success[i]) CHECK(judged.seen[i] == start.labels[i]);
  CHECK(std::ranges::count(judged.perturbed, 1) <= 3);
}
