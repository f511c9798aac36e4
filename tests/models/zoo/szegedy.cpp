// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/zoo/szegedy.hpp>

#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/models/decay.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/training.hpp>

#include "support/data.hpp"
#include "support/graphs.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <variant>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

TEST_CASE("the networks of Szegedy et al. have sigmoids between inner products of 100 or 200, and a softmax") {
  for (auto const& [g, width] : {std::pair{zoo::fc100_100_10(), 100u}, {zoo::fc200_200_10(), 200u}}) {
    auto const p = plan(g);
    CHECK(after(p, "fc1") == image_shape{width, 1, 1});
    CHECK(after(p, "sigmoid2") == image_shape{width, 1, 1});
    CHECK(after(p, "fc3") == image_shape{10, 1, 1});
    CHECK(std::get<layer::activation>(g.nodes[1].what).kind == layer::function::sigmoid);
    CHECK(std::holds_alternative<layer::softmax>(g.nodes.back().what));
    CHECK(p.parameters == 785 * width + (width + 1) * width + (width + 1) * 10);
  }
  CHECK(plan(zoo::fc10()).parameters == 7850);
  CHECK(zoo::fc10().prepare.scale == 1);
}

namespace {

/// Test error in percent after some epochs with the decay of each layer.
double test_error(graph const& g, std::vector<float> const& lambda, sgd<> how) {
  static labelled_images const digits =
      read_mnist(data_path("mnist/train-images-idx3-ubyte.gz"), data_path("mnist/train-labels-idx1-ubyte.gz"));
  static labelled_images const held_out =
      read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  network net{cpu_engine{}, g, xavier(g, rng{1})};
  how.decays = layer_decay(net.structure(), lambda);
  auto const result = train(net, digits, held_out, how, rng{2});
  MESSAGE(g.name << " (" << lambda.front() << "): test error " << 100 * (1 - result.accuracy) << " % after " << how.epochs
                 << " epochs, loss of the last " << result.loss << ", " << result.seconds << " s");
  return 100 * (1 - result.accuracy);
}

}  // namespace

TEST_CASE("data: softmax regression errs more the larger its decay, as in table 1 of Szegedy et al.") {
  sgd<> const how{.rate = .02f, .batch = 100, .epochs = 3, .schedule = {.gamma = 1e-3f}};
  double const free = test_error(zoo::fc10(), {1e-4f}, how);
  sgd<> slow = how;
  slow.rate = .005f;  // the decay is a curvature of its own
  double const held = test_error(zoo::fc10(), {1}, slow);
  CHECK(free < 9);
  CHECK(held > 13);
  CHECK(held < 20);
}

TEST_CASE("data: two sigmoid layers of 100 reach an error below 4 % in two epochs") {
  CHECK(test_error(zoo::fc100_100_10(), {1e-5f, 1e-5f, 1e-6f}, {.rate = .2f, .batch = 20, .epochs = 2}) < 4);
}
