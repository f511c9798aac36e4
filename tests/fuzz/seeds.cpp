// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// seeds FOLDER: a folder of small, valid files for each fuzz target.

#include <pareidolia/core/sinks.hpp>
#include <pareidolia/io/checkpoint.hpp>
#include <pareidolia/io/npy.hpp>
#include <pareidolia/loaders/safetensors.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "evolutions.hpp"
#include "support/caffemodels.hpp"
#include "support/files.hpp"
#include "support/gzip.hpp"
#include "support/images.hpp"
#include "support/mat_files.hpp"
#include "support/onnx_models.hpp"

namespace {

using namespace pareidolia_test;
using namespace pareidolia_test::caffe;

/// The folder of one target.
class corpus {
 public:
  corpus(std::filesystem::path const& root, std::string_view target) : folder_(root / target) {
    std::filesystem::create_directories(folder_);
  }
  /// For the next file.
  std::filesystem::path next() { return folder_ / std::to_string(count_++); }
  void add(std::string_view bytes) { put(next(), bytes); }

 private:
  std::filesystem::path folder_;
  int count_ = 0;
};

std::vector<std::uint8_t> samples(std::size_t count) {
  std::vector<std::uint8_t> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(static_cast<std::uint8_t>(37 * i));
  return result;
}

void caffemodels(std::filesystem::path const& root) {
  corpus networks(root, "caffemodel"), images(root, "binaryproto");
  for (bool const packed : {false, true})
    for (bool const doubles : {false, true}) {
      blob const weight{{2, 3}, {1, 2, 3, 4, 5, -6.5f}, false, packed, doubles}, bias{{2}, {7, 8}, false, packed, doubles};
      blob const legacy{{1, 1, 2, 3}, weight.values, true, packed, doubles};
      networks.add(named("net") + layer("ip", {weight, bias}) + old_layer("old", {legacy, bias}) + layer("relu", {}));
      images.add(encode({{1, 1, 2, 3}, weight.values, !packed, packed, doubles}));
    }
  networks.add(layer("bn", {{{2}, {1, 2}}, {{2}, {3, 4}}, {{1}, {2}}}, "BatchNorm"));
}

void arrays(std::filesystem::path const& root) {
  pareidolia::weights w;
  w.parameters["conv.weight"] = {{2, 1, 2, 1}, {1, -2, 3, 4}};
  w.parameters["scalar"] = {{}, {7}};
  w.parameters["nothing"] = {{4, 0}, {}};
  w.metadata = {{"command", "train \"x\" \xc3\xa9\n"}};
  corpus files(root, "safetensors");
  pareidolia::write_safetensors(files.next(), w);
  std::string_view const header =
      R"({"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},)"
      R"("d":{"dtype":"F64","shape":[1],"data_offsets":[6,14]}})";
  files.add(std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + std::string(header) + std::string(14, '\0'));

  std::vector<std::size_t> const shape{2, 2};
  pareidolia::write_npy(corpus(root, "npy").next(), shape, std::vector<float>{1, 2, 3, 4});

  corpus matlab(root, "matlab");
  std::string const single = mat::array<float>("r", 7, {2, 1, 3}, 7, {1, 2, 3, 4, 5, 6}),
                    bytes = mat::array<signed char>("d", 6, {1, 2}, 1, {1, -2});
  matlab.add(mat::file({single, bytes}));
  matlab.add(mat::file({mat::compressed(single), mat::array<std::uint16_t>("text", 4, {1, 1}, 4, {65}), mat::compressed(bytes)}));
}

void prototxts(std::filesystem::path const& root) {
  corpus files(root, "prototxt");
  files.add(R"(name: "today"
input: "data"
input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 pad: 1 group: 1 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" batch_norm_param { use_global_stats: true eps: 1e-5 } }
layer { name: "scale" type: "Scale" bottom: "bn" top: "bn" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "bn" top: "bn" relu_param { negative_slope: 0.1 } }
layer { name: "lrn" type: "LRN" bottom: "bn" top: "lrn" lrn_param { local_size: 5 alpha: 0.0001 beta: .75 norm_region: WITHIN_CHANNEL } }
layer { name: "pool" type: "Pooling" bottom: "lrn" top: "pool" pooling_param { pool: AVE kernel_h: 2 kernel_w: 3 stride: 2 } }
layer { name: "all" type: "Concat" bottom: "pool" bottom: "pool" top: "all" concat_param { axis: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "all" bottom: "all" top: "sum" eltwise_param { operation: SUM } }
layer { name: "ip" type: "InnerProduct" bottom: "sum" top: "ip" inner_product_param { num_output: 10 } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
)");
  files.add(R"(input: 'data' input_dim: 1, input_dim: 1; input_dim: 28 input_dim: 28 # old
layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" blobs_lr: 1. convolution_param: { num_output: 2 kernel_size: 5 stride: 2 } }
layers { name: "d" type: DROPOUT bottom: "c" top: "c" dropout_param { dropout_ratio: .5 } include { phase: TRAIN } }
layers { name: "p" type: POOLING bottom: "c" top: "p" pooling_param { pool: MAX global_pooling: true } }
layers { name: "s" type: SIGMOID bottom: "p" top: "s" }
layers { name: "t" type: TANH bottom: "s" top: "t" })");
}

void data_sets(std::filesystem::path const& root) {
  std::string const images("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x01\x00\x80\xff\x01", 20), labels("\0\0\x08\x01\0\0\0\x02\x09\x05", 10);
  corpus mnist(root, "mnist");
  for (auto const& file : {images, labels, gzip(images), gzip(labels)}) mnist.add(file);
  auto const pixels = samples(2 * 3073);
  std::string records(pixels.begin(), pixels.end());
  records[0] = records[3073] = 3;
  corpus(root, "cifar10").add(records);

  corpus names(root, "class_names");
  names.add("n01440764 tench, Tinca tinca\nn01443537\tgoldfish\r\n");
  names.add("cat\n dog \nsea lion");
  corpus(root, "folder").add("one.png 3\ntwo three.jpg 10\r\n\nfolder/four.png 0");
}

void images(std::filesystem::path const& root) {
  corpus files(root, "image");
  files.add(make_png({5, 3, 8, PNG_COLOR_TYPE_RGB, samples(45)}));
  files.add(make_png({5, 3, 16, PNG_COLOR_TYPE_RGB_ALPHA, samples(120), true}));
  files.add(make_png({5, 8, 1, PNG_COLOR_TYPE_GRAY, samples(5)}));
  files.add(make_png({5, 3, 8, PNG_COLOR_TYPE_GRAY_ALPHA, samples(30), true}));
  files.add(make_png({2, 4, 2, PNG_COLOR_TYPE_PALETTE, {0x1b, 0xe4}, false, {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {9, 9, 9}}, {0, 128}}));
  std::string const exif("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0", 32);
  files.add(make_jpeg({9, 17, 3, samples(9 * 17 * 3), false, exif}));
  files.add(make_jpeg({17, 9, 3, samples(9 * 17 * 3), true, {}, 50}));
  files.add(make_jpeg({8, 8, 1, samples(64)}));
}

void onnx_models(std::filesystem::path const& root) {
  corpus files(root, "onnx");
  std::vector<float> const ones(12, 1.f);
  onnx::model classic{7, {1, 3, 8, 8}, {}};
  classic.nodes = {{"Conv",
                    {"x", "w", "b"},
                    {"1"},
                    {{"kernel_shape", onnx::extents{1, 1}}, {"strides", onnx::extents{1, 1}}, {"group", std::int64_t{1}}}},
                   {"BatchNormalization", {"1", "b", "b", "b", "b"}, {"2"}, {{"epsilon", 1e-5f}}},
                   {"Relu", {"2"}, {"3"}},
                   {"MaxPool",
                    {"3"},
                    {"4"},
                    {{"kernel_shape", onnx::extents{2, 2}}, {"strides", onnx::extents{2, 2}}, {"pads", onnx::extents{0, 0, 1, 1}}}},
                   {"LRN", {"4"}, {"5"}, {{"size", std::int64_t{5}}, {"alpha", 1e-4f}, {"beta", .75f}, {"bias", 1.f}}},
                   {"Concat", {"5", "4"}, {"6"}, {{"axis", std::int64_t{1}}}},
                   {"GlobalAveragePool", {"6"}, {"7"}},
                   {"Reshape", {"7", "s"}, {"8"}},
                   {"Gemm", {"8", "m", "b"}, {"9"}, {{"transB", std::int64_t{0}}}},
                   {"Softmax", {"9"}, {"y"}, {{"axis", std::int64_t{1}}}}};
  classic.constants = {{"w", {4, 3, 1, 1}, ones},
                       {"b", {4}, std::vector<float>(4, .5f), false},
                       {"m", {8, 4}, std::vector<float>(32, .25f)},
                       {"s", {2}, std::vector<std::int64_t>{1, -1}}};
  files.add(encode(classic));

  onnx::model computed{13, {0, 1, 4, 4}, {}};
  computed.nodes = {{"Constant", {}, {"k"}, {{"value", onnx::tensor{"", {1, 1, 2, 2}, std::vector<float>{1, 2, 3, 4}, false}}}},
                    {"Constant", {}, {"mean"}, {{"value", onnx::tensor{"", {}, std::vector<double>{2}}}}},
                    {"Cast", {"mean"}, {"m"}, {{"to", std::int64_t{1}}}},
                    {"Sub", {"x", "m"}, {"centred"}},
                    {"Pad", {"centred", "p"}, {"padded"}, {{"mode", std::string("constant")}}},
                    {"Conv", {"padded", "k"}, {"c"}, {{"auto_pad", std::string("SAME_UPPER")}}},
                    {"Clip", {"c", "zero", "six"}, {"a"}},
                    {"Add", {"a", "c"}, {"sum"}},
                    {"Shape", {"sum"}, {"shape"}},
                    {"Gather", {"shape", "i"}, {"n"}},
                    {"Unsqueeze", {"n", "axes"}, {"n1"}},
                    {"Concat", {"n1", "rest"}, {"target"}, {{"axis", std::int64_t{0}}}},
                    {"Reshape", {"sum", "target"}, {"y"}}};
  computed.constants = {{"p", {8}, std::vector<std::int64_t>{0, 0, 1, 0, 0, 0, 0, 1}},
                        {"zero", {}, std::vector<float>{0}},
                        {"six", {}, std::vector<float>{6}},
                        {"i", {}, std::vector<std::int64_t>{0}, false},
                        {"axes", {1}, std::vector<std::int64_t>{0}},
                        {"rest", {1}, std::vector<std::int64_t>{-1}}};
  computed.encoded_constants = {onnx::encode("half", {2}, 10, std::string(4, '\0')),
                                onnx::external("far", {1}, {{"location", "weights.bin"}, {"offset", "0"}, {"length", "4"}})};
  files.add(encode(computed));
}

void states(std::filesystem::path const& root) {
  corpus files(root, "checkpoint");
  auto after_two_steps = [steps = 0](pareidolia::step const&) mutable {
    return ++steps % 2 == 0 ? pareidolia::verdict::stop : pareidolia::verdict::go_on;
  };
  evolve(pareidolia::pixels{}, after_two_steps, pareidolia::checkpoint(files.next()));
  evolve(pareidolia::cppn{}, after_two_steps, pareidolia::checkpoint(files.next()));
  evolve(pareidolia::cppn{}, pareidolia::checkpoint(files.next()));
}

}  // namespace

int main(int, char** arguments) {
  std::filesystem::path const root = arguments[1];
  caffemodels(root);
  arrays(root);
  prototxts(root);
  data_sets(root);
  images(root);
  onnx_models(root);
  states(root);
}
