// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/models/lipschitz.hpp>

#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/models/zoo.hpp>

#include "support/data.hpp"
#include "support/graphs.hpp"

#include <xtensor-blas/xlinalg.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace pareidolia;
using namespace pareidolia_test;

namespace {

graph of(image_shape const& input, std::vector<node> nodes, preprocessing prepare = {}) {
  return {.name = "g", .input = input, .prepare = std::move(prepare), .nodes = std::move(nodes)};
}

double largest_singular_value(tensor<double, 2> const& matrix) { return std::get<1>(xt::linalg::svd(matrix, false))(0); }

/// The Jacobian of a graph at x, by the reference engine in double: (outputs, inputs).
tensor<double, 2> jacobian(graph const& g, weights const& w, tensor<double, 4> const& x) {
  reference_engine<double> const engine;
  auto const parameters = engine.load(g, w);
  auto work = engine.compile(parameters, 1);
  image_shape const out = plan(g).out.back();
  auto y = filled<double, 2>({1, out[0] * out[1] * out[2]}), dy = y;
  auto dx = filled<double, 4>({1, g.input[0], g.input[1], g.input[2]});
  work.forward(as_view(x), as_view(y));
  auto result = filled<double, 2>({y.size(), dx.size()});
  for (std::size_t o = 0; o < y.size(); ++o) {
    dy.fill(0);
    dy.data()[o] = 1;
    work.backward(as_view(std::as_const(dy)), as_view(dx));
    std::copy(dx.begin(), dx.end(), result.data() + o * dx.size());
  }
  return result;
}

/// A convolution without bias written out as a matrix by its definition: (outputs, inputs).
tensor<double, 2> written_out(layer::convolution const& c, image_shape const& in, image_shape const& out, std::vector<float> const& w) {
  auto matrix = filled<double, 2>({out[0] * out[1] * out[2], in[0] * in[1] * in[2]});
  std::size_t const channels = in[0] / c.groups, of_group = c.outputs / c.groups;
  for (std::size_t o = 0; o < out[0]; ++o)
    for (std::size_t i = 0; i < out[1]; ++i)
      for (std::size_t j = 0; j < out[2]; ++j)
        for (std::size_t ch = 0; ch < channels; ++ch)
          for (std::size_t u = 0; u < c.kernel[0]; ++u)
            for (std::size_t v = 0; v < c.kernel[1]; ++v) {
              std::size_t const y = c.stride[0] * i + u - c.padding[0], x = c.stride[1] * j + v - c.padding[1];  // beyond in[] if negative
              if (y >= in[1] || x >= in[2]) continue;
              matrix((o * out[1] + i) * out[2] + j, ((o / of_group * channels + ch) * in[1] + y) * in[2] + x) =
                  double{w[((o * channels + ch) * c.kernel[0] + u) * c.kernel[1] + v]};
            }
  return matrix;
}

/// The only layer of a graph.
layer_bound only(graph const& g, weights const& w = {}) { return lipschitz(reference_engine<double>{}, g, w, rng{1}).layers.at(0); }

/// The largest of the norms of the Jacobian at random points of some spread.
double steepest(graph const& g, weights const& w, std::size_t points, double spread) {
  double most = 0;
  for (std::size_t i = 0; i < points; ++i) {
    auto x = random_normal<double, 4>({1, g.input[0], g.input[1], g.input[2]}, 100 + i);
    for (double& v : x) v *= spread;
    most = std::max(most, largest_singular_value(jacobian(g, w, x)));
  }
  return most;
}

}  // namespace

TEST_CASE_TEMPLATE("the norm of a matrix is its largest singular value, and the bound is above it", E, cpu_engine,
                   reference_engine<double>) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    graph const g = of({3, 4, 5}, {{"ip", layer::inner_product{.outputs = 40}}});
    weights const w = random_weights(g, seed);
    auto matrix = filled<double, 2>({40, 60});
    std::copy_n(w.parameters.at("ip.weight").values.begin(), matrix.size(), matrix.data());
    double const sigma = largest_singular_value(matrix);
    layer_bound const found = lipschitz(E{}, g, w, rng{seed}, {.iterations = 200}).layers.at(0);
    CHECK(found.kind == "inner product");
    CHECK(found.norm < sigma * (1 + 1e-5));
    CHECK(found.norm > sigma * (1 - 1e-3));
    CHECK(found.bound > sigma * (1 - 1e-5));
    CHECK(found.bound < sigma * 1.01);
    CHECK(found.residual < .02);
    CHECK(found.iterations == 200);
    CHECK(found.from_image == found.bound);
  }
}

TEST_CASE_TEMPLATE("the norm of a convolution is that of its matrix, with its stride, padding and groups", E, cpu_engine,
                   reference_engine<double>) {
  layer::convolution const plain{.outputs = 5, .kernel = {3, 3}}, padded{.outputs = 5, .kernel = {5, 3}, .padding = {2, 1}},
      strided{.outputs = 6, .kernel = {3, 3}, .stride = {2, 1}, .padding = {1, 0}}, grouped{.outputs = 8, .kernel = {3, 3}, .groups = 2};
  for (layer::convolution const& c : {plain, padded, strided, grouped}) {
    graph const g = of({4, 8, 7}, {{"conv", c}});
    weights const w = random_weights(g, 3);
    double const sigma = largest_singular_value(written_out(c, g.input, plan(g).out[0], w.parameters.at("conv.weight").values));
    layer_bound const found = lipschitz(E{}, g, w, rng{2}, {.iterations = 300}).layers.at(0);
    CHECK(found.norm < sigma * (1 + 1e-5));
    CHECK(found.norm > sigma * (1 - 1e-3));
    CHECK(found.bound > sigma * (1 - 1e-5));
    CHECK(found.bound < sigma * 1.01);
  }
}

TEST_CASE("a few iterations give a loose bound, and none that is too small") {
  graph const g = of({1, 10, 10}, {{"ip", layer::inner_product{.outputs = 100}}});
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    weights const w = random_weights(g, seed);
    auto matrix = filled<double, 2>({100, 100});
    std::copy_n(w.parameters.at("ip.weight").values.begin(), matrix.size(), matrix.data());
    double const sigma = largest_singular_value(matrix);
    for (std::size_t iterations : {1u, 3u, 10u}) {
      layer_bound const found =
          lipschitz(reference_engine<double>{}, g, w, rng{seed}, {.iterations = iterations, .starts = 2, .failure = .01}).layers.at(0);
      CHECK(found.norm < sigma);
      CHECK(found.bound > sigma);
    }
  }
}

TEST_CASE("weights of nothing but zeros have norm and bound 0") {
  graph const g = of({1, 2, 2}, {{"ip", layer::inner_product{.outputs = 3}}});
  weights const w{{{"ip.weight", {{3, 4}, std::vector<float>(12)}}, {"ip.bias", {{3}, {1, 2, 3}}}}, {}, "w"};
  layer_bound const found = only(g, w);
  CHECK(found.norm == 0);
  CHECK(found.bound == 0);
  CHECK(found.residual == 0);
}

TEST_CASE("elementwise layers have their steepest slope, identities 1") {
  auto const bound = [](layer::operation const& what) { return only(of({2, 3, 4}, {{"l", what}})).bound; };
  using layer::activation, layer::function;
  CHECK(bound(activation{}) == 1);
  CHECK(bound(activation{.slope = .1f}) == 1);
  CHECK(bound(activation{.slope = 3}) == 3);
  CHECK(bound(activation{function::sigmoid}) == .25);
  CHECK(bound(activation{function::tanh}) == 1);
  CHECK(bound(layer::clip{}) == 1);
  CHECK(bound(layer::dropout{}) == 1);
  CHECK(bound(layer::flatten{}) == 1);
  CHECK(bound(layer::reshape{{4, 3, 2}}) == 1);
  CHECK(bound(layer::padding{1, 2, 3, 4}) == 1);
}

TEST_CASE("max pooling is 1 where windows do not overlap, and the root of their number over a pixel where they do") {
  auto const bound = [](layer::pooling const& p, std::size_t side = 9) { return only(of({2, side, side}, {{"pool", p}})).bound; };
  CHECK(bound({.kernel = {3, 3}, .stride = {3, 3}}) == 1);
  CHECK(bound({.kernel = {2, 2}, .stride = {3, 3}}) == 1);
  CHECK(bound({.global = true}) == 1);
  CHECK(bound({.kernel = {3, 3}, .stride = {2, 2}}) == doctest::Approx(2));
  CHECK(bound({.kernel = {3, 3}, .stride = {2, 2}}, 3) == 1);  // one window
  CHECK(bound({.kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}}) == doctest::Approx(3));
  CHECK(bound({.kernel = {3, 1}, .stride = {1, 1}}) == doctest::Approx(std::sqrt(3.)));

  // A pixel that is the largest of four windows is copied four times.
  graph const g = of({1, 5, 5}, {{"pool", layer::pooling{.kernel = {3, 3}, .stride = {2, 2}}}});
  auto x = filled<double, 4>({1, 1, 5, 5});
  x(0, 0, 2, 2) = 1;
  CHECK(largest_singular_value(jacobian(g, {}, x)) == doctest::Approx(only(g).bound));
}

TEST_CASE("average pooling is bounded from above, exactly where windows do not overlap") {
  using layer::pool, layer::pooling, layer::rounding;
  for (pooling const& p :
       {pooling{.kind = pool::average, .kernel = {3, 3}, .stride = {3, 3}}, pooling{.kind = pool::average, .global = true},
        pooling{.kind = pool::average, .kernel = {3, 3}, .stride = {2, 2}},
        pooling{.kind = pool::average, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}},
        pooling{.kind = pool::average, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .count_padding = false},
        pooling{.kind = pool::average, .kernel = {4, 4}, .stride = {3, 3}, .padding = {1, 1}},
        pooling{.kind = pool::average, .kernel = {2, 3}, .stride = {1, 1}, .edge = rounding::floor}}) {
    graph const g = of({1, 9, 9}, {{"pool", p}});
    double const sigma = largest_singular_value(jacobian(g, {}, filled<double, 4>({1, 1, 9, 9})));
    double const bound = only(g).bound;
    CHECK(bound > sigma * (1 - 1e-9));
    CHECK(bound < sigma * 2);
    if (p.global || p.kernel == p.stride) CHECK(bound == doctest::Approx(sigma));
  }
}

TEST_CASE("normalisations and softmax stay below their bounds, which are not far above") {
  layer::lrn const across{.size = 5, .alpha = 5, .beta = .75f, .k = 1}, steep{.size = 3, .alpha = 3, .beta = 2, .k = .5f},
      within{.size = 3, .alpha = 9, .beta = .75f, .k = 2, .over = layer::region::within_channel};
  for (layer::lrn const& n : {across, steep, within}) {
    graph const g = of({6, 4, 4}, {{"lrn", n}});
    double most = 0;
    for (double const spread : {.1, .5, 1., 3.}) most = std::max(most, steepest(g, {}, 10, spread));
    CHECK(most < only(g).bound);
    CHECK(most > only(g).bound / 4);
  }
  CHECK(only(of({6, 4, 4}, {{"lrn", layer::lrn{.alpha = 0, .k = 4}}})).bound == doctest::Approx(std::pow(4, -.75)));

  graph const two = of({2, 1, 1}, {{"softmax", layer::softmax{}}, {"same", layer::dropout{}}});
  CHECK(largest_singular_value(jacobian(two, {}, filled<double, 4>({1, 2, 1, 1}))) == doctest::Approx(only(two).bound));
  graph const g = of({5, 2, 2}, {{"softmax", layer::softmax{}}, {"same", layer::dropout{}}});
  CHECK(steepest(g, {}, 20, 2) < only(g).bound);
}

TEST_CASE("scales and batch normalisations count where they are folded to") {
  graph const g = of({3, 2, 2}, {{"scale", layer::scale{}}});
  weights const w{{{"scale.weight", {{3}, {1, -4, 2}}}, {"scale.bias", {{3}, {9, 9, 9}}}}, {}, "w"};
  CHECK(only(g, w).bound == 4);

  graph const folded = of({3, 2, 2}, {{"conv", layer::convolution{.outputs = 3, .groups = 3, .bias = false}},
                                      {"bn", layer::batch_normalization{.epsilon = .25f, .affine = false}},
                                      {"relu", layer::activation{}}});
  weights const v{
      {{"conv.weight", {{3, 1, 1, 1}, {1, 2, 3}}}, {"bn.running_mean", {{3}, {5, 5, 5}}}, {"bn.running_var", {{3}, {.75f, 0, 3.75f}}}},
      {},
      "v"};
  auto const bounds = lipschitz(reference_engine<double>{}, folded, v, rng{1}, {.iterations = 200});
  REQUIRE(bounds.layers.size() == 2);
  CHECK(bounds.layers[0].name == "bn");
  CHECK(bounds.layers[0].norm == doctest::Approx(4));  // 2 / sqrt(0 + 1/4)
  CHECK(bounds.total() == doctest::Approx(4).epsilon(.01));
}

TEST_CASE("layers multiply, added branches add, concatenated ones add their squares, and preprocessing counts") {
  layer::scale const by{.bias = false};
  auto const scales = [](std::initializer_list<std::pair<char const*, float>> factors) {
    weights w;
    for (auto const& [name, factor] : factors) w.parameters[name + std::string(".weight")] = {{1}, {factor}};
    return w;
  };
  auto const total = [](graph const& g, weights const& w) { return lipschitz(reference_engine<float>{}, g, w, rng{1}).total(); };
  layer::clip const wide{.low = -1e6f, .high = 1e6f};
  CHECK(total(of({1, 2, 2}, {{"a", by}, {"wide", wide}, {"b", by}}), scales({{"a", 3}, {"b", 5}})) == 15);
  CHECK(total(of({1, 2, 2}, {{"in", wide}, {"a", by}, {"b", by, {"in"}}, {"sum", layer::sum{}, {"a", "b"}}}),
              scales({{"a", 3}, {"b", 4}})) == 7);
  CHECK(total(of({1, 2, 2}, {{"in", wide}, {"a", by}, {"b", by, {"in"}}, {"all", layer::concat{}, {"a", "b"}}}),
              scales({{"a", 3}, {"b", 4}})) == 5);
  CHECK(lipschitz(reference_engine<float>{}, of({1, 2, 2}, {{"in", wide}, {"twice", layer::sum{}, {"in", "in", "in", "in"}}}), {}, rng{1})
            .layers[1]
            .bound == 2);
  preprocessing const colours{.scale = 255, .mean = {1, 2, 3}, .order = channel_order::bgr, .deviation = {2, .5f, 1}};
  auto const seen = lipschitz(reference_engine<float>{}, of({3, 2, 2}, {{"same", layer::dropout{}}}, colours), {}, rng{1});
  CHECK(seen.prepare == doctest::Approx(510));
  CHECK(seen.total() == doctest::Approx(510));
}

TEST_CASE("the bound of every small network is above its slopes") {
  for (graph const& g : conformance_graphs()) {
    CAPTURE(g.name);
    image_shape const in = g.input, out = plan(g).out.back();
    if (in[0] * in[1] * in[2] * out[0] * out[1] * out[2] > 50'000) continue;  // too large a Jacobian to write out
    weights const w = random_weights(g, 7);
    auto const bounds = lipschitz(cpu_engine{}, g, w, rng{1}, {.iterations = 10, .starts = 1});
    auto const j = jacobian(g, w, random_uniform<double, 4>({1, in[0], in[1], in[2]}, 5));
    CHECK(largest_singular_value(j) < bounds.total() * (1 + 1e-5));
  }
}

TEST_CASE("mistakes are refused in a sentence") {
  graph const g = of({1, 2, 2}, {{"a", layer::dropout{}}});
  auto const refused = [&](graph const& h, power_iteration const& how, char const* why) {
    CHECK_THROWS_WITH_AS(static_cast<void>(lipschitz(reference_engine<float>{}, h, {}, rng{1}, how)), doctest::Contains(why), error);
  };
  refused(g, {.iterations = 0}, "lipschitz: 0 iterations, 8 starts");
  refused(g, {.starts = 0}, "0 starts");
  refused(g, {.failure = 0}, "a probability between 0 and 1");
  refused(of({1, 2, 2}, {{"norm", layer::lrn{.k = 0}}}), {}, "lipschitz: layer 'norm': k is 0");
}

TEST_CASE_TEMPLATE("data: no change of a digit is enlarged beyond the bounds of LeNet", E, cpu_engine, reference_engine<float>) {
  weights const w = read_caffemodel(data_path("models/lenet/lenet_iter_10000"));
  auto const bounds = lipschitz(E{}, zoo::lenet5(), w, rng{1});
  for (layer_bound const& b : bounds.layers) {
    MESSAGE(b.name << " (" << b.kind << "): bound " << b.bound << ", norm " << b.norm << ", residual " << b.residual << ", from the image "
                   << b.from_image);
    if (b.iterations > 0) CHECK(b.bound < 1.05 * b.norm);
  }

  network const net{E{}, zoo::lenet5(), w};
  auto const digits = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  constexpr std::size_t count = 100;
  auto const x = as_view(digits.images).rows(0, count);
  std::vector<std::string> const layers = net.layers();
  auto work = net.prepare(count, layers);
  auto changed = filled<float, 4>(x.shape);
  auto y = filled<float, 2>({count, 10}), dy = filled<float, 2>({count, 10});
  auto dx = changed;
  // Along the gradient of a margin, which is far steeper than noise.
  net.forward(x, as_view(y), work);
  for (std::size_t i = 0; i < count; ++i) {
    dy(i, static_cast<std::size_t>(digits.labels[i])) = 1;
    dy(i, static_cast<std::size_t>(digits.labels[i] + 1) % 10) = -1;
  }
  net.backward(as_view(std::as_const(dy)), as_view(dx), work);
  for (bool const noise : {true, false}) {
    auto const r = noise ? random_normal<float, 4>(x.shape, 3) : dx;
    for (std::size_t j = 0; j < changed.size(); ++j) changed.data()[j] = x.data[j] + (noise ? .01f : .1f) * r.data()[j];
    for (std::size_t k = 0; k < layers.size(); ++k) {
      image_shape const s = net.shape_of(layers[k]);
      auto before = filled<float, 4>({count, s[0], s[1], s[2]}), after = before;
      net.forward(x, as_view(y), work);
      net.activation(layers[k], as_view(before), work);
      net.forward(as_view(std::as_const(changed)), as_view(y), work);
      net.activation(layers[k], as_view(after), work);
      double largest = 0;
      for (std::size_t i = 0; i < count; ++i) {
        double of_phi = 0, of_x = 0;
        for (std::size_t j = 0; j < before.size() / count; ++j)
          of_phi += std::pow(double{as_view(after).row(i)[j]} - double{as_view(before).row(i)[j]}, 2);
        for (std::size_t j = 0; j < x.stride(); ++j) of_x += std::pow(double{as_view(changed).row(i)[j]} - double{x.row(i)[j]}, 2);
        largest = std::max(largest, std::sqrt(of_phi / of_x));
      }
      MESSAGE(std::string(noise ? "noise" : "gradient")
              << " up to " << layers[k] << ": " << largest << " of " << bounds.layers[k].from_image);
      CHECK(largest < bounds.layers[k].from_image);
      CHECK(largest > bounds.layers[k].from_image / 1000);
    }
  }
}
