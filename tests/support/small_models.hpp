// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/objectives/class_probability.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Models small enough that what an adaptor in front of them must give can be computed without it.

namespace pareidolia_test {

using namespace pareidolia;
constexpr auto host = space::host;
using doubles = std::vector<double>;

// y_k = sum_j a_kj x_j + x_j^2 / 2 b_kj, in double: what the adaptors must give can be computed without them.
struct toy {
  static constexpr space memory = host;
  struct workspace {
    std::size_t room = 0;
    std::vector<float> x;
  };
  image_shape shape{2, 3, 2};
  std::size_t count = 3;
  double phase = 0;

  double a(std::size_t k, std::size_t j) const { return std::sin(static_cast<double>((k + 1) * (j + 2)) + phase); }
  double b(std::size_t k, std::size_t j) const { return 2 * std::cos(static_cast<double>((k + 2) * (j + 1)) - phase); }
  doubles scores(doubles const& x) const {
    doubles y(count, 0.0);
    for (std::size_t k = 0; k < count; ++k)
      for (std::size_t j = 0; j < x.size(); ++j) y[k] += a(k, j) * x[j] + x[j] * x[j] / 2 * b(k, j);
    return y;
  }

  image_shape input() const { return shape; }
  std::size_t classes() const { return count; }
  workspace prepare(std::size_t n) const { return {n, {}}; }
  void forward(const_image_view<host> x, score_view<host> y, workspace& w) const {
    REQUIRE(x.shape == std::array<std::size_t, 4>{x.shape[0], shape[0], shape[1], shape[2]});
    REQUIRE(x.shape[0] <= w.room);
    w.x.assign(x.data, x.data + x.size());
    for (std::size_t i = 0; i < x.shape[0]; ++i)
      std::ranges::transform(scores({x.row(i).begin(), x.row(i).end()}), y.row(i).begin(), [](double v) { return static_cast<float>(v); });
  }
  void backward(const_score_view<host> dy, image_view<host> dx, workspace& w) const {
    for (std::size_t i = 0; i < dx.shape[0]; ++i)
      for (std::size_t j = 0; j < dx.stride(); ++j) {
        double sum = 0;
        for (std::size_t k = 0; k < count; ++k) sum += (a(k, j) + b(k, j) * double{w.x[i * dx.stride() + j]}) * double{dy.row(i)[k]};
        dx.row(i)[j] = static_cast<float>(sum);
      }
  }
  std::uint64_t fingerprint() const { return 100 + static_cast<std::uint64_t>(phase); }
};

// Scores are the pixels.
struct pixels_model {
  static constexpr space memory = host;
  struct workspace {};
  image_shape shape;
  image_shape input() const { return shape; }
  std::size_t classes() const { return shape[0] * shape[1] * shape[2]; }
  workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<host> x, score_view<host> y, workspace&) const { std::copy_n(x.data, x.size(), y.data); }
  void backward(const_score_view<host> dy, image_view<host> dx, workspace&) const { std::copy_n(dy.data, dy.size(), dx.data); }
};

inline doubles log_mean_of_softmaxes(std::vector<doubles> const& opinions) {
  doubles mean(opinions[0].size(), 0.0);
  for (doubles const& s : opinions) {
    double sum = 0;
    for (double v : s) sum += std::exp(v);
    for (std::size_t k = 0; k < s.size(); ++k) mean[k] += std::exp(s[k]) / sum / static_cast<double>(opinions.size());
  }
  for (double& v : mean) v = std::log(v);
  return mean;
}

inline doubles crop_of(doubles const& x, image_shape const& image, image_shape const& cropped, std::size_t top, std::size_t left,
                       bool mirrored) {
  doubles y;
  for (std::size_t c = 0; c < cropped[0]; ++c)
    for (std::size_t h = 0; h < cropped[1]; ++h)
      for (std::size_t w = 0; w < cropped[2]; ++w)
        y.push_back(x[(c * image[1] + top + h) * image[2] + left + (mirrored ? cropped[2] - 1 - w : w)]);
  return y;
}

inline tensor<float, 4> noise(std::size_t n, image_shape const& s, std::uint64_t seed) {
  auto x = filled<float, 4>({n, s[0], s[1], s[2]});
  auto stream = rng(seed).stream(0);
  for (float& v : x) v = stream.uniform();
  return x;
}

// Scores of a model and its gradients of sum_k (k + 1) y_k are those of `scores`, a function of one image in double, for batches of 3, 1
// and 4 through one workspace. Gradients by central differences.
template <class M, class Scores>
void check_against(M const& model, Scores const& scores) {
  static_assert(DifferentiableModel<M>);
  auto w = model.prepare(4);
  for (std::size_t n : {3u, 1u, 4u}) {
    CAPTURE(n);
    auto const images = noise(n, model.input(), n);
    auto const x = as_view(images);
    auto y = filled<float, 2>({n, model.classes()}), dy = y;
    auto dx = filled<float, 4>(x.shape, 77.f);
    model.forward(x, as_view(y), w);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < model.classes(); ++k) dy(i, k) = static_cast<float>(k + 1);
    for (int time = 0; time < 2; ++time) {  // a second backward gives the same
      model.backward(as_view(dy), as_view(dx), w);
      for (std::size_t i = 0; i < n; ++i) {
        doubles image(x.row(i).begin(), x.row(i).end());
        auto const loss = [&] {
          auto const s = scores(image);
          double sum = 0;
          for (std::size_t k = 0; k < s.size(); ++k) sum += static_cast<double>(k + 1) * s[k];
          return sum;
        };
        doubles const expected = scores(image);
        for (std::size_t k = 0; k < expected.size(); ++k) CHECK(std::abs(double{y(i, k)} - expected[k]) < 2e-6);
        for (std::size_t j = 0; j < image.size(); ++j) {
          CAPTURE(j);
          double const at = image[j], step = 1e-5;
          image[j] = at + step;
          double const above = loss();
          image[j] = at - step;
          double const below = loss();
          image[j] = at;
          CHECK(std::abs(double{as_view(dx).row(i)[j]} - (above - below) / (2 * step)) < 5e-6);
        }
      }
    }
  }
}

// Follows the gradient for 3 steps.
struct ascent {
  struct search {
    pixel_genes<host> p;
    std::size_t taken = 0;
    pixel_genes<host> const& ask() const { return p; }
    bool done() const { return taken == 3; }
    pixel_genes<host> const& best() const { return p; }
    standing where() const { return {taken, 3, {}}; }
    void tell(evaluation<host> const&, pixel_genes<host> const& dp) {
      for (std::size_t j = 0; j < p.genes.size(); ++j) p.genes[j] = std::clamp(p.genes[j] + dp.genes[j], 0.f, 1.f);
      ++taken;
    }
  };
  search start(pixels const& e, const_image_view<host> canvas, rng const&) const { return {e.buffer(canvas.shape[0], canvas)}; }
};

inline attack const climb{pixels{.levels = 0}, class_probability{}, ascent{}};

template <class M>
outcome climbed(M const& model, std::size_t n = 2) {
  return run(climb, model, {noise(n, model.input(), 5), std::vector<int>(n, 1)}, rng(1));
}

template <class M>
std::string message_of(M const& make) {
  try {
    make();
  } catch (error const& e) {
    return e.what();
  }
  return "nothing was thrown";
}

}  // namespace pareidolia_test
