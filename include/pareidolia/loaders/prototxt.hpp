// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>
#include <pareidolia/detail/text_message.hpp>
#include <pareidolia/models/graph.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pareidolia {
namespace detail {

/// Turns the layers of a Caffe network, of both generations, into a graph.
class prototxt_reader {
 public:
  explicit prototxt_reader(text_message const& net) : net_(net) { graph_.name = net.one("name", "network"); }

  graph read(image_shape const& input) {
    graph_.input = input;
    for (auto const& name : net_.all("input")) tops_[name] = "";
    if (auto const sizes = net_.all("input_dim"); !sizes.empty()) take_input(sizes);
    if (auto const sizes = net_.child("input_shape").all("dim"); !sizes.empty()) take_input(sizes);
    for (auto const& f : net_.fields)
      if ((f.name == "layer" || f.name == "layers") && f.message) take(*f.message);
    if (graph_.nodes.empty()) fail("no layer in it computes anything");
    if (graph_.input == image_shape{}) fail("it does not say the shape of its input; pass it as the second argument");
    return std::move(graph_);
  }

 private:
  static std::size_t number(text_message const& m, std::string_view name, std::size_t otherwise) {
    auto const text = m.one(name);
    return text.empty() ? otherwise : to_number(text, name);
  }
  static std::size_t to_number(std::string const& text, std::string_view name) {
    std::uint32_t value = 0;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size())
      fail(name, " is '", text, "'; it must be a number from 0 to 4294967295");
    return value;
  }
  static float real(text_message const& m, std::string_view name, float otherwise) {
    auto const text = m.one(name);
    if (text.empty()) return otherwise;
    float value = 0;
    auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size()) fail(name, " is '", text, "'; it must be a number");
    return value;
  }
  static bool truth(text_message const& m, std::string_view name, bool otherwise) {
    auto const text = m.one(name);
    if (text.empty()) return otherwise;
    if (text != "true" && text != "false") fail(name, " is '", text, "'; it must be true or false");
    return text == "true";
  }
  /// (height, width) from `name`, given once or twice, or from `short_name`_h and _w.
  static layer::extent extent(text_message const& m, std::string const& name, std::string const& short_name, std::size_t otherwise) {
    layer::extent e{otherwise, otherwise};
    if (auto const given = m.all(name); !given.empty()) e = {to_number(given.front(), name), to_number(given.back(), name)};
    return {number(m, short_name + "_h", e[0]), number(m, short_name + "_w", e[1])};
  }

  void take_input(std::vector<std::string> const& sizes) {
    if (sizes.size() != 4) fail("its input has ", sizes.size(), " dimensions; 4 are wanted (count, channels, height, width)");
    if (graph_.input == image_shape{}) graph_.input = {to_number(sizes[1], "dim"), to_number(sizes[2], "dim"), to_number(sizes[3], "dim")};
  }

  static bool for_training(text_message const& m) {
    return std::any_of(m.fields.begin(), m.fields.end(),
                       [](auto const& f) { return f.name == "include" && f.message && f.message->one("phase") == "TRAIN"; });
  }

  /// INNER_PRODUCT and InnerProduct are one.
  static std::string plain_type(std::string const& type) {
    std::string plain;
    for (char c : type)
      if (c != '_') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return plain;
  }

  void take(text_message const& m) {
    if (for_training(m)) return;
    std::string const name = m.one("name"), type = m.one("type");
    auto const bottoms = m.all("bottom"), tops = m.all("top");
    if (bottoms.empty()) {  // a source of images
      for (auto const& top : tops) tops_[top] = "";
      if (auto const sizes = m.child("input_param").child("shape").all("dim"); !sizes.empty()) take_input(sizes);
      return;
    }
    node n{name, layer::dropout{}, {}};
    try {
      n.what = operation(plain_type(type), m);
      if (tops.size() != 1) fail("it has ", tops.size(), " tops; one is wanted");
    } catch (error const& e) {
      fail("layer '", name, "' of type '", type, "' (line ", m.line, "): ", e.what());
    }
    for (auto const& bottom : bottoms) {
      auto const found = tops_.find(bottom);
      if (found == tops_.end()) fail("layer '", name, "' reads '", bottom, "', which nothing before it makes");
      // The image has no name in a graph: only the first layer can read it.
      if (found->second.empty() && !graph_.nodes.empty())
        fail("layer '", name, "' reads the image behind other layers; only the first may");
      if (!found->second.empty()) n.inputs.push_back(found->second);
    }
    if (n.inputs.size() == 1 && n.inputs.front() == (graph_.nodes.empty() ? "" : graph_.nodes.back().name)) n.inputs.clear();
    tops_[tops.front()] = name;
    graph_.nodes.push_back(std::move(n));
  }

  static layer::operation operation(std::string const& type, text_message const& m) {
    if (type == "convolution") return convolution(m.child("convolution_param"));
    if (type == "innerproduct") {
      auto const& p = m.child("inner_product_param");
      return layer::inner_product{.outputs = number(p, "num_output", 0), .bias = truth(p, "bias_term", true)};
    }
    if (type == "pooling") return pooling(m.child("pooling_param"));
    if (type == "relu") {
      if (real(m.child("relu_param"), "negative_slope", 0) != 0) fail("a negative_slope is not supported");
      return layer::activation{layer::function::relu};
    }
    if (type == "sigmoid") return layer::activation{layer::function::sigmoid};
    if (type == "tanh") return layer::activation{layer::function::tanh};
    if (type == "dropout") return layer::dropout{};
    if (type == "softmax") return layer::softmax{};
    if (type == "lrn") {
      auto const& p = m.child("lrn_param");
      if (p.one("norm_region", "ACROSS_CHANNELS") != "ACROSS_CHANNELS") fail("normalisation within channels is not supported");
      return layer::lrn{
          .size = number(p, "local_size", 5), .alpha = real(p, "alpha", 1), .beta = real(p, "beta", .75f), .k = real(p, "k", 1)};
    }
    if (type == "concat") {
      auto const& p = m.child("concat_param");
      if (number(p, "axis", 1) != 1 || number(p, "concat_dim", 1) != 1) fail("only channels (axis 1) can be concatenated");
      return layer::concat{};
    }
    if (type == "eltwise") {
      auto const& p = m.child("eltwise_param");
      if (p.one("operation", "SUM") != "SUM" || !p.all("coeff").empty()) fail("only plain sums are supported");
      return layer::sum{};
    }
    fail("this type is not known");
  }

  static layer::convolution convolution(text_message const& p) {
    if (auto const d = p.all("dilation"); std::any_of(d.begin(), d.end(), [](auto const& v) { return v != "1"; }))
      fail("dilation is not supported");
    return {.outputs = number(p, "num_output", 0),
            .kernel = extent(p, "kernel_size", "kernel", 0),
            .stride = extent(p, "stride", "stride", 1),
            .padding = extent(p, "pad", "pad", 0),
            .groups = number(p, "group", 1),
            .bias = truth(p, "bias_term", true)};
  }

  static layer::pooling pooling(text_message const& p) {
    auto const kind = p.one("pool", "MAX"), round = p.one("round_mode", "CEIL");
    if (kind != "MAX" && kind != "AVE") fail("pool is ", kind, "; MAX and AVE are supported");
    if (round != "CEIL" && round != "FLOOR") fail("round_mode is ", round, "; CEIL and FLOOR are known");
    layer::pooling const common{.kind = kind == "MAX" ? layer::pool::maximum : layer::pool::average,
                                .edge = round == "CEIL" ? layer::rounding::ceil : layer::rounding::floor};
    layer::pooling result = common;
    if (truth(p, "global_pooling", false)) {
      result.global = true;
      return result;
    }
    result.kernel = extent(p, "kernel_size", "kernel", 0);
    result.stride = extent(p, "stride", "stride", 1);
    result.padding = extent(p, "pad", "pad", 0);
    return result;
  }

  text_message const& net_;
  graph graph_;
  std::map<std::string, std::string> tops_;  // which node makes a top; empty: it is the image
};

}  // namespace detail

/// The architecture in a Caffe deploy file (prototxt), layers of both generations; weights come from a caffemodel of the same names.
///
/// Such files do not say how images are prepared (mean, scale, order of channels): set `prepare` of the result. Layers for training only
/// are left out; `input` (channels, height, width) is for files that do not say it, and takes precedence. Errors name the file and the
/// layer: a type or option that is not supported, a name that nothing makes, text that is not a prototxt.
[[nodiscard]] inline graph read_prototxt(std::filesystem::path const& path, image_shape const& input = {}) {
  std::string const text = detail::read_file(path, std::uintmax_t{1} << 24);
  try {
    return detail::prototxt_reader(detail::text_parser(text).parse()).read(input);
  } catch (error const& e) {
    detail::fail(path.string(), ": ", e.what());
  }
}

}  // namespace pareidolia
