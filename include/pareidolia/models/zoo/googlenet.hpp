// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/zoo_parts.hpp>
#include <pareidolia/models/graph.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace pareidolia::zoo {

/// GoogLeNet (Szegedy et al. 2015) as BVLC trained it, without the auxiliary classifiers: (3, 224, 224), 1000 classes, 6,998,552
/// parameters.
[[nodiscard]] inline graph googlenet() {
  using namespace layer;
  using detail::square, detail::square_pool, detail::max_pool;
  graph g{.name = "googlenet", .input = {3, 224, 224}, .prepare = detail::caffe_colours(), .nodes = {}};
  auto const convolve = [&](std::string const& name, convolution const& c, std::vector<std::string> const& from = {}) {
    g.nodes.push_back({name, c, from});
    g.nodes.push_back({name + "/relu", activation{}});
  };
  struct sizes {
    std::size_t one, three_reduce, three, five_reduce, five, pool;
  };
  auto const inception = [&](std::string const& name, sizes const& n) {
    std::string const from = g.nodes.back().name, in = "inception_" + name + "/";
    convolve(in + "1x1", square(n.one, 1), {from});
    convolve(in + "3x3_reduce", square(n.three_reduce, 1), {from});
    convolve(in + "3x3", square(n.three, 3, 1, 1));
    convolve(in + "5x5_reduce", square(n.five_reduce, 1), {from});
    convolve(in + "5x5", square(n.five, 5, 1, 2));
    g.nodes.push_back({in + "pool", square_pool(pool::maximum, 3, 1, 1), {from}});
    convolve(in + "pool_proj", square(n.pool, 1));
    g.nodes.push_back({in + "output", concat{}, {in + "1x1/relu", in + "3x3/relu", in + "5x5/relu", in + "pool_proj/relu"}});
  };
  convolve("conv1/7x7_s2", square(64, 7, 2, 3));
  g.nodes.push_back({"pool1/3x3_s2", max_pool()});
  g.nodes.push_back({"pool1/norm1", lrn{}});
  convolve("conv2/3x3_reduce", square(64, 1));
  convolve("conv2/3x3", square(192, 3, 1, 1));
  g.nodes.push_back({"conv2/norm2", lrn{}});
  g.nodes.push_back({"pool2/3x3_s2", max_pool()});
  inception("3a", {64, 96, 128, 16, 32, 32});
  inception("3b", {128, 128, 192, 32, 96, 64});
  g.nodes.push_back({"pool3/3x3_s2", max_pool()});
  inception("4a", {192, 96, 208, 16, 48, 64});
  inception("4b", {160, 112, 224, 24, 64, 64});
  inception("4c", {128, 128, 256, 24, 64, 64});
  inception("4d", {112, 144, 288, 32, 64, 64});
  inception("4e", {256, 160, 320, 32, 128, 128});
  g.nodes.push_back({"pool4/3x3_s2", max_pool()});
  inception("5a", {256, 160, 320, 32, 128, 128});
  inception("5b", {384, 192, 384, 48, 128, 128});
  g.nodes.push_back({"pool5/7x7_s1", square_pool(pool::average, 7, 1)});
  g.nodes.push_back({"pool5/drop_7x7_s1", dropout{}});
  g.nodes.push_back({"loss3/classifier", inner_product{.outputs = 1000}});
  return g;
}

}  // namespace pareidolia::zoo
