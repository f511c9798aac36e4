// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/engines/reference.hpp>
#include <pareidolia/loaders/onnx.hpp>
#include <pareidolia/models/network.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "support/files.hpp"
#include "support/graphs.hpp"
#include "support/onnx_models.hpp"

/// Runs small ONNX models, and works out what they should give by the definitions of their operators.
namespace pareidolia_test::onnx {

using namespace pareidolia;
using numbers = std::vector<double>;
using floats = std::vector<float>;

inline attribute list(std::string name, extents values) { return {std::move(name), std::move(values)}; }
inline attribute number(std::string name, std::int64_t value) { return {std::move(name), value}; }
inline attribute real(std::string name, float value) { return {std::move(name), value}; }
inline attribute word(std::string name, std::string value) { return {std::move(name), std::move(value)}; }

inline onnx_network read(model const& m, image_shape const& input = {}) {
  temporary_folder const folder;
  return read_onnx(put(folder / "net.onnx", onnx::encode(m)), input);
}
inline std::string refusal(model const& m) {
  return error_of([&] { (void)read(m); });
}

/// `count` numbers of both signs that no pattern repeats.
inline floats wave(std::size_t count, double phase = 0) {
  floats values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<float>(std::sin(1.7 * static_cast<double>(i) + phase)));
  return values;
}
inline onnx::tensor constant(std::string name, extents dims, double phase = 0) {
  std::size_t count = 1;
  for (std::int64_t const extent : dims) count *= static_cast<std::size_t>(extent);
  return {std::move(name), std::move(dims), wave(count, phase)};
}
inline onnx::tensor integers(std::string name, extents values) {
  return {std::move(name), {static_cast<std::int64_t>(values.size())}, values};
}

inline std::size_t pixels_of(image_shape const& s) { return s[0] * s[1] * s[2]; }

/// The scores of one image of wave(...) by the double reference engine.
inline numbers scores(onnx_network const& n) {
  network const net{reference_engine<double>{}, n.structure, n.parameters};
  auto w = net.prepare(1);
  auto const [c, height, width] = net.input();
  floats const x = wave(pixels_of(net.input()), .5);
  floats y(net.classes());
  net.forward({x.data(), {1, c, height, width}}, {y.data(), {1, y.size()}}, w);
  return {y.begin(), y.end()};
}
inline numbers scores(model const& m) { return scores(read(m)); }

inline void check_equal(numbers const& found, numbers const& wanted) {
  REQUIRE(found.size() == wanted.size());
  CHECK(relative_error(found, wanted) < 1e-6);
}

template <class Layer>
Layer const& only(onnx_network const& n) {
  REQUIRE(n.structure.nodes.size() == 1);
  REQUIRE(std::holds_alternative<Layer>(n.structure.nodes.front().what));
  return std::get<Layer>(n.structure.nodes.front().what);
}
inline std::vector<std::string> names_of(graph const& g) {
  std::vector<std::string> names;
  for (auto const& n : g.nodes) names.push_back(n.name);
  return names;
}
using names = std::vector<std::string>;

// ---- operators by their definitions, one image --------------------------------------------------------------------------------------

/// An image or an activation.
struct image {
  std::size_t channels, height, width;
  numbers values;
  double& at(std::size_t c, std::size_t i, std::size_t j) { return values[(c * height + i) * width + j]; }
  double at(std::size_t c, std::size_t i, std::size_t j) const { return values[(c * height + i) * width + j]; }
};
inline image input_of(std::size_t channels, std::size_t height, std::size_t width) {
  floats const x = wave(channels * height * width, .5);
  return {channels, height, width, {x.begin(), x.end()}};
}

/// Windows as ONNX has them.
struct windows {
  std::array<std::size_t, 2> kernel, stride{1, 1};
  std::array<std::size_t, 4> pads{};  // top, left, bottom, right
  bool ceil = false;

  std::size_t count(std::size_t d, std::size_t n) const {
    double const steps = static_cast<double>(n + pads[d] + pads[2 + d] - kernel[d]) / static_cast<double>(stride[d]);
    auto const last = static_cast<std::size_t>(ceil ? std::ceil(steps) : steps);
    return ceil && last * stride[d] >= n + pads[d] ? last : last + 1;  // none begins in the padding behind
  }
};

/// Calls visit(output, tap, value or null in the padding) for all taps inside the padded image; nothing beyond it.
template <class Visit>
void visit_taps(image const& x, std::size_t c, windows const& w, Visit const& visit) {
  std::size_t const height = w.count(0, x.height), width = w.count(1, x.width);
  for (std::size_t i = 0; i < height; ++i)
    for (std::size_t j = 0; j < width; ++j)
      for (std::size_t u = 0; u < w.kernel[0]; ++u)
        for (std::size_t v = 0; v < w.kernel[1]; ++v) {
          std::size_t const h = i * w.stride[0] + u, l = j * w.stride[1] + v;  // in the padded image
          if (h >= x.height + w.pads[0] + w.pads[2] || l >= x.width + w.pads[1] + w.pads[3]) continue;
          bool const inside = h >= w.pads[0] && h < w.pads[0] + x.height && l >= w.pads[1] && l < w.pads[1] + x.width;
          double const value = inside ? x.at(c, h - w.pads[0], l - w.pads[1]) : 0;
          visit(i * width + j, u * w.kernel[1] + v, inside ? &value : nullptr);
        }
}

inline image convolve(image const& x, floats const& weight, floats const& bias, std::size_t outputs, windows const& w,
                      std::size_t groups = 1) {
  image y{outputs, w.count(0, x.height), w.count(1, x.width), {}};
  y.values.resize(outputs * y.height * y.width);
  std::size_t const channels = x.channels / groups, taps = w.kernel[0] * w.kernel[1], plane = y.height * y.width;
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t p = 0; p < plane; ++p) y.values[o * plane + p] = bias.empty() ? 0 : static_cast<double>(bias[o]);
    for (std::size_t c = 0; c < channels; ++c)
      visit_taps(x, o / (outputs / groups) * channels + c, w, [&](std::size_t at, std::size_t tap, double const* value) {
        if (value) y.values[o * plane + at] += static_cast<double>(weight[(o * channels + c) * taps + tap]) * *value;
      });
  }
  return y;
}

template <class F>
numbers map(numbers values, F const& f) {
  std::transform(values.begin(), values.end(), values.begin(), f);
  return values;
}

inline numbers product(numbers const& x, floats const& weight, bool transposed, double alpha, floats const& bias, double beta) {
  std::size_t const outputs = weight.size() / x.size();
  numbers y(outputs);
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t i = 0; i < x.size(); ++i)
      y[o] += alpha * static_cast<double>(weight[transposed ? o * x.size() + i : i * outputs + o]) * x[i];
    if (!bias.empty()) y[o] += beta * static_cast<double>(bias[bias.size() == 1 ? 0 : o]);
  }
  return y;
}

}  // namespace pareidolia_test::onnx
