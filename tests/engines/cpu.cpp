// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/network.hpp>

#include "engines/conformance.hpp"

#include <doctest/doctest.h>

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

static_assert(Engine<cpu_engine>);

namespace {

struct restored_threads {
  int const former = omp_get_max_threads();
  ~restored_threads() { omp_set_num_threads(former); }
};

template <class A, class B>
bool same_bits(A const& a, B const& b, std::size_t count) {
  return std::memcmp(a.data(), b.data(), count * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("the cpu engine agrees with the reference on every layer, forward and both backwards") {
  restored_threads const restore;
  for (int threads : {1, 2}) {
    CAPTURE(threads);
    omp_set_num_threads(threads);
    check_conformance(cpu_engine{}, 1e-4);
    check_conformance(cpu_engine{.slice = 2, .winograd = false}, 1e-4);
  }
}

TEST_CASE("the cpu engine agrees with the reference where a large network takes other ways") {
  // Strides that are folded, Winograd forward alone and in both directions, weights that are read where they lie.
  using namespace layer;
  convolution const wide{.outputs = 64, .kernel = {3, 3}, .padding = {1, 1}};
  graph const g{"large",
                {3, 131, 127},
                {},
                {{"conv1", convolution{.outputs = 32, .kernel = {11, 11}, .stride = {4, 4}, .padding = {2, 1}}},
                 {"relu1", activation{}},
                 {"conv2", wide},
                 {"relu2", activation{.slope = .1f}},
                 {"conv3", wide},
                 {"pool", pooling{.kernel = {2, 2}, .stride = {2, 2}}},
                 {"conv4", wide},
                 {"ip1", inner_product{.outputs = 70}},
                 {"relu3", activation{}},
                 {"ip2", inner_product{.outputs = 7, .bias = false}}}};
  REQUIRE(multiplications(plan(g)) > 50'000'000);
  weights const w = random_weights(g, 7);
  for (std::size_t count : {1u, 2u, 5u}) {
    CAPTURE(count);
    auto const got = all_passes(cpu_engine{}, g, w, count, 11);
    auto const expected = all_passes(reference_engine<double>{}, g, w, count, 11);
    CHECK(relative_error(got.y, expected.y) < 1e-5);
    CHECK(relative_error(got.dx, expected.dx) < 1e-2);  // one of a hundred thousand units at a near-tie may fall to the other side
    CHECK(relative_error(got.dtheta, expected.dtheta) < 1e-2);
  }
}

TEST_CASE("the cpu engine shows the activations of its layers") { check_activations(cpu_engine{.slice = 2}, 1e-4); }

TEST_CASE("an image's scores and gradient are the same bits in every batch, slice and number of threads") {
  using namespace layer;
  restored_threads const restore;
  graph const colours{"colours",
                      {3, 28, 28},
                      {},
                      {{"one", convolution{.outputs = 16, .kernel = {3, 3}, .padding = {1, 1}}},
                       {"relu", activation{}},
                       {"two", convolution{.outputs = 32, .kernel = {3, 3}, .padding = {1, 1}}},
                       {"pool", pooling{.kernel = {2, 2}, .stride = {2, 2}}},
                       {"lrn", lrn{}},
                       {"wide", inner_product{.outputs = 170}},
                       {"last", inner_product{.outputs = 10}}}};
  for (graph const& g : {zoo::lenet5(), colours}) {
    CAPTURE(g.name);
    weights const w = random_weights(g, 1);
    image_shape const in = g.input;
    std::size_t const pixels = in[0] * in[1] * in[2];
    constexpr std::size_t most = 70;
    auto const x = random_uniform<float, 4>({most, in[0], in[1], in[2]}, 2);
    auto const dy = random_normal<float, 2>({most, 10}, 3);

    auto expected_y = filled<float, 2>({most, 10});
    auto expected_dx = filled<float, 4>(x.shape());
    bool first = true;
    for (int threads : {1, 2, 3})
      for (std::size_t slice : {2u, 16u, 64u})
        for (std::size_t count : {2u, 3u, 5u, 16u, 17u, 70u}) {
          CAPTURE(threads);
          CAPTURE(slice);
          CAPTURE(count);
          omp_set_num_threads(threads);
          network const net{cpu_engine{.slice = slice}, g, w};
          std::size_t const n = first ? most : count;
          auto work = net.prepare(n);
          auto y = filled<float, 2>({n, 10});
          auto dx = filled<float, 4>({n, in[0], in[1], in[2]});
          net.forward(as_view(x).rows(0, n), as_view(y), work);
          auto scores_alone = y;
          net.backward(as_view(dy).rows(0, n), as_view(dx), work);
          net.forward(as_view(x).rows(0, n), as_view(y), work);
          CHECK(same_bits(y, scores_alone, n * 10));  // a plan with gradients scores as one without
          if (first) {
            expected_y = y;
            expected_dx = dx;
            first = false;
          }
          CHECK(same_bits(y, expected_y, n * 10));
          CHECK(same_bits(dx, expected_dx, n * pixels));
        }
  }
}

TEST_CASE("gradients of the weights do not depend on the number of threads") {
  restored_threads const restore;
  graph const g = zoo::lenet5();
  weights const w = random_weights(g, 1);
  omp_set_num_threads(1);
  auto const one = all_passes(cpu_engine{}, g, w, 64, 4);
  omp_set_num_threads(2);
  auto const two = all_passes(cpu_engine{}, g, w, 64, 4);
  CHECK(same_bits(one.dtheta, two.dtheta, one.dtheta.size()));
}

TEST_CASE("backward may follow forward many times, in any order, for smaller batches than prepared") {
  graph const g = zoo::lenet5();
  network const net{cpu_engine{}, g, random_weights(g, 1)};
  auto work = net.prepare(40);
  auto const x = random_uniform<float, 4>({40, 1, 28, 28}, 2);
  for (std::size_t n : {40u, 7u, 1u, 40u}) {
    CAPTURE(n);
    auto y = filled<float, 2>({n, 10});
    net.forward(as_view(x).rows(0, n), as_view(y), work);
    // J(x)^T is linear: the gradient of a sum is the sum of the gradients of its terms.
    auto const a = random_normal<float, 2>({n, 10}, 5), b = random_normal<float, 2>({n, 10}, 6);
    tensor<float, 2> both = a + b;
    auto da = filled<float, 4>({n, 1, 28, 28}), db = da, dboth = da;
    std::vector<float> dtheta(net.parameters());
    net.backward(as_view(a), as_view(da), work);
    net.backward_weights(as_view(a), dtheta, work);
    net.backward(as_view(b), as_view(db), work);
    net.backward(as_view(std::as_const(both)), as_view(dboth), work);
    tensor<float, 4> const sum = da + db;
    CHECK(relative_error(dboth, sum) < 1e-5);
    auto again = filled<float, 4>({n, 1, 28, 28});
    net.backward(as_view(a), as_view(again), work);
    CHECK(same_bits(again, da, n * 784));
  }
}

TEST_CASE("parameters that are written are seen by plans from their next forward on") {
  graph const g = zoo::lenet5();
  network net{cpu_engine{}, g, random_weights(g, 1)};
  network const other{cpu_engine{}, g, random_weights(g, 2)};
  network const copy = net;
  std::vector<float> theta(net.parameters());
  other.read(theta);
  auto const x = random_uniform<float, 4>({8, 1, 28, 28}, 2);
  auto work = net.prepare(8), other_work = other.prepare(8), copy_work = copy.prepare(8);
  auto before = filled<float, 2>({8, 10}), after = before, expected = before, copied = before;
  net.forward(as_view(x), as_view(before), work);
  net.write(theta);
  net.forward(as_view(x), as_view(after), work);
  other.forward(as_view(x), as_view(expected), other_work);
  copy.forward(as_view(x), as_view(copied), copy_work);
  CHECK(same_bits(after, expected, after.size()));
  CHECK(same_bits(copied, before, before.size()));
  CHECK(net.fingerprint() == other.fingerprint());
  CHECK(net.fingerprint() != copy.fingerprint());
}

TEST_CASE("the cpu engine refuses what it cannot run, in a sentence") {
  graph const g = zoo::lenet5();
  weights w = random_weights(g, 1);
  w.source = "some.file";
  network const net{cpu_engine{}, g, w};
  auto work = net.prepare(2);
  auto const x = random_uniform<float, 4>({3, 1, 28, 28}, 1);
  auto const wrong = random_uniform<float, 4>({2, 1, 28, 27}, 1);
  auto y = filled<float, 2>({3, 10});
  CHECK_THROWS_WITH_AS(net.forward(as_view(x), as_view(y), work), doctest::Contains("3 images given to a plan for 1 to 2"), error);
  CHECK_THROWS_WITH_AS(net.forward(as_view(wrong), as_view(y).rows(0, 2), work), doctest::Contains("(1, 28, 27)"), error);
  auto dx = filled<float, 4>({2, 1, 28, 28});
  CHECK_THROWS_WITH_AS(net.backward(as_view(std::as_const(y)).rows(0, 2), as_view(dx), work), doctest::Contains("after a forward of 0"),
                       error);
  CHECK_THROWS_WITH_AS((network{cpu_engine{.slice = 1}, g, w}), doctest::Contains("at least 2"), error);

  weights missing = w;
  missing.parameters.erase("conv2.bias");
  CHECK_THROWS_WITH_AS((network{cpu_engine{}, g, missing}), doctest::Contains("some.file: no array 'conv2.bias'"), error);
  weights misshapen = w;
  misshapen.parameters["ip1.weight"] = {{800, 500}, std::vector<float>(400000)};
  CHECK_THROWS_WITH_AS((network{cpu_engine{}, g, misshapen}), doctest::Contains("has shape (800, 500), graph 'lenet5' wants (500, 800)"),
                       error);
  weights nan = w;
  nan.parameters["ip2.bias"].values[3] = std::nanf("");
  CHECK_THROWS_WITH_AS((network{cpu_engine{}, g, nan}), doctest::Contains("'ip2.bias' holds nan at index 3"), error);
}
