// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// Every optimizer of perturbations on a network whose borders are known, on both engines of the host, for any batch size and number of
// threads.
#include <pareidolia/attack.hpp>

#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/misclassification.hpp>
#include <pareidolia/optimizers/apgd.hpp>
#include <pareidolia/optimizers/carlini_wagner.hpp>
#include <pareidolia/optimizers/decoupled_norm.hpp>
#include <pareidolia/optimizers/deepfool.hpp>
#include <pareidolia/optimizers/lbfgs.hpp>
#include <pareidolia/optimizers/minimal_radius.hpp>
#include <pareidolia/optimizers/momentum.hpp>
#include <pareidolia/optimizers/pgd.hpp>
#include <pareidolia/optimizers/restarts.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace pareidolia_test {
namespace {

/// y = W x + b with three classes of 3x5x5 images.
graph const plane_graph{"planes", {3, 5, 5}, {}, {{"ip", layer::inner_product{.outputs = 3}}}};

struct planes {
  plane_model exact = random_planes(3, {3, 5, 5}, 21);
  labelled_images canvas = random_images(exact, 9, 22, .45f, .55f);
  weights trained;

  planes() {
    parameter w{{3, 75}, {}}, b{{3}, {}};
    for (auto const& row : exact.w) w.values.insert(w.values.end(), row.begin(), row.end());
    b.values.assign(exact.b.begin(), exact.b.end());
    trained.parameters = {{"ip.weight", w}, {"ip.bias", b}};
  }

  /// Distance from image i to the nearest border of its class: |f_k - f_own| / ||w_k - w_own||, in the dual of l2 or of linf.
  [[nodiscard]] double nearest(std::size_t i, bool euclidean) const {
    auto const x = as_view(canvas.images).row(i);
    auto const own = static_cast<std::size_t>(canvas.labels[i]);
    double shortest = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < 3; ++k) {
      if (k == own) continue;
      double square = 0, sum = 0;
      for (std::size_t j = 0; j < 75; ++j) {
        double const d = exact.w[k][j] - exact.w[own][j];
        square += d * d;
        sum += std::abs(d);
      }
      shortest = std::min(shortest, (exact.score(own, x) - exact.score(k, x)) / (euclidean ? std::sqrt(square) : sum));
    }
    return shortest;
  }
};

/// Runs an attack on both engines, in batches of all, 1 and 4, with as many threads as there are and with one: all the same, and all
/// within `slack` of the nearest border.
template <class A>
void check_nearest(A const& a, bool euclidean, double slack) {
  planes const p;
  std::vector<outcome> found;
  auto const on = [&](auto const& engine) {
    network const net{engine, plane_graph, p.trained};
    for (std::size_t batch : {64u, 1u, 4u}) found.push_back(run(a, net, p.canvas, rng{23}, batch_size{batch}));
#ifdef _OPENMP
    int const threads = omp_get_max_threads();
    omp_set_num_threads(1);
    found.push_back(run(a, net, p.canvas, rng{23}, batch_size{4}));
    omp_set_num_threads(threads);
#endif
  };
  on(reference_engine<float>{});
  on(cpu_engine{});
  for (outcome const& each : found)
    for (std::size_t i = 0; i < 9; ++i) {
      double const distance = double{each.distances(i, euclidean ? 2 : 3)}, nearest = p.nearest(i, euclidean);
      CHECK(each.success[i] == 1);
      CHECK(distance >= nearest * (1 - 1e-4));
      CHECK(distance <= nearest * (1 + slack));
      CHECK(distance == doctest::Approx(double{found[0].distances(i, euclidean ? 2 : 3)}).epsilon(std::max(1e-3, slack / 10)));
    }
}

}  // namespace

TEST_CASE("deepfool ends at the nearest border, as far beyond it as it overshoots") {
  check_nearest(attack{perturbation{l2{}}, misclassification{}, deepfool{.overshoot = .01f}}, true, .0101);
  check_nearest(attack{perturbation{linf{}}, misclassification{}, deepfool{.overshoot = .01f}}, false, .0101);
}
TEST_CASE("decoupled_norm ends at the nearest border") {
  check_nearest(attack{perturbation{l2{}}, margin{}, decoupled_norm{.steps = 300, .rate = .2f, .radius = .2f}}, true, .02);
}
TEST_CASE("carlini_wagner ends at the nearest border") {
  check_nearest(attack{perturbation{l2{}}, margin{}, carlini_wagner{.searches = 9}}, true, .05);
}
TEST_CASE("lbfgs ends at the nearest border") { check_nearest(attack{perturbation{l2{}}, margin{}, lbfgs{.bisections = 12}}, true, .05); }
TEST_CASE("the smallest ball in which pgd, apgd and their likes succeed touches the nearest border") {
  auto const smallest = [](auto const& optimizer, double slack) {
    check_nearest(attack{perturbation{l2{2}}, margin{}, minimal_radius{18, optimizer}}, true, slack);
    check_nearest(attack{perturbation{linf{.3f}}, margin{}, minimal_radius{18, optimizer}}, false, slack);
  };
  smallest(pgd{.steps = 20, .random_start = false}, .01);
  smallest(fgsm{}, .01);
  smallest(momentum{.5f, pgd{.steps = 20, .random_start = false}}, .01);
  smallest(apgd{.steps = 30, .random_start = false}, .01);
  smallest(restarts{2, pgd{.steps = 40}}, .05);
}

}  // namespace pareidolia_test
