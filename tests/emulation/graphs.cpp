// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// How often a network gives its device work, and when that is recorded, which only an emulated device counts.

#include "emulation/machine.hpp"
#include "support/device.hpp"

#include <pareidolia/engines/cuda.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pareidolia_test {
namespace {

using namespace pareidolia;

graph small() {
  using namespace layer;
  return {"small",
          {3, 8, 9},
          {},
          {{"conv", convolution{.outputs = 5, .kernel = {3, 3}}},
           {"relu", activation{}},
           {"lrn", lrn{.size = 3, .alpha = .5f}},
           {"pool", pooling{.kernel = {2, 2}, .stride = {2, 2}}},
           {"ip", inner_product{.outputs = 7}}}};
}

/// What one forward and one backward of n images give, and how much work they gave the device.
struct passes {
  tensor<float, 2> y;
  tensor<float, 4> dx;
  std::size_t forward, backward, graphs;
};

/// A network with one workspace for up to 8 images.
class subject {
 public:
  passes operator()(std::size_t n, std::uint64_t seed) {
    auto const x = on_device(random_values<4>({n, 3, 8, 9}, seed));
    auto const dy = on_device(random_values<2>({n, 7}, seed + 1, -1, 1));
    storage<float, 2, space::device> const y({n, 7});
    storage<float, 4, space::device> const dx({n, 3, 8, 9});
    auto const before = emulation::made;
    net_.forward(x.view(), y.view(), work_);
    auto const between = emulation::made;
    net_.backward(dy.view(), dx.view(), work_);
    auto const after = emulation::made;
    return {on_host(y.view()), on_host(dx.view()), between.started - before.started, after.started - between.started,
            after.graphs - before.graphs};
  }

 private:
  graph const graph_ = small();
  network<cuda_engine> const net_{cuda_engine{}, graph_, xavier(graph_, rng(1))};
  network<cuda_engine>::workspace work_ = net_.prepare(8);
};

/// The same where nothing can be recorded.
passes step_by_step(std::size_t n, std::uint64_t seed) {
  emulation::machine plain = emulation::emulated;
  plain.captures = false;
  emulation::changed_machine const change(plain);
  subject net;
  static_cast<void>(net(n, seed));
  return net(n, seed);
}

void check_same(passes const& got, passes const& expected) {
  CHECK(got.y == expected.y);
  CHECK(got.dx == expected.dx);
}

}  // namespace

TEST_CASE("the second time a network runs, its work is recorded, and then started as a whole; the results stay what they are to the bit") {
  subject net;
  auto const first = net(8, 1);  // with the backward, the program is compiled anew and the forward repeated
  CHECK(first.graphs == 0);
  auto const second = net(8, 2), third = net(8, 3);
  CHECK(second.graphs == 2);  // forward and backward
  CHECK(third.graphs == 0);
  CHECK(third.forward == 3);   // preprocessing, the graph, the scores' copy
  CHECK(third.backward == 3);  // the seed's copy, the graph, preprocessing
  check_same(second, step_by_step(8, 2));
  auto const plain = step_by_step(8, 3);
  check_same(third, plain);
  CHECK(plain.graphs == 0);
  CHECK(plain.forward > 2 * third.forward);
  CHECK(plain.backward > 2 * third.backward);
}

TEST_CASE("each batch size is recorded, and again when its memory has moved") {
  subject net;
  auto const graphs_of = [&](std::size_t n, std::size_t times) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < times; ++i) {
      auto const got = net(n, 10 * n + i);
      check_same(got, step_by_step(n, 10 * n + i));
      count += got.graphs;
    }
    return count;
  };
  CHECK(graphs_of(3, 4) == 2);  // forward and backward
  CHECK(graphs_of(2, 4) == 2);
  CHECK(graphs_of(3, 2) == 0);  // the memory is where it was
  CHECK(graphs_of(8, 4) == 2);  // moves it
  CHECK(graphs_of(3, 4) == 2);
  CHECK(graphs_of(2, 1) == 0);
  CHECK(graphs_of(8, 2) == 0);
}

}  // namespace pareidolia_test
