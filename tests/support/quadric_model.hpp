// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

// A boundary between two classes whose curvatures are known.

namespace pareidolia_test {

using namespace pareidolia;

/// y_0 = 0 and y_1 = b + w.u + 1/2 u^T A u with u = x - 1/2, A = sum_j lambda_j e_j e_j^T. Computed image by image in double, so that no
/// score depends on the batch.
///
/// At a point z of the boundary the gradient of y_1 is w + A u and its Hessian A, so F = y_1 - y_0, which an image of class 0 sees, has
/// kappa(v) = v^T A v / ||w + A u|| in the unit tangent v; an image of class 1 sees the negative.
struct quadric_model {
  static constexpr space memory = space::host;
  using vector = std::vector<double>;
  struct workspace {
    std::vector<float> x;
  };
  image_shape shape{1, 3, 4};
  double b = 0;
  vector w;               // (d)
  vector lambda;          // (k)
  std::vector<vector> e;  // (k, d), orthonormal

  [[nodiscard]] image_shape input() const { return shape; }
  [[nodiscard]] std::size_t classes() const { return 2; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }

  /// y_1.
  template <class X>
  [[nodiscard]] double score(X const& x) const {
    vector const u = from_grey(x);
    double sum = b + dot(w, u);
    for (std::size_t j = 0; j < e.size(); ++j) sum += lambda[j] / 2 * std::pow(dot(e[j], u), 2);
    return sum;
  }
  /// Of y_1.
  template <class X>
  [[nodiscard]] vector gradient(X const& x) const {
    vector g = times(from_grey(x));
    for (std::size_t j = 0; j < g.size(); ++j) g[j] += w[j];
    return g;
  }
  /// A v.
  [[nodiscard]] vector times(vector const& v) const {
    vector result(w.size());
    for (std::size_t j = 0; j < e.size(); ++j) {
      double const along = lambda[j] * dot(e[j], v);
      for (std::size_t i = 0; i < result.size(); ++i) result[i] += along * e[j][i];
    }
    return result;
  }
  /// kappa at z in the tangent part of v, for an image of class `own`.
  template <class Z, class V>
  [[nodiscard]] double curvature(Z const& z, V const& v, int own) const {
    vector const g = gradient(z);
    double const slope = std::sqrt(dot(g, g));
    vector t(v.begin(), v.end());
    double const out = dot(g, t) / (slope * slope);
    for (std::size_t j = 0; j < t.size(); ++j) t[j] -= out * g[j];
    return (own == 0 ? 1 : -1) * dot(t, times(t)) / (dot(t, t) * slope);
  }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace& at) const {
    at.x.assign(x.data, x.data + x.size());
    for (std::size_t i = 0; i < x.shape[0]; ++i) {
      y.row(i)[0] = 0;
      y.row(i)[1] = static_cast<float>(score(x.row(i)));
    }
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& at) const {
    for (std::size_t i = 0; i < dx.shape[0]; ++i) {
      vector const g = gradient(std::span<float const>(at.x).subspan(i * dx.stride(), dx.stride()));
      for (std::size_t j = 0; j < g.size(); ++j) dx.row(i)[j] = static_cast<float>(g[j] * double{dy.row(i)[1]});
    }
  }

  [[nodiscard]] static double dot(vector const& a, vector const& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.); }
  template <class X>
  [[nodiscard]] static vector from_grey(X const& x) {
    vector u;
    for (auto const value : x) u.push_back(static_cast<double>(value) - .5);
    return u;
  }
};

/// The first k of an orthonormal basis of R^d that is uniformly random.
[[nodiscard]] inline std::vector<std::vector<double>> random_basis(std::size_t k, std::size_t d, std::uint64_t seed) {
  std::vector<std::vector<double>> e;
  for (std::size_t j = 0; j < k; ++j) {
    auto stream = rng(seed).stream(j);
    std::vector<double> v;
    for (std::size_t i = 0; i < d; ++i) v.push_back(double{stream.normal()});
    for (int twice = 0; twice < 2; ++twice)
      for (auto const& other : e) {
        double const along = quadric_model::dot(other, v);
        for (std::size_t i = 0; i < d; ++i) v[i] -= along * other[i];
      }
    double const length = std::sqrt(quadric_model::dot(v, v));
    for (double& value : v) value /= length;
    e.push_back(std::move(v));
  }
  return e;
}

/// The grey image 1/2 is of class 0, and from it the boundary is `distance` away along w, a unit vector; there the principal curvatures are
/// `kappa` in the directions e, orthogonal to w, and 0 in the others. That point is the nearest where no kappa is above 1 / distance.
[[nodiscard]] inline quadric_model quadric_around_grey(image_shape const& shape, double distance, std::vector<double> kappa,
                                                       std::uint64_t seed) {
  auto basis = random_basis(kappa.size() + 1, shape[0] * shape[1] * shape[2], seed);
  auto normal = std::move(basis.back());
  basis.pop_back();
  return {.shape = shape, .b = -distance, .w = std::move(normal), .lambda = std::move(kappa), .e = std::move(basis)};
}

/// n grey images, which differ from 1/2 by normal values of the given deviation.
[[nodiscard]] inline labelled_images grey_images(image_shape const& shape, std::size_t n, float deviation = 0, std::uint64_t seed = 1) {
  labelled_images result{filled<float, 4>({n, shape[0], shape[1], shape[2]}, .5f), {}};
  for (std::size_t i = 0; i < n; ++i) {
    auto stream = rng(seed).stream(i);
    for (float& v : as_view(result.images).row(i)) v += deviation * stream.normal();
  }
  return result;
}

/// Vectors as directions that probes take.
[[nodiscard]] inline tensor<float, 2> rows_of(std::vector<std::vector<double>> const& vectors) {
  auto result = filled<float, 2>({vectors.size(), vectors[0].size()});
  for (std::size_t j = 0; j < vectors.size(); ++j) std::copy(vectors[j].begin(), vectors[j].end(), as_view(result).row(j).begin());
  return result;
}

}  // namespace pareidolia_test
