// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/random_subspace.hpp>

#include <pareidolia/core/parallel.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/detail/vectors.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

using namespace pareidolia;
using detail::random_subspaces;

namespace {

std::vector<float> normal_vector(std::size_t d, std::uint64_t seed) {
  std::vector<float> v(d);
  auto stream = rng(seed).stream(0);
  for (float& value : v) value = stream.normal();
  return v;
}

std::vector<float> projected(random_subspaces const& s, std::size_t m, std::vector<float> v) {
  s.project(m, v);
  return v;
}

}  // namespace

TEST_CASE("the Walsh-Hadamard transform has its matrix") {
  for (std::size_t n : {1u, 2u, 4u, 8u, 16u, 32u, 128u, 1024u}) {
    CAPTURE(n);
    auto const v = normal_vector(n, n);
    auto got = v;
    detail::hadamard(got);
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < n; ++k) sum += (std::popcount(j & k) % 2 ? -1 : 1) * double{v[k]};
      CHECK(double{got[j]} == doctest::Approx(sum / std::sqrt(static_cast<double>(n))).epsilon(1e-4));
    }
  }
}

TEST_CASE("a projection on a random subspace is orthogonal, and of one that contains another the first") {
  for (std::size_t d : {1u, 2u, 5u, 12u, 27u, 784u, 4096u, 4097u, 10000u}) {
    CAPTURE(d);
    random_subspaces const s(rng(d).stream(3), d);
    auto const u = normal_vector(d, 1), v = normal_vector(d, 2);
    double const size = detail::norm(u) * detail::norm(v);
    for (std::size_t m : {std::size_t{1}, (d + 2) / 3, d - d / 7, d}) {
      CAPTURE(m);
      auto const pu = projected(s, m, u), pv = projected(s, m, v);
      CHECK(detail::distance(projected(s, m, pu), pu) < 1e-6 * detail::norm(u));  // P^2 = P
      CHECK(std::abs(detail::dot(pu, v) - detail::dot(u, pv)) < 1e-6 * size);     // P = P^T
      CHECK(detail::distance(projected(s, (m + 1) / 2, pu), projected(s, (m + 1) / 2, u)) < 1e-6 * detail::norm(u));
      if (m == d) CHECK(pu == u);
    }
  }
}

TEST_CASE("a random subspace has its dimension") {
  std::size_t const d = 45;
  random_subspaces const s(rng(1).stream(0), d);
  for (std::size_t m = 1; m <= d; ++m) {
    double trace = 0;
    for (std::size_t j = 0; j < d; ++j) {
      std::vector<float> e(d);
      e[j] = 1;
      trace += double{projected(s, m, e)[j]};
    }
    CHECK(trace == doctest::Approx(static_cast<double>(m)).epsilon(1e-5));
  }
}

TEST_CASE("lengths of projections have the moments of those on uniformly random subspaces") {
  std::size_t const draws = 3000;
  for (std::size_t d : {27u, 784u}) {
    std::vector<std::vector<float>> all(4, std::vector<float>(d));
    all[0][d / 3] = 1;                                                 // one coordinate
    all[1][0] = .6f, all[1][d - 1] = -.8f;                             // two
    for (float& v : all[2]) v = 1 / std::sqrt(static_cast<float>(d));  // all alike
    all[3] = normal_vector(d, 9);
    detail::to_unit_length(all[3]);
    for (std::size_t m : {std::size_t{1}, d / 8, d / 2})
      for (std::size_t kind = 0; kind < all.size(); ++kind) {
        double sum = 0, squares = 0;
        for (std::size_t k = 0; k < draws; ++k) {
          auto const p = projected({rng(kind).stream(k), d}, m, all[kind]);
          double const share = detail::dot(p, p);
          sum += share;
          squares += share * share;
        }
        auto const D = static_cast<double>(d), M = static_cast<double>(m), n = static_cast<double>(draws);
        double const mean = sum / n, variance = squares / n - mean * mean;
        double const expected = 2 * M * (D - M) / (D * D * (D + 2));  // of the Beta distribution with M / 2 and (D - M) / 2
        CAPTURE(d);
        CAPTURE(m);
        CAPTURE(kind);
        CHECK(std::abs(mean - M / D) < 4 * std::sqrt(expected / n));
        CHECK(variance / expected > .75);
        CHECK(variance / expected < 1.3);
      }
  }
}

TEST_CASE("random subspaces depend on their stream alone, and serve several threads") {
  std::size_t const d = 5000, m = 70;
  random_subspaces const s(rng(1).stream(2), d), same(rng(1).stream(2), d), other(rng(1).stream(3), d);
  auto const v = normal_vector(d, 4);
  auto const expected = projected(s, m, v);
  CHECK(projected(same, m, v) == expected);
  CHECK(projected(other, m, v) != expected);
  std::vector<std::vector<float>> found(20, v);
  parallel_for(found.size(), [&](std::size_t i, std::size_t) { s.project(m, found[i]); });
  CHECK(std::ranges::count(found, expected) == 20);
}
