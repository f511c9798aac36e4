// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

// Models whose classes have borders that are known.

namespace pareidolia_test {

using namespace pareidolia;

/// y_k = w_k . x + b_k - curvature / 2 ||x - 1/2||^2 [k = 0]: every border between two classes is a plane, and with a curvature the border
/// of class 0 a sphere. Computed image by image in double, so that no score depends on the batch.
struct plane_model {
  static constexpr space memory = space::host;
  struct workspace {
    std::vector<float> x;
  };
  image_shape shape{1, 3, 4};
  std::vector<std::vector<double>> w;  // (classes, values)
  std::vector<double> b;               // (classes)
  double curvature = 0;

  [[nodiscard]] image_shape input() const { return shape; }
  [[nodiscard]] std::size_t classes() const { return w.size(); }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }

  template <class X>
  [[nodiscard]] double score(std::size_t k, X const& x) const {
    double sum = b[k], square = 0;
    for (std::size_t j = 0; j < w[k].size(); ++j) {
      sum += w[k][j] * double{x[j]};
      square += (double{x[j]} - .5) * (double{x[j]} - .5);
    }
    return k == 0 ? sum - curvature / 2 * square : sum;
  }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& at) const {
    at.x.assign(x.data, x.data + x.size());
    for (std::size_t i = 0; i < x.shape[0]; ++i)
      for (std::size_t k = 0; k < classes(); ++k) y.row(i)[k] = static_cast<float>(score(k, x.row(i)));
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& at) const {
    for (std::size_t i = 0; i < dx.shape[0]; ++i)
      for (std::size_t j = 0; j < dx.stride(); ++j) {
        double sum = -curvature * (double{at.x[i * dx.stride() + j]} - .5) * double{dy.row(i)[0]};
        for (std::size_t k = 0; k < classes(); ++k) sum += w[k][j] * double{dy.row(i)[k]};
        dx.row(i)[j] = static_cast<float>(sum);
      }
  }
};

/// A plane_model of random normals.
[[nodiscard]] inline plane_model random_planes(std::size_t classes, image_shape const& shape, std::uint64_t seed) {
  plane_model m{.shape = shape, .w = {}, .b = {}};
  for (std::size_t k = 0; k < classes; ++k) {
    auto stream = rng(seed).stream(k);
    m.w.emplace_back();
    for (std::size_t j = 0; j < shape[0] * shape[1] * shape[2]; ++j) m.w.back().push_back(double{stream.normal()});
    m.b.push_back(double{stream.normal()} / 4);
  }
  return m;
}

/// n images with pixels uniform in [low, high], labelled as m does.
template <class M>
[[nodiscard]] labelled_images random_images(M const& m, std::size_t n, std::uint64_t seed, float low = .3f, float high = .7f) {
  image_shape const s = m.input();
  labelled_images result{filled<float, 4>({n, s[0], s[1], s[2]}), std::vector<int>(n)};
  for (std::size_t i = 0; i < n; ++i) {
    auto stream = rng(seed).stream(i);
    for (float& v : as_view(result.images).row(i)) v = stream.uniform(low, high);
  }
  auto y = filled<float, 2>({n, static_cast<std::size_t>(m.classes())});
  auto workspace = m.prepare(n);
  m.forward(as_view(result.images), as_view(y), workspace);
  for (std::size_t i = 0; i < n; ++i) {
    auto const row = as_view(y).row(i);
    result.labels[i] = static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return result;
}

}  // namespace pareidolia_test
