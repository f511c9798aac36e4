// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/cppn_weights.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/objectives/opposite.hpp>
#include <pareidolia/optimizers/gradient_ascent.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/lenet_task.hpp>
#include <support/small_models.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace pareidolia_test {
namespace {

constexpr image_shape shape{3, 10, 12};

cppn_weights const some = cppn_weights::grown({.levels = 0}, shape, 20, rng(1));

std::vector<float> genes_of(cppn_network const& network) {
  std::vector<float> genes;
  for (auto const& connection : network.connections) genes.push_back(connection.gene);
  return genes;
}

tensor<float, 4> decoded(cppn_weights const& e, perturbations<host> const& p) {
  auto const canvas = blank(shape);
  auto x = filled<float, 4>({p.size(), shape[0], shape[1], shape[2]});
  e.decode(p, as_view(canvas.images), as_view(x));
  return x;
}

}  // namespace

TEST_CASE("a neutral genotype of cppn_weights draws what its network draws, others what networks with other genes draw") {
  auto const canvas = blank(shape);
  auto p = some.buffer(2, as_view(canvas.images));
  for (float& d : p.rows().row(1)) d = 0.01f;
  auto other = some.network;
  for (auto& connection : other.connections) connection.gene = std::min(connection.gene + 0.01f, 1.f);
  auto expected = filled<float, 4>({2, shape[0], shape[1], shape[2]});
  some.drawing.decode({{some.network, other}}, as_view(canvas.images), as_view(expected));
  CHECK(decoded(some, p) == expected);
  CHECK(genes_of(some.networks(p).networks[1]) == genes_of(other));
}

TEST_CASE("grown networks belong to their seed and have what they were grown to") {
  CHECK(genes_of(cppn_weights::grown({}, shape, 20, rng(1)).network) == genes_of(some.network));
  CHECK(genes_of(cppn_weights::grown({}, shape, 20, rng(2)).network) != genes_of(some.network));
  CHECK(cppn_weights::grown({}, shape, 0, rng(1)).network.hidden() == 0);
  CHECK(some.network.hidden() > 3);
  CHECK(some.network.outputs == 3);
  CHECK(cppn_weights::grown({}, {1, 4, 4}, 5, rng(1)).network.outputs == 1);
}

TEST_CASE("gradients of cppn_weights are those of its networks' genes") {
  auto const canvas = blank(shape);
  auto p = some.buffer(3, as_view(canvas.images)), dp = p;
  auto stream = rng(4).stream(0);
  for (std::size_t i = 0; i < 3; ++i)
    for (float& d : p.rows().row(i)) d = 0.1f * stream.normal();
  auto dx = filled<float, 4>({3, shape[0], shape[1], shape[2]});
  for (float& v : dx) v = stream.normal();
  some.pullback(p, as_view(canvas.images), as_view(dx), dp);
  auto const networks = some.networks(p);
  auto slopes = networks;
  some.drawing.pullback(networks, as_view(canvas.images), as_view(dx), slopes);
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::ranges::equal(dp.rows().row(i), genes_of(slopes.networks[i])));
}

TEST_CASE("projected genotypes of cppn_weights stand for genes in [0, 1] that are in the ball") {
  auto const canvas = blank(shape);
  for (float radius : {0.2f, std::numeric_limits<float>::infinity()}) {
    cppn_weights near = some;
    near.norm.radius = radius;
    auto p = near.buffer(2, as_view(canvas.images));
    auto stream = rng(4).stream(0);
    for (float& d : p.rows().row(0)) d = stream.normal();
    near.scatter(p, std::array<std::size_t, 1>{1}, std::array<std::uint64_t, 1>{7}, rng(5));
    auto const drawn = std::vector<float>(p.rows().row(1).begin(), p.rows().row(1).end());
    near.project(p, as_view(canvas.images));
    CHECK(std::ranges::equal(p.rows().row(1), drawn));  // permitted ones stay
    CHECK(std::ranges::any_of(drawn, [](float d) { return d != 0; }));
    auto const genes = genes_of(near.network);
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t k = 0; k < genes.size(); ++k) {
        float const d = p.rows().row(i)[k];
        CHECK(std::abs(d) <= radius);
        CHECK(genes[k] + d >= -1e-7f);
        CHECK(genes[k] + d <= 1 + 1e-7f);
      }
  }
}

TEST_CASE("cppn_weights says what it cannot draw") {
  auto const canvas = blank(shape), grey = blank({1, 4, 4});
  CHECK(message_of([&] { (void)cppn_weights{}.buffer(1, as_view(canvas.images)); }).find("the network has no connections") !=
        std::string::npos);
  CHECK(message_of([&] { (void)some.buffer(1, as_view(grey.images)); }) ==
        "cppn_weights: the network has 3 outputs, images of 1 channels take 1; grow one for images of this shape");
  cppn_weights bad = some;
  bad.norm.radius = -1;
  CHECK(message_of([&] { (void)bad.buffer(1, as_view(canvas.images)); }).find("radius") != std::string::npos);
}

TEST_CASE("data: gradients and searches in a ball climb LeNet's confidence by the weights of a network alone") {
  auto const net = trained_lenet();
  labelled_images digits{filled<float, 4>({10, 1, 28, 28}), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}};
  auto const drawing = cppn_weights::grown({.weight_range = 2, .levels = 0}, net.input(), 100, rng(3));
  auto const confidence = [](outcome const& r) {
    double sum = 0;
    for (float v : r.values) sum += double{v};
    return sum / static_cast<double>(r.size());
  };
  auto const ascent = [&](std::size_t steps) { return gradient_ascent{.steps = steps, .early = 0.3f, .late = 0.3f}; };
  double const before = confidence(run(attack{drawing, class_probability{}, ascent(1)}, net, digits, rng(1)));
  double const climbed = confidence(run(attack{drawing, class_probability{}, ascent(40)}, net, digits, rng(1)));
  auto const walked = run(attack{drawing, towards{cross_entropy{}}, pgd{.rate = 0.01f, .steps = 40}}, net, digits, rng(1));
  MESSAGE("mean confidence: " << before << ", after an ascent " << climbed);
  CHECK(before < 0.2);
  CHECK(climbed > 0.5);
  CHECK(std::ranges::count(walked.success, 1) >= 5);
}

}  // namespace pareidolia_test
