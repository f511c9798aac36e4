// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// What a covariance matrix adaptation does with n numbers and `children` samples a generation: symbols and defaults of Hansen's tutorial
/// (arXiv:1604.00772, table 1, positive weights). A diagonal matrix learns (n + 2) / 3 times as fast (Ros and Hansen, PPSN 2008).
struct adaptation_constants {
  std::size_t n;
  bool diagonal;
  std::vector<double> w;  // of the mu best, which sum to 1
  double mu_eff = 0, c_sigma = 0, d_sigma = 0, c_c = 0, c_1 = 0, c_mu = 0, chi = 0;

  adaptation_constants(std::size_t numbers, std::size_t children, bool only_diagonal)
      : n(numbers), diagonal(only_diagonal), w(std::max<std::size_t>(1, children / 2)) {
    auto const length = static_cast<double>(n);
    for (std::size_t i = 0; i < w.size(); ++i)
      w[i] = std::log((static_cast<double>(children) + 1) / 2) - std::log(static_cast<double>(i + 1));
    double const sum = std::accumulate(w.begin(), w.end(), 0.);
    for (double& each : w) each /= sum;
    mu_eff = 1 / std::inner_product(w.begin(), w.end(), w.begin(), 0.);
    c_sigma = (mu_eff + 2) / (length + mu_eff + 5);
    d_sigma = 1 + 2 * std::max(0., std::sqrt((mu_eff - 1) / (length + 1)) - 1) + c_sigma;
    c_c = (4 + mu_eff / length) / (length + 4 + 2 * mu_eff / length);
    double const faster = diagonal ? (length + 2) / 3 : 1;
    c_1 = std::min(1., faster * 2 / ((length + 1.3) * (length + 1.3) + mu_eff));
    c_mu = std::min(1 - c_1, faster * 2 * (.25 + mu_eff + 1 / mu_eff - 2) / ((length + 2) * (length + 2) + mu_eff));
    chi = std::sqrt(length) * (1 - 1 / (4 * length) + 1 / (21 * length * length));
  }
};

/// The normal distribution m + sigma A N(0, I) that a covariance matrix adaptation samples from and learns, A A^T = C.
///
/// A is triangular and updated as such (Krause, Arbones and Igel, NIPS 2016), so that nothing is decomposed: a sample costs n^2 / 2
/// multiplications, what one sample teaches n^2. Or it is diagonal, and all costs are those of vectors.
class adapting_normal {
 public:
  adapting_normal(adaptation_constants const& constants, std::span<float const> mean, double sigma)
      : sigma_(sigma), m_(mean.begin(), mean.end()), p_sigma_(mean.size()), p_c_(mean.size()) {
    std::size_t const n = mean.size();
    a_.resize(constants.diagonal ? n : n * (n + 1) / 2);
    for (std::size_t j = 0; j < n; ++j) *column(constants, j) = 1;
  }

  void sample(adaptation_constants const& k, random_stream random, std::span<float> x) const {
    std::vector<double> y(k.n);
    for (std::size_t j = 0; j < k.n; ++j) {
      double const z = double{random.normal()}, *a = column(k, j);
      if (k.diagonal)
        y[j] = a[0] * z;
      else
        for (std::size_t i = j; i < k.n; ++i) y[i] += a[i - j] * z;
    }
    for (std::size_t j = 0; j < k.n; ++j) x[j] = static_cast<float>(m_[j] + sigma_ * y[j]);
  }

  /// Learns from the best samples, best first, as many as there are weights.
  void learn(adaptation_constants const& k, std::vector<std::span<float const>> const& best) {
    std::vector<std::vector<double>> y;  // (x_i - m) / sigma
    std::vector<double> mean(k.n);
    for (std::size_t i = 0; i < k.w.size(); ++i) {
      y.emplace_back(k.n);
      for (std::size_t j = 0; j < k.n; ++j) mean[j] += k.w[i] * (y[i][j] = (double{best[i][j]} - m_[j]) / sigma_);
    }
    for (std::size_t j = 0; j < k.n; ++j) m_[j] += sigma_ * mean[j];
    ++generation_;

    follow(p_sigma_, k.c_sigma, std::sqrt(k.c_sigma * (2 - k.c_sigma) * k.mu_eff), solved(k, mean));
    double const length = std::sqrt(std::inner_product(p_sigma_.begin(), p_sigma_.end(), p_sigma_.begin(), 0.));
    double const expected = std::sqrt(1 - std::pow(1 - k.c_sigma, 2 * static_cast<double>(generation_))) * k.chi;
    bool const steady = length < (1.4 + 2 / (static_cast<double>(k.n) + 1)) * expected;  // h_sigma
    follow(p_c_, k.c_c, steady ? std::sqrt(k.c_c * (2 - k.c_c) * k.mu_eff) : 0., mean);

    double const kept = 1 - k.c_1 - k.c_mu + (steady ? 0 : k.c_1 * k.c_c * (2 - k.c_c));
    for (double& a : a_) a *= std::sqrt(kept);
    add(k, k.c_1, p_c_);
    for (std::size_t i = 0; i < y.size(); ++i) add(k, k.c_mu * k.w[i], std::move(y[i]));
    sigma_ *= std::exp(k.c_sigma / k.d_sigma * (length / k.chi - 1));
  }

  /// Of all numbers the largest standard deviation.
  [[nodiscard]] double largest_deviation(adaptation_constants const& k) const {
    std::vector<double> variance(k.n);
    for (std::size_t j = 0; j < k.n; ++j)
      for (std::size_t i = j; i < (k.diagonal ? j + 1 : k.n); ++i) variance[i] += column(k, j)[i - j] * column(k, j)[i - j];
    return sigma_ * std::sqrt(*std::max_element(variance.begin(), variance.end()));
  }

  template <class A>
  void state(A& a) {
    a("generation", generation_);
    a("sigma", sigma_);
    a("m", m_);
    a("p_sigma", p_sigma_);
    a("p_c", p_c_);
    a("A", a_);
  }

 private:
  // A_jj, and below it A_ij.
  [[nodiscard]] static std::size_t offset(adaptation_constants const& k, std::size_t j) {
    return k.diagonal ? j : j * k.n - j * (j - 1) / 2;  // 0 for j = 0, whatever wraps
  }
  [[nodiscard]] double* column(adaptation_constants const& k, std::size_t j) { return a_.data() + offset(k, j); }
  [[nodiscard]] double const* column(adaptation_constants const& k, std::size_t j) const { return a_.data() + offset(k, j); }

  // p <- (1 - c) p + factor d.
  static void follow(std::vector<double>& p, double c, double factor, std::vector<double> const& d) {
    for (std::size_t j = 0; j < p.size(); ++j) p[j] = (1 - c) * p[j] + factor * d[j];
  }

  // A^-1 b.
  [[nodiscard]] std::vector<double> solved(adaptation_constants const& k, std::vector<double> b) const {
    for (std::size_t j = 0; j < k.n; ++j) {
      double const* a = column(k, j);
      double const z = b[j] /= a[0];
      if (k.diagonal) continue;
      for (std::size_t i = j + 1; i < k.n; ++i) b[i] -= a[i - j] * z;
    }
    return b;
  }

  // A such that A A^T grows by beta v v^T (their algorithm 1).
  void add(adaptation_constants const& k, double beta, std::vector<double> v) {
    double b = 1;
    for (std::size_t j = 0; j < k.n; ++j) {
      double* a = column(k, j);
      double const old = a[0], v_j = v[j];
      if (k.diagonal) {
        a[0] = std::sqrt(old * old + beta * v_j * v_j);
        continue;
      }
      a[0] = std::sqrt(old * old + beta / b * v_j * v_j);
      double const gamma = old * old * b + beta * v_j * v_j, ratio = a[0] / old, share = a[0] * beta * v_j / gamma;
      for (std::size_t i = j + 1; i < k.n; ++i) {
        v[i] -= v_j / old * a[i - j];
        a[i - j] = ratio * a[i - j] + share * v[i];
      }
      b += beta * v_j * v_j / (old * old);
    }
  }

  std::size_t generation_ = 0;
  double sigma_;
  std::vector<double> m_, p_sigma_, p_c_;
  std::vector<double> a_;  // A, column after column
};

}  // namespace pareidolia::detail
