// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/caffemodel.hpp>

#include <doctest/doctest.h>

#include <protozero/pbf_writer.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "support/caffemodels.hpp"
#include "support/data.hpp"
#include "support/files.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
using namespace pareidolia_test::caffe;

using shape = std::vector<std::size_t>;

weights read(std::string const& bytes) {
  temporary_folder const folder;
  return read_caffemodel(put(folder / "net.caffemodel", bytes));
}
std::string refusal(std::string const& bytes) {
  return error_of([&] { read(bytes); });
}

TEST_CASE("layers of both generations are read, whatever holds their values") {
  for (bool const packed : {false, true})
    for (bool const doubles : {false, true}) {
      blob const matrix{{2, 3}, {1, 2, 3, 4, 5, -6.5f}, false, packed, doubles}, bias{{2}, {7, 8}, false, packed, doubles};
      for (auto const& made : {layer("ip", {matrix, bias}), old_layer("ip", {matrix, bias})}) {
        weights const w = read(named("net") + made + layer("relu", {}));
        REQUIRE(w.parameters.size() == 2);
        CHECK(w.parameters.at("ip.weight").shape == shape{2, 3});
        CHECK(w.parameters.at("ip.weight").values == matrix.values);
        CHECK(w.parameters.at("ip.bias").shape == shape{2});
        CHECK(w.parameters.at("ip.bias").values == bias.values);
        CHECK(contains(w.source, "net.caffemodel"));
      }
    }
}

TEST_CASE("blobs after the second are numbered, and a scalar has no extents") {
  weights const w = read(layer("bn", {{{1}, {1}}, {{1}, {2}}, {{}, {3}}}));
  CHECK(w.parameters.at("bn.blob2").shape.empty());
  CHECK(w.parameters.at("bn.blob2").values == std::vector<float>{3});
}

TEST_CASE("the sums of a BatchNorm layer are divided by its factor") {
  blob const mean{{2}, {2, -6}}, variance{{2}, {1, 8}};
  auto const with = [&](float factor) { return layer("bn", {mean, variance, {{1}, {factor}}}, "BatchNorm"); };
  weights const w = read(with(4) + layer("scale", {{{2}, {1, 2}}, {{2}, {3, 4}}}, "Scale"));
  CHECK(w.parameters.size() == 4);
  CHECK(w.parameters.at("bn.running_mean").shape == shape{2});
  CHECK(w.parameters.at("bn.running_mean").values == std::vector<float>{.5f, -1.5f});
  CHECK(w.parameters.at("bn.running_var").values == std::vector<float>{.25f, 2});
  CHECK(w.parameters.at("scale.weight").values == std::vector<float>{1, 2});
  CHECK(w.parameters.at("scale.bias").values == std::vector<float>{3, 4});
  CHECK(read(with(0)).parameters.at("bn.running_var").values == std::vector<float>{0, 0});
  CHECK(contains(refusal(with(1e-42f)), "the factor 1.00053e-42 of the BatchNorm layer 'bn' is too small"));
  CHECK(contains(refusal(layer("bn", {mean, variance}, "BatchNorm")), "BatchNorm layer 'bn' has 2 blobs; Caffe's has 3"));
  CHECK(contains(refusal(layer("bn", {mean, variance, mean}, "BatchNorm")), "the factor of the BatchNorm layer 'bn' is not one number"));
}

TEST_CASE("legacy shapes lose the ones that padded them") {
  auto const legacy = [](std::vector<std::int64_t> extents, std::size_t count) {
    return blob{std::move(extents), std::vector<float>(count, 1.f), true};
  };
  weights const w =
      read(old_layer("conv", {legacy({2, 1, 3, 3}, 18), legacy({1, 1, 1, 2}, 2)}) +
           old_layer("one", {legacy({1, 2, 3, 3}, 18), legacy({1, 1, 1, 1}, 1)}) +
           old_layer("ip", {legacy({1, 1, 3, 4}, 12), legacy({1, 1, 1, 3}, 3)}) + old_layer("last", {legacy({1, 1, 1, 4}, 4)}));
  CHECK(w.parameters.at("conv.weight").shape == shape{2, 1, 3, 3});
  CHECK(w.parameters.at("conv.bias").shape == shape{2});
  CHECK(w.parameters.at("one.weight").shape == shape{1, 2, 3, 3});
  CHECK(w.parameters.at("one.bias").shape == shape{1});
  CHECK(w.parameters.at("ip.weight").shape == shape{3, 4});
  CHECK(w.parameters.at("last.weight").shape == shape{1, 4});
}

TEST_CASE("a shape of today keeps its ones") {
  CHECK(read(layer("c", {{{1, 1, 2, 2}, {1, 2, 3, 4}}})).parameters.at("c.weight").shape == shape{1, 1, 2, 2});
}

TEST_CASE("a file that cannot be a caffemodel is refused by name") {
  temporary_folder const folder;
  auto const error_at = [&](std::filesystem::path const& path) { return error_of([&] { (void)read_caffemodel(path); }); };
  CHECK(error_at(folder / "missing") == (folder / "missing").string() + ": there is no such file");
  CHECK(contains(error_at(folder.path()), "this is a folder"));
  CHECK(contains(error_at("/dev/null"), "a device"));
  CHECK(contains(error_at(put(folder / "empty", "")), "empty: the file is empty"));
  CHECK(contains(error_at(put(folder / "text", "name: \"LeNet\"\nlayer {}")), "no caffemodel"));
  CHECK(contains(refusal(named("only a name")), "no layer in it has parameters"));
  CHECK(contains(refusal(layer("relu", {})), "no layer in it has parameters"));
}

TEST_CASE("a damaged array is refused with the name of file and array") {
  auto const refused = [](blob const& b) { return refusal(layer("fc", {b})); };
  for (std::string const& message :
       {refused({{2, 2}, {1, 2, 3}}), refused({{2, 2}, {1, 2, 3, 4, 5}}), refused({{-1, 2}, {1, 2}}), refused({{0}, {1}}),
        refused({{std::int64_t{1} << 40, std::int64_t{1} << 40}, {1}}), refused({{std::int64_t{1} << 62, 4}, {1, 2}}),
        refused({{7, 0x6db6db6db6db6db7}, {1}}), refused({{std::numeric_limits<std::int64_t>::max()}, {1}}), refused({{2}, {}}),
        refused({{0}, {}}), refused({std::vector<std::int64_t>(33, 1), {1}}), refused({{1}, {std::numeric_limits<float>::quiet_NaN()}})}) {
    CAPTURE(message);
    CHECK(contains(message, "net.caffemodel: array 'fc.weight': "));
  }
  CHECK(contains(refused({{2, 2}, {1, 2, 3}}), "shape 2x2 disagrees with its 3 values"));
  CHECK(contains(refused({{-3}, {1}}), "negative extent, -3"));
}

TEST_CASE("values that are no finite floats are refused with their place") {
  float const infinity = std::numeric_limits<float>::infinity();
  CHECK(contains(refusal(layer("a", {{{1}, {1}}, {{3}, {1, 2, infinity}}})), "array 'a.bias': value 2 is inf"));
  std::string blob_bytes, layer_bytes, network;
  protozero::pbf_writer{blob_bytes}.add_double(8, 1e300);
  protozero::pbf_writer fields{layer_bytes};
  fields.add_string(1, "big");
  fields.add_message(7, blob_bytes);
  protozero::pbf_writer{network}.add_message(100, layer_bytes);
  CHECK(contains(refusal(network), "array 'big.weight': value 0 is 1e+300"));
}

TEST_CASE("names of layers with parameters must be there, be short and be different") {
  blob const b{{1}, {1}};
  CHECK(contains(refusal(layer("a", {b}) + layer("a", {b})), "two layers with parameters are named 'a'"));
  CHECK(contains(refusal(layer("a", {b}) + old_layer("a", {b})), "two layers with parameters are named 'a'"));
  CHECK(read(layer("a", {}) + layer("a", {b}) + layer("a", {})).parameters.size() == 1);
  CHECK(contains(refusal(layer("", {b})), "has no name"));
  CHECK(contains(refusal(layer(std::string(300, 'x'), {b})), "300 characters"));
}

TEST_CASE("a caffemodel cut short says after which layer") {
  std::string const good = layer("first", {{{2}, {1, 2}}}) + layer("second", {{{2}, {1, 2}}});
  CHECK(contains(refusal(good.substr(0, good.size() - 3)), "cut short or damaged in or after layer 'first'"));
}

TEST_CASE("every damaged caffemodel is read or refused") {
  temporary_folder const folder;
  std::string const good = named("net") + old_layer("old", {{{1, 1, 2, 1}, {1, 2}, true}}) +
                           layer("new", {{{2, 1}, {1, 2}}, {{2}, {1, 2}, false, false}, {{1}, {5}, false, true, true}});
  auto const result = read_damaged(folder / "net", good, read_caffemodel);
  CHECK(result.refused > result.accepted / 2);
  CHECK(result.refused_when_cut + 2 >= good.size());  // only between layers is a cut file whole
}

TEST_CASE("data: the caffemodels of LeNet and SqueezeNet have the shapes of their networks") {
  weights const lenet = read_caffemodel(data_path("models/lenet/lenet_iter_10000"));
  CHECK(lenet.parameters.size() == 8);
  CHECK(lenet.parameters.at("conv1.weight").shape == shape{20, 1, 5, 5});
  CHECK(lenet.parameters.at("conv1.bias").shape == shape{20});
  CHECK(lenet.parameters.at("conv2.weight").shape == shape{50, 20, 5, 5});
  CHECK(lenet.parameters.at("ip1.weight").shape == shape{500, 800});
  CHECK(lenet.parameters.at("ip2.weight").shape == shape{10, 500});
  CHECK(lenet.parameters.at("ip2.bias").shape == shape{10});
  CHECK(lenet.parameters.at("ip1.weight").values.size() == 400000);

  weights const squeezenet = read_caffemodel(data_path("models/squeezenet_v1.1/squeezenet_v1.1.caffemodel"));
  CHECK(squeezenet.parameters.size() == 52);
  CHECK(squeezenet.parameters.at("conv10.weight").shape == shape{1000, 512, 1, 1});
  CHECK(squeezenet.parameters.at("fire9/expand3x3.weight").shape == shape{256, 64, 3, 3});
}

TEST_CASE("data: a truncated LeNet is refused by name") {
  temporary_folder const folder;
  auto const whole = pareidolia::detail::read_file(data_path("models/lenet/lenet_iter_10000"));
  auto const path = put(folder / "half", whole.substr(0, whole.size() / 2));
  CHECK(contains(error_of([&] { (void)read_caffemodel(path); }), "half: this is no caffemodel, or it is cut short"));
}

}  // namespace
