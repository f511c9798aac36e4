// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/onnx.hpp>

#include <pareidolia/detail/gzip.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/models/network.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "support/data.hpp"
#include "support/files.hpp"
#include "support/graphs.hpp"
#include "support/onnx_models.hpp"
#include "support/onnx_runs.hpp"

namespace {

using namespace pareidolia;
using namespace pareidolia_test;
using namespace pareidolia_test::onnx;

// ---- graphs -------------------------------------------------------------------------------------------------------------------------

TEST_CASE("branches are joined and summed, and the image may be one") {
  auto const w = constant("w", {2, 2, 1, 1});
  numbers const x = input_of(2, 2, 2).values, conv = convolve(input_of(2, 2, 2), std::get<0>(w.values), {}, 2, {{1, 1}}).values;
  numbers joined = conv, summed = x;
  joined.insert(joined.end(), x.begin(), x.end());
  for (std::size_t i = 0; i < x.size(); ++i) summed[i] += 2 * conv[i];
  onnx::node const layer{"Conv", {"x", "w"}, {"c"}};
  check_equal(scores(model{13, {1, 2, 2, 2}, {layer, {"Concat", {"c", "x"}, {"y"}, {number("axis", -3)}}}, {w}}), joined);
  check_equal(scores(model{13, {1, 2, 2, 2}, {layer, {"Sum", {"c", "x", "c"}, {"y"}}}, {w}}), summed);
  check_equal(scores(model{13, {1, 2, 2, 2}, {layer, {"Add", {"c", "x"}, {"a"}}, {"Add", {"a", "c"}, {"y"}}}, {w}}), summed);
  CHECK(contains(refusal({13, {1, 2, 2, 2}, {layer, {"Concat", {"c", "x"}, {"y"}, {number("axis", 2)}}}, {w}}), "another axis"));
  CHECK(contains(refusal({13, {1, 2, 2, 2}, {layer, {"Mul", {"c", "x"}, {"y"}}}, {w}}), "between two activations"));
}

TEST_CASE("layers are named as nodes, or as tensors where nodes have no name of their own") {
  auto const n = read({13,
                       {1, 2, 2, 2},
                       {{"Relu", {"x"}, {"a"}, {}, "first"},
                        {"Relu", {"a"}, {"b"}, {}, "twice"},
                        {"Relu", {"b"}, {"c"}, {}, "twice"},
                        {"Relu", {"c"}, {"first"}},
                        {"Relu", {"first"}, {"y"}}}});
  CHECK(names_of(n.structure) == names{"first", "b", "c", "first_", "y"});
  CHECK(n.structure.name == "made by a test");
}

TEST_CASE("what the scores do not depend on is left out, and the first output is the scores") {
  auto const n = read({13,
                       {1, 2, 2, 2},
                       {{"Conv", {"x", "w"}, {"aside"}}, {"Tanh", {"aside"}, {"too"}}, {"Relu", {"x"}, {"y"}}, {"Tanh", {"y"}, {"z"}}},
                       {constant("w", {2, 2, 1, 1})},
                       {},
                       {},
                       {"y", "z"}});
  CHECK(names_of(n.structure) == names{"x", "y"});
  CHECK(n.parameters.parameters.empty());
}

TEST_CASE("the batch size does not matter, and the shape of the image may be given") {
  onnx::node const relu{"Relu", {"x"}, {"y"}};
  CHECK(read({13, {0, 3, 4, 5}, {relu}}).structure.input == image_shape{3, 4, 5});
  CHECK(read({13, {64, 3, 4, 5}, {relu}}).structure.input == image_shape{3, 4, 5});
  CHECK(read({13, {0, 3, 0, 0}, {relu}}, {3, 7, 9}).structure.input == image_shape{3, 7, 9});
  CHECK(read({13, {0, 3, 4, 5}, {relu}}, {3, 7, 9}).structure.input == image_shape{3, 7, 9});
  CHECK(read({13, {0, 12}, {relu}}).structure.input == image_shape{12, 1, 1});
  CHECK(contains(refusal({13, {1, 3, 0, 0}, {relu}}), "does not say the shape of its input 'x'; pass it as the second argument"));
  CHECK(contains(refusal({13, {1, 3, 4}, {relu}}), "has 3 dimensions; 4 are wanted"));

  auto const flat = read({13, {0, 6}, {{"Gemm", {"x", "w"}, {"y"}}}, {constant("w", {6, 2})}}, {1, 2, 3});
  CHECK(flat.structure.input == image_shape{1, 2, 3});
  CHECK(only<layer::inner_product>(flat).outputs == 2);
}

TEST_CASE("constants may be listed as inputs, as in files of the first versions") {
  model m{7, {1, 2, 2, 2}, {{"Conv", {"x", "w"}, {"y"}}}, {constant("w", {3, 2, 1, 1})}};
  m.inputs = {onnx::tensor_info("w", {3, 2, 1, 1})};
  CHECK(only<layer::convolution>(read(m)).outputs == 3);
  m.inputs.push_back(onnx::tensor_info("second", {1, 2, 2, 2}));
  CHECK(contains(refusal(m), "it has 2 inputs ('x', 'second'); one is wanted"));
}

// ---- shapes -------------------------------------------------------------------------------------------------------------------------

/// A convolution of 3 outputs over a 2 x 3 x 2 image, the nodes, and an inner product of 18 numbers.
onnx_network flattened_by(std::vector<onnx::node> nodes, std::vector<onnx::tensor> constants, std::int64_t opset = 13,
                          std::int64_t batch = 0) {
  nodes.insert(nodes.begin(), {"Conv", {"x", "w"}, {"c"}});
  nodes.push_back({"Gemm", {"f", "v"}, {"y"}});
  constants.push_back(constant("w", {3, 2, 1, 1}));
  constants.push_back(constant("v", {18, 4}));
  return read({opset, {batch, 2, 3, 2}, std::move(nodes), std::move(constants)});
}

TEST_CASE("every way to flatten before an inner product is no layer at all") {
  auto const x = convolve(input_of(2, 3, 2), wave(6), {}, 3, {{1, 1}}).values;
  numbers const wanted = product(x, wave(72), false, 1, {}, 0);
  auto const check = [&](onnx_network const& n) {
    CHECK(names_of(n.structure) == names{"c", "y"});
    check_equal(scores(n), wanted);
  };
  onnx::node const shape{"Shape", {"c"}, {"s"}};
  onnx::node const gather{"Gather", {"s", "zero"}, {"n"}};
  onnx::tensor const zero{"zero", {}, extents{0}};
  check(flattened_by({{"Flatten", {"c"}, {"f"}}}, {}));
  check(flattened_by({{"Reshape", {"c", "s"}, {"f"}}}, {integers("s", {-1, 18})}));
  check(flattened_by({{"Reshape", {"c", "s"}, {"f"}}}, {integers("s", {0, -1})}));
  check(flattened_by({{"Reshape", {"c", "s"}, {"f"}}}, {integers("s", {16, -1})}, 13, 16));
  check(flattened_by({{"Reshape", {"c"}, {"f"}, {list("shape", {1, 18})}}}, {}, 1));
  // x.view(x.size(0), -1) as PyTorch exports it
  check(flattened_by({shape,
                      {"Constant", {}, {"zero"}, {{"value", zero}}},
                      gather,
                      {"Unsqueeze", {"n"}, {"u"}, {list("axes", {0})}},
                      {"Constant", {}, {"rest"}, {{"value", integers("", {-1})}}},
                      {"Concat", {"u", "rest"}, {"t"}, {number("axis", 0)}},
                      {"Reshape", {"c", "t"}, {"f"}}},
                     {}, 9));
  check(flattened_by({shape,
                      gather,
                      {"Unsqueeze", {"n", "axes"}, {"u"}},
                      {"Constant", {}, {"rest"}, {list("value_ints", {-1})}},
                      {"Concat", {"u", "rest"}, {"t"}, {number("axis", 0)}},
                      {"Reshape", {"c", "t"}, {"f"}}},
                     {zero, integers("axes", {0})}, 13, 5));
  // the product of the other extents
  check(flattened_by({{"Shape", {"c"}, {"s"}, {number("start", 1), number("end", 2)}},
                      {"Constant", {}, {"six"}, {number("value_int", 6)}},
                      {"Mul", {"s", "six"}, {"k"}},
                      {"Cast", {"k"}, {"r"}, {number("to", 1)}},
                      {"Cast", {"r"}, {"k2"}, {number("to", 7)}},
                      {"Concat", {"minus", "k2"}, {"t"}, {number("axis", 0)}},
                      {"Reshape", {"c", "t"}, {"f"}}},
                     {integers("minus", {-1})}, 15));
  check(flattened_by({shape,
                      {"Slice", {"s", "zero1", "one"}, {"n"}},
                      {"ConstantOfShape", {"one"}, {"rest"}, {{"value", integers("", {-1})}}},
                      {"Concat", {"n", "rest"}, {"t"}, {number("axis", 0)}},
                      {"Reshape", {"c", "t"}, {"f"}}},
                     {integers("zero1", {0}), integers("one", {1})}, 13, 7));
  check(flattened_by({{"Unsqueeze", {"c"}, {"u"}, {list("axes", {-1})}}, {"Squeeze", {"u"}, {"q"}}, {"Flatten", {"q"}, {"f"}}}, {}, 11));
}

TEST_CASE("a flattened tensor that others read too is a layer") {
  auto const n = flattened_by({{"Flatten", {"c"}, {"g"}}, {"Tanh", {"g"}, {"f"}}}, {});
  CHECK(names_of(n.structure) == names{"c", "g", "f", "y"});
  CHECK(std::holds_alternative<layer::flatten>(n.structure.nodes[1].what));
  auto const shaped = read({13, {1, 2, 3, 4}, {{"Reshape", {"x", "s"}, {"r"}}, {"Relu", {"r"}, {"y"}}}, {integers("s", {0, 4, 3, 2})}});
  CHECK(std::get<layer::reshape>(shaped.structure.nodes.front().what) == layer::reshape{{4, 3, 2}});
  CHECK(contains(refusal({13, {2, 2, 3, 4}, {{"Reshape", {"x", "s"}, {"r"}}, {"Relu", {"r"}, {"y"}}}, {integers("s", {1, 4, 3, 4})}}),
                 "across images"));
  CHECK(contains(refusal({13, {1, 2, 3, 4}, {{"Transpose", {"x"}, {"y"}}}}), "only constants are transposed"));
}

TEST_CASE("weights may be computed from constants") {
  auto const w = constant("w", {12, 5});
  numbers const wanted = product(input_of(2, 3, 2).values, std::get<0>(w.values), false, 1, {}, 0);
  auto const check = [&](std::vector<onnx::node> nodes, std::vector<onnx::tensor> constants) {
    nodes.push_back({"Flatten", {"x"}, {"f"}});
    nodes.push_back({"MatMul", {"f", "m"}, {"y"}});
    check_equal(scores(model{11, {1, 2, 3, 2}, nodes, std::move(constants)}), wanted);
  };
  onnx::tensor const cube{"w", {4, 3, 5}, w.values};
  check({{"Reshape", {"w", "s"}, {"m"}}}, {cube, integers("s", {12, 5})});
  check({{"Transpose", {"w"}, {"t"}}, {"Transpose", {"t"}, {"m"}, {list("perm", {1, 0})}}}, {w});
  check({{"Identity", {"w"}, {"i"}}, {"Unsqueeze", {"i"}, {"u"}, {list("axes", {0})}}, {"Squeeze", {"u"}, {"m"}, {list("axes", {0})}}},
        {w});
  check({{"Flatten", {"w"}, {"m"}, {number("axis", 2)}}}, {cube});
  check({{"Add", {"w", "h"}, {"a"}}, {"Sub", {"a", "h"}, {"m"}}}, {w, {"h", {}, floats{.5f}}});
}

// ---- tensors ------------------------------------------------------------------------------------------------------------------------

TEST_CASE("values of every type and field are read") {
  floats const values{1, -2, .5f, 0};
  auto const bias = [&](std::vector<onnx::tensor> constants, std::vector<std::string> encoded) {
    auto n = read({13,
                   {1, 4, 1, 1},
                   {{"Conv", {"x", "w"}, {"c"}}, {"Add", {"c", "b"}, {"y"}}},
                   [&] {
                     constants.push_back(constant("w", {4, 4, 1, 1}));
                     return constants;
                   }(),
                   std::move(encoded)});
    return n.parameters.parameters.at("c.bias").values;
  };
  extents const dims{4, 1, 1};
  CHECK(bias({{"b", dims, values, true}}, {}) == values);
  CHECK(bias({{"b", dims, values, false}}, {}) == values);
  CHECK(bias({{"b", dims, std::vector<double>{1, -2, .5, 0}, true}}, {}) == values);
  CHECK(bias({{"b", dims, std::vector<double>{1, -2, .5, 0}, false}}, {}) == values);
  std::vector<std::uint16_t> const halves{0x3c00, 0xc000, 0x3800, 0}, bfloats{0x3f80, 0xc000, 0x3f00, 0};
  CHECK(bias({}, {onnx::encode("b", dims, 10, onnx::bytes_of(halves))}) == values);
  CHECK(bias({}, {onnx::encode("b", dims, 16, onnx::bytes_of(bfloats))}) == values);

  std::string one_by_one, as_integers;
  protozero::pbf_writer singles{one_by_one}, packed{as_integers};
  for (auto* const fields : {&singles, &packed}) {
    fields->add_packed_int64(1, dims.begin(), dims.end());
    fields->add_string(8, "b");
  }
  singles.add_int32(2, 1);
  for (float const v : values) singles.add_float(4, v);
  packed.add_int32(2, 10);
  packed.add_packed_int32(5, halves.begin(), halves.end());
  CHECK(bias({}, {one_by_one}) == values);
  CHECK(bias({}, {as_integers}) == values);
}

TEST_CASE("external data are read from the folder of the model, and from nowhere else") {
  temporary_folder const folder;
  floats const values = wave(4);
  std::filesystem::create_directories(folder / "in/deeper");
  put(folder / "in/deeper/data", "1234" + onnx::bytes_of(values));
  put(folder / "in/data", onnx::bytes_of(values));
  put(folder / "outside", onnx::bytes_of(values));
  auto const at = [&](std::vector<std::pair<std::string, std::string>> const& place) {
    model const m{13, {1, 2, 1, 1}, {{"Conv", {"x", "w"}, {"y"}}}, {}, {onnx::external("w", {2, 2, 1, 1}, place)}};
    return read_onnx(put(folder / "in/net.onnx", onnx::encode(m))).parameters.parameters.at("y.weight").values;
  };
  auto const refused = [&](std::vector<std::pair<std::string, std::string>> const& place) { return error_of([&] { at(place); }); };
  CHECK(at({{"location", "data"}}) == values);
  CHECK(at({{"location", "deeper/data"}, {"offset", "4"}, {"length", "16"}}) == values);
  for (std::string const& location :
       {std::string("../outside"), std::string("deeper/../../outside"), (folder / "outside").string(), std::string()})
    CHECK(contains(refused({{"location", location}}), "only files in the folder of the model are read"));
  CHECK(contains(refused({{"location", "missing"}}), "there is no such file"));
  CHECK(contains(refused({{"location", "deeper"}}), "this is a folder"));
  CHECK(contains(refused({{"location", "data"}, {"offset", "4"}}), "bytes 4 to 20 of 'data', which has 16"));
  CHECK(contains(refused({{"location", "data"}, {"offset", "18446744073709551615"}}), "which has 16"));
  CHECK(contains(refused({{"location", "data"}, {"length", "12"}}), "takes 16 bytes of values, it has 12"));
  CHECK(contains(refused({{"location", "data"}, {"offset", "x"}}), "'x', not a number"));
}

// ---- errors -------------------------------------------------------------------------------------------------------------------------

TEST_CASE("one message lists every node that is not supported, and why") {
  auto const why = refusal({13,
                            {1, 2, 8, 8},
                            {{"Conv", {"x", "w"}, {"a"}, {list("dilations", {2, 2})}, "atrous"},
                             {"HardSwish", {"a"}, {"b"}, {}, "swish"},
                             {"Relu", {"b"}, {"c"}, {}, "fine"},
                             {"FusedConv", {"c"}, {"d"}, {}, "fused", "com.microsoft"},
                             {"Resize", {"x"}, {"r"}},
                             {"Pad", {"d"}, {"e"}, {word("mode", "edge")}, "edge"},
                             {"Add", {"e", "x"}, {"y"}, {}, "sum"}},
                            {constant("w", {2, 2, 3, 3})}});
  CHECK(contains(why,
                 "net.onnx: 5 of its 7 nodes are not supported: node 'atrous' (Conv): its dilation is 2; only 1 is supported; "
                 "node 'swish' (HardSwish): this operator is not known; "
                 "node 'fused' (com.microsoft.FusedConv): this operator is not known; "
                 "node 'r' (Resize): this operator is not known; "
                 "node 'edge' (Pad): its mode is edge"));
}

TEST_CASE("a file that cannot be an ONNX model is refused by name") {
  temporary_folder const folder;
  auto const error_at = [&](std::filesystem::path const& path) { return error_of([&] { (void)read_onnx(path); }); };
  CHECK(error_at(folder / "missing") == (folder / "missing").string() + ": there is no such file");
  CHECK(contains(error_at(put(folder / "empty", "")), "empty: the file is empty"));
  CHECK(contains(error_at(put(folder / "text", "name: \"LeNet\"\nlayer {}")), "text: this is no ONNX model"));
  CHECK(contains(error_at(put(folder / "none", std::string("\x08\x07"))), "it has no graph"));
  onnx::node const relu{"Relu", {"x"}, {"y"}};
  CHECK(contains(refusal({22, {1, 2, 2, 2}, {relu}}), "those of opset 22; 1 to 21 are read"));
  CHECK(contains(refusal({13, {1, 2, 2, 2}, {}}), "no node computes its output 'y' from the image"));
  CHECK(contains(refusal({13, {1, 2, 2, 2}, {relu}, {}, {}, {}, {}}), "its graph has no output"));
  CHECK(contains(refusal({13, {1, 2, 2, 2}, {{"Identity", {"x"}, {"y"}}}}), "no node computes anything"));
  CHECK(contains(refusal({13, {1, 2, 2, 2}, {{"Constant", {}, {"y"}, {number("value_int", 1)}}}}), "from the image"));
}

TEST_CASE("nodes that read ahead, in a cycle or nothing are refused by name") {
  auto const refused = [](std::vector<onnx::node> nodes, std::vector<onnx::tensor> constants = {}) {
    return refusal({13, {1, 2, 2, 2}, std::move(nodes), std::move(constants)});
  };
  CHECK(contains(refused({{"Sum", {"x", "b"}, {"a"}, {}, "one"}, {"Relu", {"a"}, {"b"}}, {"Relu", {"b"}, {"y"}}}),
                 "node 'one' (Sum): it reads 'b', which nothing before it makes"));
  CHECK(contains(refused({{"Relu", {"y"}, {"y"}}}), "it reads 'y', which nothing before it makes"));
  CHECK(contains(refused({{"Relu", {"x"}, {"x"}}}), "net.onnx: the output 'x' of node 'x' (Relu) exists already"));
  CHECK(contains(refused({{"Relu", {"x"}, {"a"}}, {"Tanh", {"x"}, {"a"}}, {"Relu", {"a"}, {"y"}}}),
                 "the output 'a' of node 'a' (Tanh) exists already"));
  CHECK(contains(refused({{"Relu", {}, {"y"}}}), "(Relu): "));
  CHECK(contains(refused({{"Conv", {"x"}, {"y"}}}), "(Conv): it has no input 1"));
  CHECK(contains(refused({{"Relu", {"x"}, {}}}), "node '' (Relu) has no output"));
  CHECK(contains(refused({{"Conv", {"x", "x"}, {"y"}}}), "its input 'x' depends on the image; a constant is wanted"));
}

TEST_CASE("tensors that are damaged or made to exhaust memory are refused with the name of their node") {
  constexpr std::int64_t huge = std::int64_t{1} << 40;
  auto const refused = [](onnx::tensor w, std::vector<attribute> attributes = {}) {
    return refusal({13, {1, 2, 2, 2}, {{"Conv", {"x", "w"}, {"y"}, std::move(attributes)}}, {std::move(w)}});
  };
  auto const with = [](extents dims, floats values, bool raw = true) { return onnx::tensor{"w", std::move(dims), std::move(values), raw}; };
  float const infinity = std::numeric_limits<float>::infinity();
  for (std::string const& why :
       {refused(with({2, 2, 1, 1}, {1, 2, 3})), refused(with({2, 2, 1, 1}, {1, 2, 3}, false)), refused(with({huge, huge, 1, 1}, {1})),
        refused(with({huge, 2, 1, 1}, {1}, false)), refused(with({-1, 2, 1, 1}, {1})), refused(with({2, 2, 1, 1}, {1, 2, infinity, 4})),
        refused(with({2, 1, 1, 1}, {1, 2})), refused(with({4}, {1, 2, 3, 4})), refused(with({0, 2, 1, 1}, {})),
        refused(with(extents(40, 1), {1})), refused(with({2, 2, 3, 3}, wave(36))),
        refused(with({2, 2, 1, 1}, wave(4)), {list("pads", {huge, huge, huge, huge})}),
        refused(with({2, 2, 1, 1}, wave(4)), {list("strides", {0, 0})}), refused(with({2, 2, 1, 1}, wave(4)), {number("group", 0)}),
        refused(with({2, 2, 1, 1}, wave(4)), {number("group", huge)}), refused(with({2, 2, 1, 1}, wave(4)), {real("pads", 1)}),
        refused(with({2, 2, 1, 1}, wave(4)), {list("pads", extents(2000, 1))})}) {
    CAPTURE(why);
    CHECK(contains(why, "net.onnx: 1 of its 1 nodes is not supported: node 'y' (Conv): "));
  }
  CHECK(contains(refused(with({2, 2, 1, 1}, {1, 2, infinity, 4})), "value 2 is inf, not a finite float"));
  auto const made = [](std::int64_t count) {
    return refusal({13,
                    {1, 2, 2, 2},
                    {{"ConstantOfShape", {"n"}, {"w"}, {}, "filled"}, {"Conv", {"x", "w"}, {"y"}}},
                    {integers("n", {count, 2, 1, 1})}});
  };
  CHECK(made(1000) == "no error");
  CHECK(contains(made(1'000'000'000), "node 'filled' (ConstantOfShape): what it holds takes more memory than 4 times its size"));
}

TEST_CASE("one large constant that many nodes read does not fill the memory") {
  std::vector<onnx::node> nodes{{"Conv", {"x", "w"}, {"0"}}};
  for (int i = 1; i < 100; ++i) nodes.push_back({"Conv", {std::to_string(i - 1), "w"}, {std::to_string(i)}});
  nodes.push_back({"Relu", {"99"}, {"y"}});
  CHECK(contains(refusal({13, {1, 300, 1, 1}, nodes, {constant("w", {300, 300, 1, 1})}}), "more memory than 4 times its size"));
}

TEST_CASE("every damaged model is read or refused") {
  temporary_folder const folder;
  model const m{11,
                {1, 1, 4, 4},
                {{"Conv", {"x", "w", "b"}, {"c"}, {list("pads", {1, 1, 1, 1})}, "conv"},
                 {"MaxPool", {"c"}, {"p"}, {list("kernel_shape", {2, 2}), list("strides", {2, 2})}},
                 {"Shape", {"p"}, {"s"}},
                 {"Slice", {"s", "i", "j"}, {"n"}},
                 {"Concat", {"n", "k"}, {"t"}, {number("axis", 0)}},
                 {"Reshape", {"p", "t"}, {"f"}},
                 {"Gemm", {"f", "v"}, {"y"}, {real("alpha", 2), number("transB", 1)}}},
                {constant("w", {1, 1, 3, 3}),
                 constant("b", {1}),
                 integers("i", {0}),
                 integers("j", {1}),
                 integers("k", {-1}),
                 {"v", {2, 4}, wave(8), false}}};
  auto const result = read_damaged(folder / "net", onnx::encode(m), [](auto const& path) { return read_onnx(path); });
  CHECK(result.refused > result.accepted / 2);
  CHECK(result.refused_when_cut + 8 >=
        onnx::encode(m).size());  // the opset at the end is not missed: files of the first versions have none
}

// ---- data ---------------------------------------------------------------------------------------------------------------------------

/// The int32 arrays in the .npz files, which are stored as they are, of a .tar.gz.
std::vector<std::vector<std::int32_t>> test_vectors(std::filesystem::path const& path) {
  detail::file_reader const file(path);
  detail::gzip_reader packed(file);
  std::string archive(std::size_t{1} << 20, '\0');
  archive.resize(packed.read(archive));
  std::vector<std::vector<std::int32_t>> arrays;
  for (std::size_t at = archive.find("\x93NUMPY"); at != std::string::npos; at = archive.find("\x93NUMPY", at + 1)) {
    auto const header = detail::load<std::uint16_t>(archive.data() + at + 8);
    REQUIRE(contains(std::string_view(archive).substr(at, header), "'<i4'"));
    bool const is_image = contains(std::string_view(archive).substr(at, header), "(1, 784)");
    for (std::size_t i = arrays.emplace_back().size(); i < (is_image ? 784 : 10); ++i)
      arrays.back().push_back(detail::load<std::int32_t>(archive.data() + at + 10 + header + 4 * i));
  }
  return arrays;
}

TEST_CASE("data: the MNIST network gives the classes of its own test vectors") {
  auto const [structure, parameters] = read_onnx(data_path("models/mnist_onnx/mnist.onnx"));
  CHECK(names_of(structure) == names{"Convolution28", "ReLU32", "Pooling66", "Convolution110", "ReLU114", "Pooling160", "Times212"});
  CHECK(structure.input == image_shape{1, 28, 28});
  // Logits worked out with NumPy in double precision.
  std::vector<numbers> const logits{
      {-2702.90246, -2044.03114, -1144.47818, 3431.75848, -2802.409, 4449.69948, -2858.96229, 127.987147, 912.244884, 528.989316},
      {6400.54058, -4938.20229, 1238.96556, -2967.17704, -535.358772, -647.837611, 862.011889, -2486.6747, -934.936728, -312.741411},
      {-4177.43201, 138.589393, -1002.94587, -601.376036, 5386.62163, -1280.78759, -2771.21409, 2029.97202, 365.648136, 1697.00149}};
  auto const vectors = test_vectors(data_path("models/mnist_onnx/mnist.tar.gz"));
  REQUIRE(vectors.size() == 6);
  auto const check = [&](auto const& net) {
    auto w = net.prepare(1);
    for (std::size_t i = 0; i < 3; ++i) {
      auto const &classes = vectors[2 * i], &pixels = vectors[2 * i + 1];
      floats const x(pixels.begin(), pixels.end());
      floats y(10);
      net.forward({x.data(), {1, 1, 28, 28}}, {y.data(), {1, 10}}, w);
      CHECK(relative_error(y, logits[i]) < 1e-6);
      CHECK(classes[static_cast<std::size_t>(std::max_element(y.begin(), y.end()) - y.begin())] == 1);
    }
  };
  check(network{reference_engine<double>{}, structure, parameters});
  check(network{cpu_engine{}, structure, parameters});
}

TEST_CASE("data: the MNIST network classifies 98.1 % of the first 3000 test images") {
  auto [structure, parameters] = read_onnx(data_path("models/mnist_onnx/mnist.onnx"));
  structure.prepare.scale *= 255;  // it was trained on pixels from 0 to 255
  network const net{cpu_engine{}, structure, parameters};
  auto const digits = read_mnist(data_path("mnist/t10k-images-idx3-ubyte.gz"), data_path("mnist/t10k-labels-idx1-ubyte.gz"));
  auto w = net.prepare(100);
  std::size_t right = 0;
  floats y(1000);
  for (std::size_t first = 0; first < 3000; first += 100) {
    net.forward({digits.images.data() + first * 784, {100, 1, 28, 28}}, {y.data(), {100, 10}}, w);
    for (std::size_t i = 0; i < 100; ++i) {
      auto const row = y.begin() + static_cast<std::ptrdiff_t>(10 * i);
      right += std::max_element(row, row + 10) - row == digits.labels[first + i];
    }
  }
  CHECK(right == 2943);
}

}  // namespace
