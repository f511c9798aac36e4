// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/onnx_message.hpp>
#include <pareidolia/models/graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pareidolia::detail::onnx {

inline std::size_t to_extent(std::int64_t value, std::string_view what) {
  if (value < 0) refuse("its ", what, " are negative");
  if (value > static_cast<std::int64_t>(largest_extent)) fail("its ", what, " are larger than ", largest_extent);
  return static_cast<std::size_t>(value);
}

/// A list of `count` whole numbers from 0, or `count` times `otherwise` if there is none.
inline std::vector<std::size_t> extents_of(attributes const& options, std::string_view name, std::size_t count, std::size_t otherwise) {
  auto const given = options.integers(name);
  if (given.empty()) return std::vector<std::size_t>(count, otherwise);
  if (given.size() != count) refuse("its ", name, " are ", given.size(), " numbers; ", count, " are wanted, for images");
  std::vector<std::size_t> result;
  for (std::int64_t const value : given) result.push_back(to_extent(value, name));
  return result;
}

/// How the windows of a convolution or pooling lie on their input.
struct window {
  layer::extent kernel{1, 1}, stride{1, 1}, before{0, 0}, after{0, 0};
  layer::rounding edge = layer::rounding::floor;

  /// How many there are along axis d of an input of extent n, as ONNX counts them.
  [[nodiscard]] std::size_t count(std::size_t d, std::size_t n) const {
    std::size_t const padded = n + before[d] + after[d];
    if (kernel[d] > padded) fail("its kernel is larger than its padded input");
    if (edge == layer::rounding::floor) return (padded - kernel[d]) / stride[d] + 1;
    std::size_t const windows = (padded - kernel[d] + stride[d] - 1) / stride[d] + 1;
    return (windows - 1) * stride[d] >= n + before[d] ? windows - 1 : windows;
  }

  /// True when a layer that pads both sides by `before` has as many windows, `how` at the far edge. They start at the same places then,
  /// and hold the same part of the input.
  [[nodiscard]] bool matches(image_shape const& in, layer::rounding how) const {
    for (std::size_t d : {0u, 1u}) {
      std::size_t const n = in[1 + d];
      if (before[d] >= kernel[d] || kernel[d] > n + 2 * before[d]) return false;
      if (window_count(n, kernel[d], stride[d], before[d], how) != count(d, n)) return false;
    }
    return true;
  }
  [[nodiscard]] bool pads() const { return before != layer::extent{} || after != layer::extent{}; }
  [[nodiscard]] layer::padding padding() const { return {.top = before[0], .left = before[1], .bottom = after[0], .right = after[1]}; }
};

inline window read_window(attributes const& options, layer::extent kernel, image_shape const& in) {
  window w{.kernel = kernel};
  for (std::size_t const d : extents_of(options, "dilations", 2, 1))
    if (d != 1) refuse("its dilation is ", d, "; only 1 is supported");
  auto const stride = extents_of(options, "strides", 2, 1);
  w.stride = {stride[0], stride[1]};
  if (std::min({kernel[0], kernel[1], stride[0], stride[1]}) == 0) fail("its kernel and strides must be at least 1");
  auto const automatic = options.text("auto_pad", "NOTSET");
  if (automatic == "NOTSET" || automatic.empty()) {
    auto const pads = extents_of(options, "pads", 4, 0);
    w.before = {pads[0], pads[1]};
    w.after = {pads[2], pads[3]};
    if (options.integer("ceil_mode", 0) != 0) w.edge = layer::rounding::ceil;
  } else if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    for (std::size_t d : {0u, 1u}) {
      std::size_t const n = in[1 + d], last = (n + stride[d] - 1) / stride[d] * stride[d] - stride[d] + kernel[d];
      std::size_t const total = std::max(last, n) - n, less = total / 2;
      w.before[d] = automatic == "SAME_UPPER" ? less : total - less;
      w.after[d] = total - w.before[d];
    }
  } else if (automatic != "VALID") {
    refuse("its auto_pad is ", automatic);
  }
  return w;
}

/// The same windows with those that are alone along their axis cut to the input, as is right where padding does not count.
inline window cut(window w, image_shape const& in) {
  for (std::size_t d : {0u, 1u}) {
    std::size_t const n = in[1 + d];
    if (w.count(d, n) != 1 || w.before[d] >= w.kernel[d]) continue;
    w.kernel[d] = std::min(n, w.kernel[d] - w.before[d]);
    w.stride[d] = n;
    w.before[d] = w.after[d] = 0;
  }
  return w;
}

/// A pooling layer, behind a padding layer if it needs one.
struct placed_pooling {
  layer::pooling what;
  bool padded = false;
};

/// What a MaxPool or AveragePool does. Padding with zeros may stand for the padding of a maximum, which has none, only where no value is
/// negative.
inline placed_pooling place(layer::pool kind, window const& w, bool counts_padding, bool nonnegative, image_shape const& in) {
  using layer::rounding;
  placed_pooling result{{.kind = kind, .kernel = w.kernel, .stride = w.stride, .padding = w.before, .edge = w.edge}};
  if (kind == layer::pool::average && counts_padding) {
    // Floor makes all windows full, ceil cuts the last at the far padding.
    if (w.matches(in, w.edge) && (w.edge == rounding::floor || w.before == w.after)) return result;
  } else {
    rounding const other = w.edge == rounding::floor ? rounding::ceil : rounding::floor;
    for (window const& same : {w, cut(w, in)})
      for (rounding const edge : {w.edge, other})
        if (same.matches(in, edge))
          return {{.kind = kind,
                   .kernel = same.kernel,
                   .stride = same.stride,
                   .padding = same.before,
                   .edge = edge,
                   .count_padding = kind == layer::pool::maximum || !same.pads()}};
    if (kind == layer::pool::average) fail("its mean leaves out a padding that differs between the sides");
    if (!nonnegative) fail("its padding differs between the sides, and its input may be negative; put a Relu before it");
  }
  for (std::size_t d : {0u, 1u})
    if (window_count(in[1 + d] + w.before[d] + w.after[d], w.kernel[d], w.stride[d], 0, w.edge) != w.count(d, in[1 + d]))
      fail("its padding differs between the sides, and ceil_mode would make a window of padding alone");
  result.what.padding = {0, 0};
  result.padded = true;
  return result;
}

}  // namespace pareidolia::detail::onnx
