// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/batch.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include "engines/conformance.hpp"
#include "support/samples.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

bool const available = detail::onednn::has_bfloat16();

/// The class of each image, 20 at a time.
std::vector<int> classes_of(network<cpu_engine> const& net, tensor<float, 4> const& images) {
  constexpr std::size_t batch = 20;
  auto y = filled<float, 2>({images.shape()[0], net.classes()});
  auto work = net.prepare(batch);
  for (std::size_t i = 0; i < images.shape()[0]; i += batch) net.forward(as_view(images).rows(i, batch), as_view(y).rows(i, batch), work);
  std::vector<int> result(images.shape()[0]);
  argmax(as_view(std::as_const(y)), result);
  return result;
}

}  // namespace

TEST_CASE("in bfloat16 every layer scores about as in float, alone and behind others") {
  if (!available) return;
  for (graph const& g : conformance_graphs()) {
    CAPTURE(g.name);
    weights const w = random_weights(g, 7);
    image_shape const in = g.input, out = plan(g).out.back();
    auto const x = random_uniform<float, 4>({5, in[0], in[1], in[2]}, 11);
    auto y = filled<float, 2>({5, out[0] * out[1] * out[2]}), rounded = y;
    auto const score = [&](cpu_engine const& engine, tensor<float, 2>& to) {
      auto const parameters = engine.load(g, w);
      engine.compile(parameters, 5).forward(as_view(x), as_view(to));
    };
    score(cpu_engine{}, y);
    score(cpu_engine{.bfloat16 = true}, rounded);
    CHECK(relative_error(rounded, y) < 3e-2);
  }
}

TEST_CASE("gradients are those of float, and so are the scores of a plan that was asked for them") {
  if (!available) return;
  graph const g = zoo::lenet5();
  weights const w = random_weights(g, 1);
  auto const x = random_uniform<float, 4>({4, 1, 28, 28}, 2);
  auto const dy = random_normal<float, 2>({4, 10}, 3);
  auto const pass = [&](cpu_engine const& engine, tensor<float, 2>& before, tensor<float, 2>& after) {
    network const net{engine, g, w};
    auto work = net.prepare(4);
    auto dx = filled<float, 4>(x.shape());
    net.forward(as_view(x), as_view(before), work);
    net.backward(as_view(dy), as_view(dx), work);
    net.forward(as_view(x), as_view(after), work);
    return dx;
  };
  auto y = filled<float, 2>({4, 10}), again = y, rounded = y, exact = y;
  auto const expected = pass(cpu_engine{}, y, again), got = pass(cpu_engine{.bfloat16 = true}, rounded, exact);
  CHECK(got == expected);
  CHECK(exact == y);
  CHECK(rounded != y);
  CHECK(relative_error(rounded, y) < 3e-2);
}

TEST_CASE("data: GoogLeNet and SqueezeNet name the same classes in bfloat16 as in float, but for a few images") {
  if (!available) return;
  auto const check = [](graph const& g, char const* file, std::size_t least) {
    CAPTURE(g.name);
    weights const w = read_caffemodel(data_path(file));
    auto const images = subset100(g.input[1]).images;
    auto const exact = classes_of({cpu_engine{}, g, w}, images), rounded = classes_of({cpu_engine{.bfloat16 = true}, g, w}, images);
    std::size_t same = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) same += exact[i] == rounded[i];
    CHECK(same >= least);
  };
  check(zoo::googlenet(), "models/googlenet/bvlc_googlenet.caffemodel", 98);
  check(zoo::squeezenet_1_1(), "models/squeezenet_v1.1/squeezenet_v1.1.caffemodel", 96);
}
