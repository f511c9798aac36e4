// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

// Models whose regions have a known shape.

namespace pareidolia_test {

using namespace pareidolia;

/// Class 1 is a union of balls, class 0 what is outside: y = (0, radius - distance to the nearest centre), so a step of DeepFool from
/// anywhere ends on the border. Computed image by image in double, so that no score depends on the batch.
struct balls {
  static constexpr space memory = space::host;
  struct workspace {
    std::vector<float> x;
  };
  image_shape shape{1, 3, 4};
  std::vector<std::vector<double>> centres;
  double radius = .3;

  [[nodiscard]] image_shape input() const { return shape; }
  [[nodiscard]] std::size_t classes() const { return 2; }
  [[nodiscard]] workspace prepare(std::size_t) const { return {}; }

  /// The nearest centre, and how far it is.
  [[nodiscard]] std::pair<std::size_t, double> nearest(std::span<float const> x) const {
    std::pair<std::size_t, double> best{0, std::numeric_limits<double>::infinity()};
    for (std::size_t c = 0; c < centres.size(); ++c) {
      double square = 0;
      for (std::size_t j = 0; j < x.size(); ++j) square += std::pow(double{x[j]} - centres[c][j], 2);
      if (std::sqrt(square) < best.second) best = {c, std::sqrt(square)};
    }
    return best;
  }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace& at) const {
    at.x.assign(x.data, x.data + x.size());
    for (std::size_t i = 0; i < x.shape[0]; ++i) {
      y.row(i)[0] = 0;
      y.row(i)[1] = static_cast<float>(radius - nearest(x.row(i)).second);
    }
  }
  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& at) const {
    std::size_t const d = dx.stride();
    for (std::size_t i = 0; i < dx.shape[0]; ++i) {
      std::span<float const> const x(at.x.data() + i * d, d);
      auto const [c, length] = nearest(x);
      for (std::size_t j = 0; j < d; ++j)
        dx.row(i)[j] = length > 0 ? static_cast<float>(double{dy.row(i)[1]} * (centres[c][j] - double{x[j]}) / length) : 0.f;
    }
  }
};

/// Two balls around the points whose values are all .25 and all .75: that is sqrt(d) / 2 apart, so that radii below sqrt(d) / 4 leave a
/// gap.
[[nodiscard]] inline balls two_balls(image_shape const& shape = {1, 3, 4}, double radius = .25) {
  std::size_t const d = shape[0] * shape[1] * shape[2];
  return {.shape = shape, .centres = {std::vector<double>(d, .25), std::vector<double>(d, .75)}, .radius = radius};
}

/// n images of class 1, in turn in each of the balls of m, uniform in the ball of `share` of the radius.
[[nodiscard]] inline labelled_images images_in(balls const& m, std::size_t n, std::uint64_t seed, double share = .9) {
  auto const& s = m.shape;
  labelled_images result{filled<float, 4>({n, s[0], s[1], s[2]}), std::vector<int>(n, 1)};
  for (std::size_t i = 0; i < n; ++i) {
    auto stream = rng(seed).stream(i);
    auto const to = as_view(result.images).row(i);
    double square = 0;
    for (float& v : to) v = stream.normal(), square += double{v} * double{v};
    double const length = share * m.radius * std::pow(double{stream.uniform()}, 1. / static_cast<double>(to.size()));
    auto const& centre = m.centres[i % m.centres.size()];
    for (std::size_t j = 0; j < to.size(); ++j) to[j] = static_cast<float>(centre[j] + double{to[j]} * length / std::sqrt(square));
  }
  return result;
}

}  // namespace pareidolia_test
