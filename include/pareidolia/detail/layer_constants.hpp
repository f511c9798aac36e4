// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/plain_layers.hpp>
#include <pareidolia/models/graph.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// Lipschitz constants of layers in the Euclidean norm that follow from a formula.

namespace pareidolia::detail {

/// |z(x + r) - z(x)| <= preprocessing_bound |r|.
[[nodiscard]] inline double preprocessing_bound(preprocessing const& how) {
  float const least = how.deviation.empty() ? 1.f : *std::min_element(how.deviation.begin(), how.deviation.end());
  return std::abs(double{how.scale}) / double{least};
}

/// What a layer is called, and a constant of it.
using named_constant = std::pair<char const*, double>;

/// One operator for each kind of layer; 0 for those with a weight matrix, whose norm is no formula.
struct constant_of {
  image_shape in, out;
  std::span<float const> weight;
  std::size_t inputs;  // layers it reads

  named_constant operator()(layer::convolution const&) const { return {"convolution", 0}; }
  named_constant operator()(layer::inner_product const&) const { return {"inner product", 0}; }

  /// Maximum: |max a - max b| is at most the length of a - b in the window, and each input counts in every window that it is in, so
  /// sqrt(most windows over an input); one pixel that is the largest of them all attains it.
  /// Mean: a matrix is no longer than the root of its largest row sum times its largest column sum (Schur's test), here of each axis by
  /// itself; exact for windows that do not overlap, and for the global mean.
  named_constant operator()(layer::pooling const& given) const {
    auto const p = resolved(given, in);
    double square = 1;
    for (std::size_t axis : {0u, 1u}) {
      std::vector<double> column(in[1 + axis]);
      double row = 1;  // a maximum is one input
      for (std::size_t i = 0; i < out[1 + axis]; ++i) {
        reference::pool_range const r(p, axis, in[1 + axis], i);
        double const inside = static_cast<double>(r.end - r.begin), divisor = p.count_padding ? static_cast<double>(r.padded) : inside;
        double const share = p.kind == layer::pool::maximum ? 1 : 1 / divisor;
        for (std::size_t h = r.begin; h < r.end; ++h) column[h] += share;
        if (p.kind == layer::pool::average) row = std::max(i == 0 ? 0. : row, inside * share);
      }
      square *= row * *std::max_element(column.begin(), column.end());
    }
    return {p.kind == layer::pool::maximum ? "maximum pooling" : "average pooling", std::sqrt(square)};
  }

  /// The steepest slope.
  named_constant operator()(layer::activation const& a) const {
    switch (a.kind) {
      case layer::function::sigmoid:
        return {"sigmoid", .25};
      case layer::function::tanh:
        return {"tanh", 1};
      default:
        return {"relu", std::max(1., double{a.slope})};
    }
  }
  named_constant operator()(layer::clip const&) const { return {"clip", 1}; }
  named_constant operator()(layer::scale const&) const {
    double most = 0;
    for (float const w : weight) most = std::max(most, std::abs(double{w}));
    return {"scale", most};
  }
  named_constant operator()(layer::batch_normalization const&) const {
    fail("a batch normalisation is left in the graph; fold() it first");
  }

  /// J = diag(p) - p p^T has eigenvalues in [0, 1/2], by Gershgorin: p_i (1 - p_i) + p_i sum_{j != i} p_j = 2 p_i (1 - p_i) <= 1/2.
  named_constant operator()(layer::softmax const&) const { return {"softmax", .5}; }

  /// With a = alpha / window, s_c = k + a sum x^2 over the window of c, J = D - R: D = diag(s^-beta) is at most k^-beta, and row c of R is
  /// 2 beta a x_c s_c^(-beta - 1) x over the window, of length at most 2 beta (s - k) s^(-beta - 1), whose largest value, at s = k (1 + 1 /
  /// beta), is 2 k^-beta (beta / (beta + 1))^(beta + 1). An input is in `window` rows of R, so R is at most sqrt(window) times that. Holds
  /// for inputs of any size and depends on alpha no further; our own derivation, the paper has none.
  named_constant operator()(layer::lrn const& n) const {
    double const k = double{n.k}, beta = double{n.beta}, size = static_cast<double>(n.size);
    if (!(k > 0 && beta >= 0 && n.alpha >= 0))
      fail("k is ", k, ", alpha ", n.alpha, ", beta ", beta, "; only k > 0 and others >= 0 have a bound");
    double const window = n.over == layer::region::within_channel ? size * size : size;
    double const rest = n.alpha > 0 ? 2 * std::pow(beta / (beta + 1), beta + 1) * std::sqrt(window) : 0;
    return {"local response normalisation", std::pow(k, -beta) * (1 + rest)};
  }

  named_constant operator()(layer::concat const&) const { return {"concatenation", 1}; }
  named_constant operator()(layer::sum const&) const { return {"sum", std::sqrt(static_cast<double>(inputs))}; }
  named_constant operator()(layer::dropout const&) const { return {"dropout", 1}; }
  named_constant operator()(layer::padding const&) const { return {"padding", 1}; }
  named_constant operator()(layer::flatten const&) const { return {"flattening", 1}; }
  named_constant operator()(layer::reshape const&) const { return {"reshaping", 1}; }
};

/// Name and constant of a node that reads `inputs` layers. Errors name the layer.
[[nodiscard]] inline named_constant layer_constant(node const& n, image_shape const& in, image_shape const& out,
                                                   std::span<float const> weight, std::size_t inputs) try {
  return std::visit(constant_of{in, out, weight, inputs}, n.what);
} catch (error const& e) {
  fail("lipschitz: layer '", n.name, "': ", e.what());
}

/// From the image to what a layer gives, when what it reads has the bounds `before`: those of branches that are added add up, of branches
/// side by side their squares do.
[[nodiscard]] inline double joined_bound(layer::operation const& what, double bound, std::vector<double> const& before) {
  if (std::holds_alternative<layer::sum>(what)) return std::accumulate(before.begin(), before.end(), 0.);
  return bound * std::sqrt(std::inner_product(before.begin(), before.end(), before.begin(), 0.));
}

}  // namespace pareidolia::detail
