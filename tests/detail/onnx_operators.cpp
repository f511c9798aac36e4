// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/onnx_operators.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "support/files.hpp"
#include "support/onnx_models.hpp"
#include "support/onnx_runs.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
using namespace pareidolia_test::onnx;

// ---- matrices -----------------------------------------------------------------------------------------------------------------------

TEST_CASE("Gemm with its factors, its transposition and its bias is an inner product") {
  numbers const x = input_of(2, 3, 2).values;
  onnx::node const flatten{"Flatten", {"x"}, {"f"}};
  for (bool const transposed : {false, true})
    for (extents const& bias : {extents{5}, extents{1, 5}, extents{1}, extents{}}) {
      auto const w = constant("w", transposed ? extents{5, 12} : extents{12, 5}), b = constant("b", bias, 1);
      std::vector<attribute> const options{number("transB", transposed), real("alpha", .5f), real("beta", -2)};
      auto const n = read({13, {1, 2, 3, 2}, {flatten, {"Gemm", {"f", "w", "b"}, {"y"}, options}}, {w, b}});
      CHECK(only<layer::inner_product>(n) == layer::inner_product{.outputs = 5});
      check_equal(scores(n), product(x, std::get<0>(w.values), transposed, .5, std::get<0>(b.values), -2));
    }
  auto const w = constant("w", {12, 5});
  auto const plain = read({13, {1, 2, 3, 2}, {flatten, {"Gemm", {"f", "w"}, {"y"}}}, {w}});
  CHECK(only<layer::inner_product>(plain) == layer::inner_product{.outputs = 5, .bias = false});
  check_equal(scores(plain), product(x, std::get<0>(w.values), false, 1, {}, 0));
}

TEST_CASE("MatMul and the addition behind it are one inner product") {
  auto const w = constant("w", {12, 5}), b = constant("b", {5}, 1);
  for (std::int64_t const opset : {1, 7}) {
    auto const n = read({opset,
                         {1, 2, 3, 2},
                         {{"Flatten", {"x"}, {"f"}},
                          {"MatMul", {"f", "w"}, {"m"}, {}, "fc"},
                          {"Add", {"m", "b"}, {"y"}, opset == 1 ? std::vector{number("broadcast", 1)} : std::vector<attribute>{}}},
                         {w, b}});
    CHECK(only<layer::inner_product>(n) == layer::inner_product{.outputs = 5});
    CHECK(n.structure.nodes.front().name == "fc");
    CHECK(n.parameters.parameters.at("fc.bias").values == std::get<0>(b.values));
    check_equal(scores(n), product(input_of(2, 3, 2).values, std::get<0>(w.values), false, 1, std::get<0>(b.values), 1));
  }
  CHECK(contains(refusal({7, {1, 2, 3, 2}, {{"MatMul", {"x", "w"}, {"y"}}}, {w}}), "not two matrices"));
}

// ---- elementwise --------------------------------------------------------------------------------------------------------------------

TEST_CASE("functions of one number") {
  extents const image{1, 2, 3, 3};
  numbers const x = input_of(2, 3, 3).values;
  auto const check = [&](std::int64_t opset, onnx::node const& n, std::vector<onnx::tensor> constants, double (*f)(double)) {
    CAPTURE(n.operation);
    check_equal(scores(model{opset, image, {n}, std::move(constants)}), map(x, f));
  };
  onnx::tensor const low{"low", {}, floats{-.25f}}, high{"high", {}, floats{.5f}}, zero{"zero", {}, floats{0}};
  check(6, {"Relu", {"x"}, {"y"}}, {}, [](double v) { return std::max(v, 0.); });
  check(6, {"LeakyRelu", {"x"}, {"y"}, {real("alpha", .25f)}}, {}, [](double v) { return v > 0 ? v : .25 * v; });
  check(16, {"LeakyRelu", {"x"}, {"y"}}, {}, [](double v) { return v > 0 ? v : double{.01f} * v; });
  check(13, {"Sigmoid", {"x"}, {"y"}}, {}, [](double v) { return 1 / (1 + std::exp(-v)); });
  check(13, {"Tanh", {"x"}, {"y"}}, {}, [](double v) { return std::tanh(v); });
  check(6, {"Clip", {"x"}, {"y"}, {real("min", -.25f), real("max", .5f)}}, {}, [](double v) { return std::clamp(v, -.25, .5); });
  check(11, {"Clip", {"x", "low", "high"}, {"y"}}, {low, high}, [](double v) { return std::clamp(v, -.25, .5); });
  check(11, {"Clip", {"x", "", "high"}, {"y"}}, {high}, [](double v) { return std::min(v, .5); });
  check(13, {"Clip", {"x", "low"}, {"y"}}, {low}, [](double v) { return std::max(v, -.25); });
  check(13, {"Dropout", {"x"}, {"y", "mask"}}, {}, [](double v) { return v; });
  CHECK(std::get<layer::activation>(read({13, image, {{"Clip", {"x", "zero"}, {"y"}}}, {zero}}).structure.nodes.front().what) ==
        layer::activation{});
}

TEST_CASE("Identity, casts between reals and limits without limits are no layers") {
  auto const n = read({13,
                       {1, 2, 3, 3},
                       {{"Identity", {"x"}, {"i"}},
                        {"Cast", {"i"}, {"c"}, {number("to", 10)}},
                        {"Clip", {"c"}, {"d"}},
                        {"Sum", {"d"}, {"s"}},
                        {"Relu", {"s"}, {"r"}},
                        {"Identity", {"r"}, {"y"}}}});
  CHECK(only<layer::activation>(n) == layer::activation{});
  CHECK(contains(refusal({13, {1, 2, 3, 3}, {{"Cast", {"x"}, {"y"}, {number("to", 7)}}}}), "whole numbers of activations"));
  CHECK(contains(refusal({13, {1, 2, 3, 3}, {{"Cast", {"x"}, {"y"}, {number("to", 2)}}}}), "its elements have type 2"));
}

TEST_CASE("a softmax must go over the channels") {
  auto const conv = constant("w", {3, 2, 3, 3});
  auto const with = [&](std::int64_t opset, extents image, std::vector<attribute> axis, std::string operation = "Softmax") {
    return model{opset,
                 std::move(image),
                 {{"Conv", {"x", "w"}, {"c"}}, {std::move(operation), {"c"}, {"s"}, std::move(axis)}, {"Relu", {"s"}, {"y"}}},
                 {conv}};
  };
  numbers const logits = convolve(input_of(2, 3, 3), std::get<0>(conv.values), {}, 3, {{3, 3}}).values;
  double const sum = std::exp(logits[0]) + std::exp(logits[1]) + std::exp(logits[2]);
  auto const wanted = map(logits, [&](double v) { return std::exp(v) / sum; });
  check_equal(scores(with(9, {1, 2, 3, 3}, {})), wanted);
  check_equal(scores(with(13, {1, 2, 3, 3}, {number("axis", 1)})), wanted);
  check_equal(scores(with(13, {1, 2, 3, 3}, {number("axis", -3)})), wanted);
  CHECK(read(with(13, {1, 2, 5, 5}, {number("axis", 1)})).structure.nodes.size() == 3);
  CHECK(contains(refusal(with(13, {1, 2, 3, 3}, {})), "(Softmax): it goes over axis -1 of (1, 3, 1, 1); only channels"));
  CHECK(contains(refusal(with(9, {1, 2, 5, 5}, {})), "it goes over axis 1 of (1, 3, 3, 3) and those behind it"));
  CHECK(contains(refusal(with(9, {1, 2, 3, 3}, {}, "LogSoftmax")), "only at the end"));
}

TEST_CASE("a LogSoftmax at the end is left out, a Softmax is left to the network") {
  for (std::string const operation : {"LogSoftmax", "Softmax"}) {
    auto const n = read({13, {1, 2, 1, 1}, {{"Sigmoid", {"x"}, {"s"}}, {operation, {"s"}, {"y"}, {number("axis", 1)}}}});
    CHECK(n.structure.nodes.size() == (operation == "Softmax" ? 2 : 1));
    check_equal(scores(n), map(input_of(2, 1, 1).values, [](double v) { return 1 / (1 + std::exp(-v)); }));
  }
}

TEST_CASE("batch normalisation and local response normalisation") {
  image const x = input_of(3, 2, 2);
  auto const scale = constant("s", {3}), offset = constant("o", {3}, 1), mean = constant("m", {3}, 2);
  onnx::tensor const variance{"v", {3}, floats{.5f, 1, 2}};
  for (std::int64_t const opset : {7, 9, 15}) {
    auto const n = read({opset,
                         {1, 3, 2, 2},
                         {{"BatchNormalization", {"x", "s", "o", "m", "v"}, {"y"}, {real("epsilon", .25f)}, "bn"}},
                         {scale, offset, mean, variance}});
    CHECK(only<layer::batch_normalization>(n) == layer::batch_normalization{.epsilon = .25f});
    CHECK(n.parameters.parameters.at("bn.running_var").values == floats{.5f, 1, 2});
    numbers wanted;
    for (std::size_t i = 0; i < 12; ++i) {
      auto const at = [&](onnx::tensor const& t) { return static_cast<double>(std::get<0>(t.values)[i / 4]); };
      wanted.push_back(at(scale) * (x.values[i] - at(mean)) / std::sqrt(at(variance) + .25) + at(offset));
    }
    check_equal(scores(n), wanted);
  }
  auto const training = [&](std::int64_t opset, attribute a) {
    return refusal(
        {opset, {1, 3, 2, 2}, {{"BatchNormalization", {"x", "s", "o", "m", "v"}, {"y"}, {std::move(a)}}}, {scale, offset, mean, variance}});
  };
  CHECK(contains(training(15, number("training_mode", 1)), "its training_mode is on"));
  CHECK(contains(training(7, number("spatial", 0)), "spatial = 0"));

  model const m{13, {1, 3, 2, 2}, {{"LRN", {"x"}, {"y"}, {number("size", 3), real("alpha", .5f), real("beta", .5f), real("bias", 2)}}}};
  numbers wanted;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t p = 0; p < 4; ++p) {
      double squares = 0;
      for (std::size_t d = c == 0 ? 0 : c - 1; d <= std::min<std::size_t>(c + 1, 2); ++d) squares += std::pow(x.values[d * 4 + p], 2);
      wanted.push_back(x.values[c * 4 + p] / std::sqrt(2 + .5 / 3 * squares));
    }
  check_equal(scores(m), wanted);
}

// ---- arithmetic with constants ------------------------------------------------------------------------------------------------------

TEST_CASE("arithmetic on the image is its preparation where that can be") {
  onnx::tensor const scale{"scale", {}, floats{4}}, channels{"c", {1, 2, 1, 1}, floats{1, 2}}, pixels{"p", {2, 1, 2}, floats{1, 2, 3, 4}};
  auto const prepared = [&](std::vector<onnx::node> nodes) {
    nodes.push_back({"Relu", {nodes.back().outputs.front()}, {"y"}});
    auto const n = read({9, {1, 2, 1, 2}, nodes, {scale, channels, pixels}});
    CHECK(n.structure.nodes.size() == 1);
    return n.structure.prepare;
  };
  auto const divided = prepared({{"Div", {"x", "scale"}, {"a"}}});
  CHECK(divided.scale == .25f);
  CHECK(divided.mean.empty());
  auto const both = prepared({{"Sub", {"x", "c"}, {"a"}}, {"Mul", {"scale", "a"}, {"b"}}});  // 4 (x - c)
  CHECK(both.scale == 4);
  CHECK(both.mean == floats{4, 8});
  auto const from = prepared({{"Sub", {"c", "x"}, {"a"}}});  // c - x
  CHECK(from.scale == -1);
  CHECK(from.mean == floats{-1, -2});
  auto const wide = prepared({{"Add", {"x", "c"}, {"a"}}, {"Sub", {"a", "p"}, {"b"}}, {"Sub", {"b", "scale"}, {"d"}}});  // x + c - p - 4
  CHECK(wide.scale == 1);
  CHECK(wide.mean == floats{4, 5, 5, 6});

  // Channels of another shape of the image are not channels of the image.
  auto const seen = read({9,
                          {1, 2, 1, 2},
                          {{"Reshape", {"x", "s"}, {"r"}}, {"Add", {"r", "c4"}, {"y"}}},
                          {integers("s", {0, 4, 1, 1}), constant("c4", {4, 1, 1})}});
  check_equal(scores(seen), [&] {
    numbers wanted = input_of(2, 1, 2).values;
    for (std::size_t i = 0; i < 4; ++i) wanted[i] += static_cast<double>(wave(4)[i]);
    return wanted;
  }());
  auto const turned =
      read({9, {1, 4, 1, 1}, {{"Reshape", {"x", "s"}, {"r"}}, {"Add", {"r", "c"}, {"y"}}}, {integers("s", {0, 2, 2, 1}), channels}});
  check_equal(scores(turned), [&] {
    numbers wanted = input_of(4, 1, 1).values;
    for (std::size_t i = 0; i < 4; ++i) wanted[i] += i < 2 ? 1 : 2;
    return wanted;
  }());

  // A factor per channel has no place there, and an image that others read must stay as it is.
  auto const kept = read({9, {1, 2, 1, 2}, {{"Mul", {"x", "c"}, {"y"}}}, {channels}});
  CHECK(only<layer::scale>(kept) == layer::scale{.bias = false});
  check_equal(scores(kept), {1 * wave(4, .5)[0], 1 * wave(4, .5)[1], 2 * wave(4, .5)[2], 2 * wave(4, .5)[3]});
  auto const shared = read({9, {1, 2, 1, 2}, {{"Mul", {"x", "scale"}, {"a"}}, {"Sum", {"a", "x"}, {"y"}}}, {scale}});
  CHECK(shared.structure.prepare.scale == 1);
  CHECK(names_of(shared.structure) == names{"x", "a", "y"});
  check_equal(scores(shared), map(input_of(2, 1, 2).values, [](double v) { return 5 * v; }));
}

TEST_CASE("arithmetic behind a layer is its bias, or a scale") {
  auto const w = constant("w", {3, 2, 1, 1}), b = constant("b", {3, 1, 1}, 1), c = constant("c", {1, 3, 1, 1}, 2);
  onnx::tensor const two{"two", {1}, floats{2}};
  numbers const plain = convolve(input_of(2, 2, 2), std::get<0>(w.values), {}, 3, {{1, 1}}).values;
  auto const channel = [](onnx::tensor const& t, std::size_t i) { return static_cast<double>(std::get<0>(t.values)[i / 4]); };
  auto const check = [&](std::vector<onnx::node> nodes, names const& layers, std::function<double(double, std::size_t)> const& f) {
    nodes.insert(nodes.begin(), {"Conv", {"x", "w"}, {"conv"}});
    auto const n = read({9, {1, 2, 2, 2}, nodes, {w, b, c, two}});
    CHECK(names_of(n.structure) == layers);
    numbers wanted = plain;
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = f(plain[i], i);
    check_equal(scores(n), wanted);
  };
  check({{"Add", {"b", "conv"}, {"a"}}, {"Sub", {"a", "c"}, {"y"}}}, {"conv"},
        [&](double v, std::size_t i) { return v + channel(b, i) - channel(c, i); });
  check({{"Mul", {"conv", "c"}, {"a"}}, {"Add", {"a", "b"}, {"d"}}, {"Div", {"d", "two"}, {"y"}}}, {"conv", "a"},
        [&](double v, std::size_t i) { return (v * channel(c, i) + channel(b, i)) / 2; });
  check({{"Sub", {"two", "conv"}, {"y"}}}, {"conv", "y"}, [](double v, std::size_t) { return 2 - v; });
  check({{"Relu", {"conv"}, {"r"}}, {"Add", {"r", "b"}, {"y"}}}, {"conv", "r", "y"},
        [&](double v, std::size_t i) { return std::max(v, 0.) + channel(b, i); });
  check({{"Add", {"conv", "b"}, {"a"}}, {"Sum", {"a", "conv"}, {"y"}}}, {"conv", "a", "y"},  // conv is read twice
        [&](double v, std::size_t i) { return 2 * v + channel(b, i); });

  model const early{6,
                    {1, 2, 2, 2},
                    {{"Conv", {"x", "w"}, {"conv"}}, {"Add", {"conv", "e"}, {"y"}, {number("axis", 1), number("broadcast", 1)}}},
                    {w, constant("e", {3}, 1)}};
  numbers wanted = plain;
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] += channel(b, i);
  check_equal(scores(early), wanted);
  auto const refused = [&](extents dims) {
    return refusal({9, {1, 2, 2, 2}, {{"Conv", {"x", "w"}, {"c"}}, {"Add", {"c", "e"}, {"y"}}}, {w, constant("e", std::move(dims))}});
  };
  CHECK(contains(refused({3, 2, 2}), "differs from pixel to pixel"));
  CHECK(contains(refused({2}), "differs along a row or column alone"));
  CHECK(contains(refused({4, 1, 1}), "its constant of shape (4, 1, 1) does not fit the images of (1, 3, 2, 2)"));
  CHECK(contains(refused({2, 1, 1, 1, 1}), "more dimensions"));
}

}  // namespace
