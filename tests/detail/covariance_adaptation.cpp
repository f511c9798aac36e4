// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/covariance_adaptation.hpp>

#include <pareidolia/core/state.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

namespace {

using namespace pareidolia;
using detail::adaptation_constants;
using detail::adapting_normal;

std::vector<double> part(adapting_normal& normal, char const* name) {
  saved_state s;
  state_writer writer(s);
  normal.state(writer);
  auto const& bytes = s.arrays.at(name).bytes;
  std::vector<double> values(bytes.size() / sizeof(double));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

using matrix = std::vector<std::vector<double>>;

// The triangular factor of C, from the textbook.
matrix factor(matrix const& c) {
  std::size_t const n = c.size();
  matrix a(n, std::vector<double>(n));
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t i = j; i < n; ++i) {
      double sum = c[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i][k] * a[j][k];
      a[i][j] = i == j ? std::sqrt(sum) : sum / a[j][j];
    }
  return a;
}

std::vector<double> solve(matrix const& a, std::vector<double> b) {
  for (std::size_t i = 0; i < b.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

}  // namespace

TEST_CASE("constants of covariance matrix adaptation are those of the tutorial: 10 numbers, 10 children") {
  adaptation_constants const k(10, 10, false);
  REQUIRE(k.w.size() == 5);
  CHECK(k.w[0] == doctest::Approx(.4563).epsilon(1e-3));
  CHECK(k.w[4] == doctest::Approx(.0255).epsilon(1e-2));
  CHECK(k.mu_eff == doctest::Approx(3.1673).epsilon(1e-4));
  CHECK(k.c_sigma == doctest::Approx(.2844).epsilon(1e-3));
  CHECK(k.d_sigma == doctest::Approx(1.2844).epsilon(1e-3));
  CHECK(k.c_c == doctest::Approx(.2950).epsilon(1e-3));
  CHECK(k.c_1 == doctest::Approx(.01528).epsilon(1e-3));
  CHECK(k.c_mu == doctest::Approx(.02351).epsilon(2e-2));
  CHECK(k.chi == doctest::Approx(3.0847).epsilon(1e-4));  // E|N(0, I)| of 10 numbers is 3.0844
  adaptation_constants const d(10, 10, true);
  CHECK(d.c_1 == doctest::Approx(4 * k.c_1));
}

TEST_CASE("the factor that is updated is that of the covariance which the tutorial's equations give") {
  constexpr std::size_t n = 6, children = 8;
  adaptation_constants const k(n, children, false);
  std::vector<float> const start{0, 1, 2, 3, 4, 5};
  adapting_normal normal(k, start, .5);
  std::vector<double> m(start.begin(), start.end()), p_sigma(n), p_c(n);
  matrix c(n, std::vector<double>(n));
  for (std::size_t j = 0; j < n; ++j) c[j][j] = 1;
  double sigma = .5;
  for (std::size_t g = 1; g <= 30; ++g) {
    std::vector<std::vector<float>> samples(children, std::vector<float>(n));
    for (std::size_t i = 0; i < children; ++i) normal.sample(k, rng(g).stream(i), samples[i]);
    std::vector<std::span<float const>> best;
    for (std::size_t i = 0; i < k.w.size(); ++i) best.emplace_back(samples[i]);
    normal.learn(k, best);

    std::vector<double> y(n);
    matrix learned(n, std::vector<double>(n));
    for (std::size_t i = 0; i < best.size(); ++i)
      for (std::size_t j = 0; j < n; ++j) {
        double const y_j = (double{best[i][j]} - m[j]) / sigma;
        y[j] += k.w[i] * y_j;
        for (std::size_t l = 0; l < n; ++l) learned[j][l] += k.w[i] * y_j * (double{best[i][l]} - m[l]) / sigma;
      }
    auto const white = solve(factor(c), y);
    double square = 0;
    for (std::size_t j = 0; j < n; ++j) {
      m[j] += sigma * y[j];
      p_sigma[j] = (1 - k.c_sigma) * p_sigma[j] + std::sqrt(k.c_sigma * (2 - k.c_sigma) * k.mu_eff) * white[j];
      square += p_sigma[j] * p_sigma[j];
    }
    bool const steady = std::sqrt(square / (1 - std::pow(1 - k.c_sigma, 2. * static_cast<double>(g)))) < (1.4 + 2. / (n + 1)) * k.chi;
    for (std::size_t j = 0; j < n; ++j) p_c[j] = (1 - k.c_c) * p_c[j] + (steady ? std::sqrt(k.c_c * (2 - k.c_c) * k.mu_eff) * y[j] : 0);
    double const kept = 1 + (steady ? 0 : k.c_1 * k.c_c * (2 - k.c_c)) - k.c_1 - k.c_mu;
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t l = 0; l < n; ++l) c[j][l] = kept * c[j][l] + k.c_1 * p_c[j] * p_c[l] + k.c_mu * learned[j][l];
    sigma *= std::exp(k.c_sigma / k.d_sigma * (std::sqrt(square) / k.chi - 1));
  }
  auto const expected = factor(c);
  auto const a = part(normal, "A"), mean = part(normal, "m");
  std::size_t at = 0;
  double largest = 0;
  for (std::size_t j = 0; j < n; ++j) {
    CHECK(mean[j] == doctest::Approx(m[j]).epsilon(1e-9));
    for (std::size_t i = j; i < n; ++i) CHECK(a[at++] == doctest::Approx(expected[i][j]).epsilon(1e-9));
    largest = std::max(largest, sigma * std::sqrt(c[j][j]));
  }
  CHECK(part(normal, "sigma")[0] == doctest::Approx(sigma).epsilon(1e-9));
  CHECK(normal.largest_deviation(k) == doctest::Approx(largest).epsilon(1e-9));
}

TEST_CASE("samples have the mean and the covariance that was learned") {
  constexpr std::size_t n = 3;
  for (bool diagonal : {false, true}) {
    adaptation_constants const k(n, 6, diagonal);
    adapting_normal normal(k, std::vector<float>{1, 2, 3}, .7);
    std::vector<std::vector<float>> const far{{3, 1, 3}, {4, 0, 3}, {2, 2, 3}};
    normal.learn(k, {far.begin(), far.end()});
    auto const a = part(normal, "A"), m = part(normal, "m");
    double const sigma = part(normal, "sigma")[0];
    matrix full(n, std::vector<double>(n));
    for (std::size_t j = 0, at = 0; j < n; ++j)
      for (std::size_t i = j; i < (diagonal ? j + 1 : n); ++i) full[i][j] = a[at++];
    constexpr std::size_t count = 20'000;
    std::vector<double> mean(n);
    matrix c(n, std::vector<double>(n));
    std::vector<float> x(n);
    for (std::size_t i = 0; i < count; ++i) {
      normal.sample(k, rng(1).stream(i), x);
      for (std::size_t j = 0; j < n; ++j) {
        mean[j] += double{x[j]} / count;
        for (std::size_t l = 0; l < n; ++l) c[j][l] += (double{x[j]} - m[j]) * (double{x[l]} - m[l]) / count;
      }
    }
    for (std::size_t j = 0; j < n; ++j) {
      CHECK(mean[j] == doctest::Approx(m[j]).epsilon(.02));
      for (std::size_t l = 0; l < n; ++l) {
        double expected = 0;
        for (std::size_t i = 0; i < n; ++i) expected += sigma * sigma * full[j][i] * full[l][i];
        CHECK(std::abs(c[j][l] - expected) < .05 * sigma * sigma);
      }
    }
  }
}
