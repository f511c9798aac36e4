// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// What loaders allocate, counted by the operators new and delete of this program.

#include <pareidolia/io/npy.hpp>
#include <pareidolia/loaders/binaryproto.hpp>
#include <pareidolia/loaders/caffemodel.hpp>
#include <pareidolia/loaders/cifar10.hpp>
#include <pareidolia/loaders/class_names.hpp>
#include <pareidolia/loaders/folder.hpp>
#include <pareidolia/loaders/matlab.hpp>
#include <pareidolia/loaders/mnist.hpp>
#include <pareidolia/loaders/onnx.hpp>
#include <pareidolia/loaders/prototxt.hpp>
#include <pareidolia/loaders/safetensors.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <malloc.h>

#include "support/caffemodels.hpp"
#include "support/files.hpp"
#include "support/mat_files.hpp"
#include "support/onnx_models.hpp"

namespace {

std::atomic<bool> counting{false};
std::atomic<std::int64_t> live{0}, most{0};

}  // namespace

void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
  void* const memory = std::malloc(size);
  if (counting && memory != nullptr) {
    live += static_cast<std::int64_t>(::malloc_usable_size(memory));
    if (live > most) most.store(live);
  }
  return memory;
}
void* operator new(std::size_t size) {
  if (void* const memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  if (counting && memory != nullptr) live -= static_cast<std::int64_t>(::malloc_usable_size(memory));
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace {

using namespace pareidolia;
using namespace pareidolia_test;

/// The most bytes that `action` holds at once, its result included.
template <class Action>
std::uint64_t peak_of(Action const& action) {
  live = most = 0;
  counting = true;
  try {
    [[maybe_unused]] auto const result = action();
    counting = false;
  } catch (error const&) {
    counting = false;
  }
  return static_cast<std::uint64_t>(most.load());
}

std::string repeated(std::string_view piece, std::size_t size) {
  std::string result;
  while (result.size() < size) result += piece;
  return result;
}

/// A safetensors file; `header` is everything up to the data.
std::string safetensors_of(std::string const& header, std::size_t data) {
  std::string bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> 8 * i & 255);
  return bytes + header + std::string(data, '\0');
}
std::string tensor_of(std::string const& name, std::string const& kind, std::size_t count, std::size_t begin, std::size_t end) {
  return detail::text('"', name, R"(":{"dtype":")", kind, R"(","shape":[)", count, R"(],"data_offsets":[)", begin, ',', end, "]}");
}

std::string const megabytes_of_zeros(std::size_t{32} << 20, '\0');

TEST_CASE("the counter counts") {
  CHECK(peak_of([] { return std::vector<char>(1 << 20); }) >= 1 << 20);
  CHECK(peak_of([] { return std::vector<char>(1 << 20), 0; }) < 3 << 20);
}

TEST_CASE("weights are loaded in their size and a little more") {
  temporary_folder const folder;
  std::vector<float> const values(std::size_t{8} << 20, 1.f);
  auto const count = static_cast<std::int64_t>(values.size());
  auto const check = [](std::filesystem::path const& path, auto const& read) {
    std::uint64_t const size = std::filesystem::file_size(path), peak = peak_of([&] { return read(path); });
    CHECK(peak >= size * 99 / 100);
    CHECK(peak <= size + size / 100);
  };
  check(put(folder / "new", caffe::layer("a", {{{count}, values}}) + caffe::layer("b", {{{count}, values}})), read_caffemodel);
  check(put(folder / "old", caffe::old_layer("a", {{{1, 1, 1, count}, values, true}})), read_caffemodel);
  check(put(folder / "mean", caffe::encode({{1, 1, 1, count}, values})), read_binaryproto);
  weights w;
  w.parameters["a"] = w.parameters["b"] = {{values.size()}, values};
  write_safetensors(folder / "w", w);
  check(folder / "w", read_safetensors);
}

TEST_CASE("data sets are loaded in the size of their floats") {
  temporary_folder const folder;
  std::string const records = megabytes_of_zeros.substr(0, 3073 * 1000);
  std::uint64_t const peak = peak_of([path = put(folder / "cifar", records)] { return read_cifar10(path); });
  CHECK(peak <= 4 * records.size() + 65536);

  std::string const images = std::string("\0\0\x08\x03\0\0\x10\0\0\0\0\x20\0\0\0\x20", 16) + megabytes_of_zeros.substr(0, 1 << 22);
  std::string const labels = std::string("\0\0\x08\x01\0\0\x10\0", 8) + std::string(4096, '\0');
  auto const first = put(folder / "images", images), second = put(folder / "labels", labels);
  CHECK(peak_of([&] { return read_mnist(first, second); }) <= 4 * (images.size() + labels.size()) + 65536);
}

TEST_CASE("no file makes its loader allocate more than the limit") {
  struct hostile {
    std::string what;
    std::string bytes;
    std::function<void(std::filesystem::path const&)> read;
  };
  using reader = std::function<void(std::filesystem::path const&)>;
  reader const caffemodel = read_caffemodel, safetensors = read_safetensors, class_names = read_class_names, npy = read_npy,
               matlab = read_matlab, list = detail::parse_image_list,
               prototxt = [](std::filesystem::path const&path) { (void)read_prototxt(path); };
  std::size_t const megabyte = 1 << 20;

  std::string layers, tensors = "{", entries = R"({"__metadata__":{)";
  for (int i = 0; layers.size() < megabyte; ++i) layers += caffe::layer(std::to_string(i), {{{1}, {1}}});
  for (int i = 0; tensors.size() < megabyte; ++i) tensors += tensor_of(std::to_string(i), "F32", 0, 0, 0) + ",";
  for (int i = 0; entries.size() < megabyte; ++i) entries += detail::text(i ? "," : "", '"', i, R"(":"")");
  std::size_t const rest = 8 * megabyte;
  tensors += tensor_of("data", "F16", rest / 2, 0, rest) + "}";
  entries += "}," + tensor_of("data", "F16", rest / 2, 0, rest) + "}";
  std::vector<std::string> numbers, axes;
  for (int i = 0; i < 20'000; ++i) numbers.push_back(mat::array<std::int8_t>(std::to_string(i), 8, {1, 1}, 1, {1}));
  for (int i = 0; i < 5000; ++i) axes.push_back(mat::array<std::int8_t>(std::to_string(i), 8, std::vector<std::int32_t>(32, 1), 1, {1}));
  std::string const floats_of_a_byte = mat::array<std::int8_t>("a", 8, {1 << 20, 8}, 1, std::vector<std::int8_t>(rest));
  caffe::blob const longest{std::vector<std::int64_t>(32, 1), {1}};

  std::vector<hostile> const files{
      {"layers of one number", layers, caffemodel},
      {"one layer of many blobs", caffe::layer(std::string(256, 'n'), std::vector<caffe::blob>(40'000, {{1}, {1}})), caffemodel},
      {"blobs of many axes", caffe::layer("n", std::vector<caffe::blob>(20'000, longest)), caffemodel},
      {"numbers one by one", caffe::layer("n", {{{100'000}, std::vector<float>(100'000), false, false}}), caffemodel},
      {"empty tensors", safetensors_of(tensors, rest), safetensors},
      {"metadata", safetensors_of(entries, rest), safetensors},
      {"floats of two bytes", safetensors_of("{" + tensor_of("t", "F16", rest / 2, 0, rest) + "}", rest), safetensors},
      {"metadata and nothing else", safetensors_of(entries.substr(0, entries.find(',', 65'500)) + "}}", 0), safetensors},
      {"much metadata and nothing else", safetensors_of(entries.substr(0, entries.rfind("},\"data")) + "}}", 0), safetensors},
      {"empty tensors and nothing else", safetensors_of(tensors.substr(0, tensors.find("},", 65'400)) + "}}", 0), safetensors},
      {"a long name", safetensors_of("{\"" + std::string(65'000, 'x') + "\":{}}", 0), safetensors},
      {"a long name for much data", safetensors_of("{\"" + std::string(megabyte, 'x') + "\":{}}", rest), safetensors},
      {"a long number", safetensors_of("{\"t\":{\"shape\":[" + std::string(65'000, '1') + "]}}", 0), safetensors},
      {"line breaks and an error", safetensors_of("{" + std::string(65'000, '\n') + "x", 0), safetensors},
      {"more line breaks and an error", safetensors_of("{" + std::string(megabyte, '\n') + "x", rest), safetensors},
      {"arrays of one number", mat::file(numbers), matlab},
      {"arrays of many axes", mat::file(axes), matlab},
      {"floats of a byte", mat::file({floats_of_a_byte}), matlab},
      {"a long type", "\x93NUMPY\x02" + std::string("\0\0\0\x10\0", 5) + "{'descr': '" + std::string(megabyte, 'x') + "'}", npy},
      {"a long name of a layer", "layer { bottom: \"a\" name: \"" + std::string(megabyte, 'x') + "\" }", prototxt},
      {"empty messages", repeated("a{}", megabyte), prototxt},
      {"short fields", repeated("a:1 ", megabyte), prototxt},
      {"short layers", repeated("layer{name:\"a\"type:\"relu\"bottom:\"a\"top:\"a\"}", megabyte / 16), prototxt},
      {"nested messages", repeated("a{a{a{a{a{a{}}}}}}", megabyte), prototxt},
      {"short names", repeated("a\n", 65'536), class_names},
      {"more short names", repeated("a\n", megabyte), class_names},
      {"one name", std::string(megabyte, 'a'), class_names},
      {"short lines", repeated("a 0\n", megabyte), list},
      {"one line", std::string(megabyte, 'a') + " 1", list},
      {"zeros",
       "\x93NUMPY\x02" + std::string("\0\0\0\x10\0", 5) + "{'descr': '<f4', 'fortran_order': False, 'shape': (" + repeated("0,", megabyte) +
           ")}",
       npy},
  };
  temporary_folder const folder;
  for (hostile const& file : files) {
    CAPTURE(file.what);
    CAPTURE(file.bytes.size());
    auto const path = put(folder / "f", file.bytes);
    std::uint64_t const peak = peak_of([&] { return file.read(path), 0; });
    CHECK(peak <= detail::allocation_limit(file.bytes.size()));
  }
}

TEST_CASE("an ONNX model is loaded in the size of its weights and a little more") {
  temporary_folder const folder;
  onnx::tensor const w{"w", {2048, 4096}, std::vector<float>(std::size_t{8} << 20, 1.f)}, c{"w", {2048, 4096, 1, 1}, w.values};
  for (onnx::model const& m : {onnx::model{13, {1, 4096, 1, 1}, {{"Conv", {"x", "w"}, {"y"}}}, {c}},
                               onnx::model{13, {1, 2048}, {{"MatMul", {"x", "w"}, {"y"}}}, {w}},
                               onnx::model{1, {1, 2048}, {{"Constant", {}, {"w"}, {{"value", w}}}, {"MatMul", {"x", "w"}, {"y"}}}}}) {
    auto const path = put(folder / "net", onnx::encode(m));
    std::uint64_t const size = std::filesystem::file_size(path), peak = peak_of([&] { return read_onnx(path); });
    CHECK(peak >= size * 99 / 100);
    CHECK(peak <= size + size / 100);
  }
}

TEST_CASE("no ONNX model makes its loader allocate more than the limit") {
  std::size_t const many = 20'000;
  auto const model = [](std::vector<onnx::node> nodes, std::vector<onnx::tensor> constants = {}) {
    return onnx::model{11, {1, 2, 2, 2}, std::move(nodes), std::move(constants)};
  };
  auto const chain = [&](std::string const& operation) {
    std::vector<onnx::node> nodes{{operation, {"x"}, {"0"}}};
    for (std::size_t i = 1; i < many; ++i) nodes.push_back({operation, {std::to_string(i - 1)}, {std::to_string(i)}});
    return model(std::move(nodes));
  };
  auto const repeat = [&](std::size_t count, onnx::node n, std::vector<onnx::tensor> constants = {}) {
    std::vector<onnx::node> nodes;
    for (std::size_t i = 0; i < count; ++i) {
      n.outputs = {std::to_string(i)};
      nodes.push_back(n);
    }
    return model(std::move(nodes), std::move(constants));
  };
  onnx::tensor const one{"w", {1}, std::vector<float>{1}};
  onnx::model outputs = model({{"Relu", {"x"}, {"y"}}}), inputs = outputs, constants = outputs;
  outputs.outputs.resize(many);
  inputs.inputs.assign(many, onnx::tensor_info("", {}));
  for (std::size_t i = 0; i < many; ++i) constants.constants.push_back({std::to_string(i), {1}, std::vector<float>{1}});
  std::vector<std::pair<char const*, onnx::model>> const files{
      {"layers", chain("Relu")},
      {"other names", chain("Identity")},
      {"unknown operators", chain("Unknown")},
      {"empty nodes", model(std::vector<onnx::node>(many))},
      {"constants", repeat(many, {"Constant", {}, {}, {{"value_int", std::int64_t{1}}}})},
      {"initializers", constants},
      {"outputs", outputs},
      {"inputs", inputs},
      {"attributes", model({{"LRN", {"x"}, {"y"}, std::vector<onnx::attribute>(many, {"a", std::int64_t{1}})}})},
      {"inputs of a node", model({{"Sum", std::vector<std::string>(many, "x"), {"y"}}})},
      {"inputs of nodes", repeat(many / 100, {"Sum", std::vector<std::string>(1000, "x"), {}})},
      {"shapes", repeat(many, {"Flatten", {"x"}, {}})},
      {"long shapes", repeat(many, {"Reshape", {"w", "s"}, {}}, {one, {"s", {1000}, onnx::extents(1000, 1)}})},
      {"new axes", repeat(many / 100, {"Unsqueeze", {"w"}, {}, {{"axes", onnx::extents(900, 0)}}}, {one})},
      {"transposed weights", repeat(many / 100, {"Transpose", {"w"}, {}}, {{"w", {1000, 10}, std::vector<float>(10'000, 1.f)}})},
      {"filled weights", repeat(many / 100, {"ConstantOfShape", {"s"}, {}}, {{"s", {2}, onnx::extents{100, 100}}})},
  };
  temporary_folder const folder;
  for (auto const& [what, content] : files) {
    CAPTURE(what);
    std::string const bytes = onnx::encode(content);
    auto const path = put(folder / "net", bytes);
    CHECK(peak_of([&] { return read_onnx(path); }) <= detail::allocation_limit(bytes.size()));
  }
}

}  // namespace
