// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pareidolia {

/// A classifier: batches of images in, one row of scores per image out.
///
/// `M::memory` is the memory space it computes in. `m.input()` is the shape of one image, `m.classes()` the length of a row of scores.
/// `m.prepare(n)` makes a workspace for batches of up to n images; it holds everything a call mutates, so one model may serve several
/// threads, each with its own workspace. `m.forward(x, y, w)` writes y(i, k), the score of class k for image i:
///   x (count, channels, height, width) in [0, 1], RGB or grey, 1 <= count <= n; y (count, classes), logits.
/// Mean, scale, channel order and crop belong to the model, so that bounds on x mean the same for every model and gradients pass through.
///
/// A complete model:
///
///     struct brightness {
///       static constexpr space memory = space::host;
///       struct workspace {};
///       image_shape input() const { return {1, 1, 1}; }
///       std::size_t classes() const { return 2; }
///       workspace prepare(std::size_t) const { return {}; }
///       void forward(const_image_view<memory> x, score_view<memory> y, workspace&) const {
///         for (std::size_t i = 0; i < x.shape[0]; ++i) y.row(i)[0] = 1 - x.row(i)[0], y.row(i)[1] = x.row(i)[0];
///       }
///     };
template <class M>
concept Model = requires(M const& m, std::size_t n, const_image_view<M::memory> x, score_view<M::memory> y, typename M::workspace& w) {
  { m.input() } -> std::convertible_to<image_shape>;
  { m.classes() } -> std::convertible_to<std::size_t>;
  { m.prepare(n) } -> std::same_as<typename M::workspace>;
  { m.forward(x, y, w) } -> std::same_as<void>;
};

/// `m.backward(dy, dx, w)` writes dx = J(x)^T dy for the x of the last forward through `w`.
///
/// dy (count, classes) and dx (count, channels, height, width), count as in that forward. It may be called any number of times after one
/// forward: the Jacobian of k classes costs one forward and k backwards.
template <class M>
concept DifferentiableModel = Model<M> &&
    requires(M const& m, const_score_view<M::memory> dy, image_view<M::memory> dx, typename M::workspace& w) {
  { m.backward(dy, dx, w) } -> std::same_as<void>;
};

/// A model whose parameters can be read, written and differentiated as one flat vector theta (parameters()).
///
/// `m.backward_weights(dy, dtheta, w)` writes dtheta = sum over the images of (d y_i / d theta)^T dy_i for the last forward through `w`.
/// `m.write(theta)` is seen by every workspace from its next forward on.
template <class M>
concept TrainableModel = Model<M> && requires(M const& m, M& trained, std::span<float> theta, std::span<float const> source,
                                              const_score_view<M::memory> dy, typename M::workspace& w) {
  { m.parameters() } -> std::convertible_to<std::size_t>;
  { m.read(theta) } -> std::same_as<void>;
  { trained.write(source) } -> std::same_as<void>;
  { m.backward_weights(dy, theta, w) } -> std::same_as<void>;
};

/// A model that shows what its layers compute.
///
/// `m.layers()` names them in order. `m.shape_of(layer)` is the shape of one activation; `m.prepare(n, layers)` makes a workspace that
/// keeps those of the named layers, and `m.activation(layer, to, w)` copies what such a layer gave in the last forward through `w`: to
/// (count, channels, height, width).
template <class M>
concept LayeredModel = Model<M> && requires(M const& m, std::size_t n, std::vector<std::string> const& layers, std::string const& layer,
                                            image_view<M::memory> to, typename M::workspace& w) {
  { m.layers() } -> std::convertible_to<std::vector<std::string>>;
  { m.shape_of(layer) } -> std::convertible_to<image_shape>;
  { m.prepare(n, layers) } -> std::same_as<typename M::workspace>;
  { m.activation(layer, to, w) } -> std::same_as<void>;
};

/// A model that can say which one it is: a 64-bit hash of its architecture and parameters. Results of such a model carry it.
template <class M>
concept FingerprintedModel = Model<M> && requires(M const& m) {
  { m.fingerprint() } -> std::convertible_to<std::uint64_t>;
};

}  // namespace pareidolia
