// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/detail/onnx_window.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

enum class pooled { maximum, mean, mean_with_padding };
image pool(image const& x, pooled kind, windows const& w) {
  image y{x.channels, w.count(0, x.height), w.count(1, x.width), {}};
  std::size_t const plane = y.height * y.width;
  for (std::size_t c = 0; c < x.channels; ++c) {
    numbers sum(plane), most(plane, -1e9), taps(plane);
    visit_taps(x, c, w, [&](std::size_t at, std::size_t, double const* value) {
      if (value) sum[at] += *value, most[at] = std::max(most[at], *value);
      if (value || kind == pooled::mean_with_padding) taps[at] += 1;
    });
    for (std::size_t p = 0; p < plane; ++p) y.values.push_back(kind == pooled::maximum ? most[p] : sum[p] / taps[p]);
  }
  return y;
}

struct placed {
  std::vector<attribute> attributes;
  windows meant;
};
std::vector<placed> const placements{
    {{list("pads", {0, 0, 0, 0})}, {{3, 2}}},
    {{list("pads", {1, 1, 1, 1}), list("strides", {2, 2})}, {{3, 2}, {2, 2}, {1, 1, 1, 1}}},
    {{list("pads", {2, 0, 1, 1})}, {{3, 2}, {1, 1}, {2, 0, 1, 1}}},
    {{list("pads", {0, 0, 1, 1}), list("strides", {2, 2})}, {{3, 2}, {2, 2}, {0, 0, 1, 1}}},
    {{list("pads", {1, 1, 0, 0}), list("strides", {2, 3})}, {{3, 2}, {2, 3}, {1, 1, 0, 0}}},
    {{word("auto_pad", "VALID"), list("strides", {1, 2})}, {{3, 2}, {1, 2}}},
    {{word("auto_pad", "SAME_UPPER")}, {{3, 2}, {1, 1}, {1, 0, 1, 1}}},
    {{word("auto_pad", "SAME_LOWER")}, {{3, 2}, {1, 1}, {1, 1, 1, 0}}},
    {{word("auto_pad", "SAME_UPPER"), list("strides", {2, 2})}, {{3, 2}, {2, 2}, {0, 0, 1, 1}}},
    {{word("auto_pad", "SAME_LOWER"), list("strides", {2, 2})}, {{3, 2}, {2, 2}, {1, 1, 0, 0}}},
};  // the image is 8 x 7

TEST_CASE("convolutions are those of their definition, however they are padded") {
  for (std::size_t const groups : {1u, 2u})
    for (auto const& [attributes, meant] : placements) {
      auto all = attributes;
      all.push_back(number("group", static_cast<std::int64_t>(groups)));
      auto const w = constant("w", {6, static_cast<std::int64_t>(4 / groups), 3, 2}), b = constant("b", {6}, 2);
      model const m{11, {1, 4, 8, 7}, {{"Conv", {"x", "w", "b"}, {"y"}, all}}, {w, b}};
      auto const wanted = convolve(input_of(4, 8, 7), std::get<0>(w.values), std::get<0>(b.values), 6, meant, groups);
      check_equal(scores(m), wanted.values);
    }
}

TEST_CASE("only a padding that matters makes a layer of its own") {
  auto const layers = [](extents pads, extents strides) {
    return names_of(read({11,
                          {1, 1, 8, 8},
                          {{"Conv", {"x", "w"}, {"y"}, {list("pads", std::move(pads)), list("strides", std::move(strides))}}},
                          {constant("w", {2, 1, 3, 3})}})
                        .structure);
  };
  CHECK(layers({1, 1, 1, 1}, {1, 1}) == names{"y"});
  CHECK(layers({1, 1, 0, 0}, {2, 2}) == names{"y"});  // the last window ends before the padding
  CHECK(layers({0, 0, 1, 1}, {2, 2}) == names{"y_padding", "y"});
  CHECK(layers({3, 3, 3, 3}, {1, 1}) == names{"y_padding", "y"});
}

TEST_CASE("pooling is that of its definition, however it is padded") {
  std::size_t refused = 0;
  for (auto const kind : {pooled::maximum, pooled::mean, pooled::mean_with_padding})
    for (bool const relu : {false, true})
      for (bool const ceil : {false, true})
        for (auto [attributes, meant] : placements) {
          bool const automatic = attributes.front().name == "auto_pad";
          if (ceil && automatic) continue;
          attributes.push_back(list("kernel_shape", {3, 2}));
          if (ceil) attributes.push_back(number("ceil_mode", 1));
          if (kind == pooled::mean_with_padding) attributes.push_back(number("count_include_pad", 1));
          std::string const operation = kind == pooled::maximum ? "MaxPool" : "AveragePool";
          model m{11, {1, 2, 8, 7}, {{operation, {relu ? "r" : "x"}, {"y"}, attributes}}};
          if (relu) m.nodes.insert(m.nodes.begin(), {"Relu", {"x"}, {"r"}});
          image x = input_of(2, 8, 7);
          if (relu) x.values = map(x.values, [](double v) { return std::max(v, 0.); });
          windows w = meant;
          w.ceil = ceil;
          if (auto const why = refusal(m); why != "no error") {
            CHECK(contains(why, "its padding differs between the sides") != contains(why, "its mean leaves out a padding that differs"));
            CHECK((meant.pads[0] != meant.pads[2] || meant.pads[1] != meant.pads[3]));
            ++refused;
            continue;
          }
          CAPTURE(operation);
          check_equal(scores(m), pool(x, kind, w).values);
        }
  CHECK(refused < 20);
}

TEST_CASE("one window that hangs over the image is cut to it") {
  for (std::string const operation : {"MaxPool", "AveragePool"}) {
    model const m{9, {1, 2, 6, 6}, {{operation, {"x"}, {"y"}, {list("kernel_shape", {7, 7}), list("pads", {0, 0, 1, 1})}}}};
    bool const maximum = operation == "MaxPool";
    check_equal(scores(m), pool(input_of(2, 6, 6), maximum ? pooled::maximum : pooled::mean, {{6, 6}}).values);
  }
}

TEST_CASE("global pooling, and means over height and width") {
  auto const mean = pool(input_of(3, 4, 5), pooled::mean, {{4, 5}}).values;
  extents const image{1, 3, 4, 5};
  check_equal(scores(model{1, image, {{"GlobalAveragePool", {"x"}, {"y"}}}}), mean);
  check_equal(scores(model{1, image, {{"GlobalMaxPool", {"x"}, {"y"}}}}), pool(input_of(3, 4, 5), pooled::maximum, {{4, 5}}).values);
  check_equal(scores(model{11, image, {{"ReduceMean", {"x"}, {"y"}, {list("axes", {-1, 2}), number("keepdims", 0)}}}}), mean);
  check_equal(scores(model{18, image, {{"ReduceMean", {"x", "axes"}, {"y"}}}, {integers("axes", {2, 3})}}), mean);
  check_equal(
      scores(model{
          11, image, {{"Reshape", {"x", "s"}, {"r"}}, {"ReduceMean", {"r"}, {"y"}, {list("axes", {2})}}}, {integers("s", {0, 3, -1})}}),
      mean);
  CHECK(contains(refusal({11, image, {{"ReduceMean", {"x"}, {"y"}, {list("axes", {1})}}}}), "other axes than height and width"));
  CHECK(contains(refusal({11, image, {{"ReduceMean", {"x"}, {"y"}}}}), "other axes than height and width"));
}

TEST_CASE("padding by zeros is a layer, by attribute or input") {
  auto const w = windows{{1, 1}, {1, 1}, {1, 2, 3, 4}};
  numbers const wanted = convolve(input_of(1, 2, 3), {1}, {}, 1, w).values;
  extents const image{1, 1, 2, 3}, pads{0, 0, 1, 2, 0, 0, 3, 4};
  check_equal(scores(model{1, image, {{"Pad", {"x"}, {"y"}, {list("paddings", pads)}}}}), wanted);
  check_equal(scores(model{2, image, {{"Pad", {"x"}, {"y"}, {list("pads", pads), word("mode", "constant")}}}}), wanted);
  check_equal(scores(model{11, image, {{"Pad", {"x", "p", "v"}, {"y"}}}, {integers("p", pads), {"v", {}, floats{0}}}}), wanted);
  check_equal(scores(model{18, image, {{"Pad", {"x", "p", "", "a"}, {"y"}}}, {integers("p", {2, 1, 4, 3}), integers("a", {-1, 2})}}),
              wanted);
  CHECK(contains(refusal({2, image, {{"Pad", {"x"}, {"y"}, {list("pads", pads), word("mode", "reflect")}}}}), "its mode is reflect"));
  CHECK(contains(refusal({2, image, {{"Pad", {"x"}, {"y"}, {list("pads", pads), real("value", 1)}}}}), "other values than 0"));
  CHECK(contains(refusal({2, image, {{"Pad", {"x"}, {"y"}, {list("pads", {0, 1, 0, 0, 0, 0, 0, 0})}}}}), "images or channels"));
  CHECK(contains(refusal({2, image, {{"Pad", {"x"}, {"y"}, {list("pads", {0, 0, -1, 0, 0, 0, 0, 0})}}}}), "are negative"));
}

}  // namespace
