// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/zoo_parts.hpp>
#include <pareidolia/models/graph.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace pareidolia::zoo {

namespace detail {

/// Iandola et al. (2016): a convolution, eight fire modules named fire2 to fire9, and one convolution that scores. `poolings` are the
/// numbers of the modules behind which there is one, besides that behind the first convolution.
inline graph squeezenet_with(std::string const& name, layer::convolution const& first, std::set<std::size_t> const& poolings,
                             std::size_t margin) {
  using namespace layer;
  graph g{.name = name, .input = {3, 227, 227}, .prepare = caffe_colours(), .nodes = {}};
  auto const convolve = [&](std::string const& folder, std::string const& layer_name, convolution const& c,
                            std::vector<std::string> const& from = {}) {
    g.nodes.push_back({folder + layer_name, c, from});
    g.nodes.push_back({folder + "relu_" + layer_name, activation{}});
  };
  auto const fire = [&](std::string const& in, std::size_t squeeze) {
    convolve(in, "squeeze1x1", square(squeeze, 1));
    convolve(in, "expand1x1", square(4 * squeeze, 1));
    convolve(in, "expand3x3", square(4 * squeeze, 3, 1, 1), {in + "relu_squeeze1x1"});
    g.nodes.push_back({in + "concat", concat{}, {in + "relu_expand1x1", in + "relu_expand3x3"}});
  };
  convolve("", "conv1", first);
  g.nodes.push_back({"pool1", max_pool()});
  for (std::size_t number = 2; number <= 9; ++number) {
    fire("fire" + std::to_string(number) + "/", 16 * (number / 2));
    if (poolings.contains(number)) g.nodes.push_back({"pool" + std::to_string(number), max_pool()});
  }
  g.nodes.push_back({"drop9", dropout{}});
  if (margin > 0) g.nodes.push_back({"conv10/pad", padding{margin, margin, margin, margin}});
  convolve("", "conv10", square(1000, 1));
  g.nodes.push_back({"pool10", pooling{.kind = pool::average, .global = true}});
  return g;
}

}  // namespace detail

/// SqueezeNet 1.0 (Iandola et al. 2016) as its authors trained it: (3, 227, 227), 1000 classes, 1,248,424 parameters. Their 1x1 convolution
/// at the end is padded by one, a margin of positions that see nothing and score all the same.
[[nodiscard]] inline graph squeezenet_1_0() { return detail::squeezenet_with("squeezenet_1_0", detail::square(96, 7, 2), {4, 8}, 1); }

/// SqueezeNet 1.1 as its authors trained it: (3, 227, 227), 1000 classes, 1,235,496 parameters.
[[nodiscard]] inline graph squeezenet_1_1() { return detail::squeezenet_with("squeezenet_1_1", detail::square(64, 3, 2), {3, 5}, 0); }

}  // namespace pareidolia::zoo
