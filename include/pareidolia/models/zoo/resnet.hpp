// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/zoo_parts.hpp>
#include <pareidolia/models/graph.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia::zoo {

namespace detail {

enum class residual { basic, bottleneck };

/// He et al. (2016) as torchvision has it, with its names: four stages of `depths` blocks, each the sum of its input and of two
/// convolutions (basic) or three (bottleneck, with four times the channels behind the last). Unlike in the paper, the stride of a
/// bottleneck is in its 3x3 convolution.
inline graph resnet_with(std::string const& name, residual kind, std::array<std::size_t, 4> const& depths) {
  using namespace layer;
  graph g{.name = name, .input = {3, 224, 224}, .prepare = torchvision_colours(), .nodes = {}};
  auto const convolve = [&](std::string const& layer_name, std::string const& normalization, convolution c,
                            std::vector<std::string> const& from = {}) {
    c.bias = false;
    g.nodes.push_back({layer_name, c, from});
    g.nodes.push_back({normalization, batch_normalization{}});
  };
  auto const block = [&](std::string const& in, std::size_t width, std::size_t stride, bool projected) {
    std::vector<convolution> const path = kind == residual::basic
                                              ? std::vector{square(width, 3, stride, 1), square(width, 3, 1, 1)}
                                              : std::vector{square(width, 1), square(width, 3, stride, 1), square(4 * width, 1)};
    std::string const from = g.nodes.back().name;
    for (std::size_t i = 0; i < path.size(); ++i) {
      std::string const number = std::to_string(i + 1);
      convolve(in + "conv" + number, in + "bn" + number, path[i]);
      if (i + 1 < path.size()) g.nodes.push_back({in + "relu" + number, activation{}});
    }
    std::vector<std::string> terms{g.nodes.back().name, from};
    if (projected) {
      convolve(in + "downsample.0", in + "downsample.1", square(path.back().outputs, 1, stride), {from});
      terms[1] = in + "downsample.1";
    }
    g.nodes.push_back({in + "sum", sum{}, terms});
    g.nodes.push_back({in + "relu", activation{}});
  };
  convolve("conv1", "bn1", square(64, 7, 2, 3));
  g.nodes.push_back({"relu", activation{}});
  auto first = square_pool(pool::maximum, 3, 2, 1);
  first.edge = rounding::floor;
  g.nodes.push_back({"maxpool", first});
  for (std::size_t stage = 0; stage < depths.size(); ++stage)
    for (std::size_t i = 0; i < depths[stage]; ++i)
      block("layer" + std::to_string(stage + 1) + "." + std::to_string(i) + ".", std::size_t{64} << stage, stage > 0 && i == 0 ? 2 : 1,
            i == 0 && (stage > 0 || kind == residual::bottleneck));
  g.nodes.push_back({"avgpool", pooling{.kind = pool::average, .global = true}});
  g.nodes.push_back({"fc", inner_product{.outputs = 1000}});
  return g;
}

}  // namespace detail

// Residual networks (He et al. 2016) as torchvision has them: (3, 224, 224), 1000 classes; weights go by torchvision's names, as its
// safetensors files have them. Their counts of parameters are those one trains: means and variances of the normalisations are not counted.

/// 11,689,512 parameters.
[[nodiscard]] inline graph resnet18() { return detail::resnet_with("resnet18", detail::residual::basic, {2, 2, 2, 2}); }
/// 21,797,672 parameters.
[[nodiscard]] inline graph resnet34() { return detail::resnet_with("resnet34", detail::residual::basic, {3, 4, 6, 3}); }
/// 25,557,032 parameters.
[[nodiscard]] inline graph resnet50() { return detail::resnet_with("resnet50", detail::residual::bottleneck, {3, 4, 6, 3}); }
/// 44,549,160 parameters.
[[nodiscard]] inline graph resnet101() { return detail::resnet_with("resnet101", detail::residual::bottleneck, {3, 4, 23, 3}); }
/// 60,192,808 parameters.
[[nodiscard]] inline graph resnet152() { return detail::resnet_with("resnet152", detail::residual::bottleneck, {3, 8, 36, 3}); }

}  // namespace pareidolia::zoo
