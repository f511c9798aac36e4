// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/momentum.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

/// x_t+1 = x_t + rate m / ||m||_2 as the paper has it, for cross entropy on planes; no box is met.
std::vector<double> by_hand(plane_model const& m, std::span<float const> canvas, std::size_t label, double share, double rate,
                            std::size_t steps) {
  std::vector<double> x(canvas.begin(), canvas.end()), memory(x.size());
  for (std::size_t t = 0; t < steps; ++t) {
    std::vector<double> p, g(x.size());
    double sum = 0, one = 0, two = 0;
    for (std::size_t k = 0; k < m.classes(); ++k) sum += p.emplace_back(std::exp(m.score(k, x)));
    for (std::size_t j = 0; j < x.size(); ++j)
      for (std::size_t k = 0; k < p.size(); ++k) g[j] += (p[k] / sum - (k == label)) * m.w[k][j];
    for (double v : g) one += std::abs(v);
    for (std::size_t j = 0; j < x.size(); ++j) memory[j] = share * memory[j] + g[j] / one;
    for (double v : memory) two += v * v;
    for (std::size_t j = 0; j < x.size(); ++j) x[j] += rate * memory[j] / std::sqrt(two);
  }
  return x;
}

}  // namespace

TEST_CASE("momentum adds up gradients of length 1 in the sum of magnitudes, in batches of any size") {
  auto const planes = random_planes(4, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 7, 2, .45f, .55f);
  pgd const steps{.rate = .01f, .steps = 10, .random_start = false, .stop_early = false};
  attack const a{perturbation{l2{1}}, cross_entropy{}, momentum{.9f, steps}};
  auto const found = run(a, planes, canvas, rng{1});
  for (std::size_t i = 0; i < 7; ++i) {
    auto const x = by_hand(planes, as_view(canvas.images).row(i), static_cast<std::size_t>(canvas.labels[i]), .9, .01, 10);
    for (std::size_t j = 0; j < 12; ++j) CHECK(double{as_view(found.images).row(i)[j]} == doctest::Approx(x[j]).epsilon(1e-5));
  }
  for (std::size_t batch : {1u, 3u}) CHECK(run(a, planes, canvas, rng{1}, batch_size{batch}).images == found.images);
  attack const none{perturbation{l2{1}}, cross_entropy{}, momentum{0.f, steps}};
  auto const plain = run(attack{perturbation{l2{1}}, cross_entropy{}, steps}, planes, canvas, rng{1});
  CHECK(xt::amax(xt::abs(run(none, planes, canvas, rng{1}).images - plain.images))() < 1e-6f);
  CHECK(xt::amax(xt::abs(found.images - plain.images))() > 1e-4f);
}

TEST_CASE("momentum leaves out the same gradients as the optimizer inside") {
  auto const planes = random_planes(4, {1, 3, 4}, 1);
  auto const canvas = random_images(planes, 3, 2);
  auto const found = run(attack{perturbation{linf{.01f}}, cross_entropy{}, momentum{.9f, pgd{.steps = 4}}}, planes, canvas, rng{1});
  CHECK(found.forwards_spent == std::vector<std::uint32_t>(3, 5));
  CHECK(found.backwards_spent == std::vector<std::uint32_t>(3, 4));
  CHECK_THROWS_WITH_AS(run(attack{perturbation{linf{.1f}}, cross_entropy{}, momentum{-1.f, pgd{}}}, planes, canvas, rng{1}),
                       doctest::Contains("share is -1"), error);
}
