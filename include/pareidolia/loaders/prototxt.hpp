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
#include <variant>
#include <vector>

namespace pareidolia {
namespace detail {

/// Turns the layers of a Caffe network, of both generations, into a graph.
class prototxt_reader {
 public:
  explicit prototxt_reader(text_message const& net) : net_(net) { graph_.name = net.one("name", "network"); }

  graph read(image_shape const& input) {
    check_sizes(net_);
    auto const is_layer = [](auto const& f) { return (f.name == "layer" || f.name == "layers") && f.message; };
    auto const layers = static_cast<std::size_t>(std::count_if(net_.fields.begin(), net_.fields.end(), is_layer));
    if (layers > most_layers) fail("it has ", layers, " layers; at most ", most_layers, " are read");
    graph_.nodes.reserve(layers);
    shapes_.reserve(layers);
    graph_.input = input;
    for (auto const& name : net_.all("input")) tops_[name] = planned_graph::image;
    if (auto const sizes = net_.all("input_dim"); !sizes.empty()) take_input(sizes);
    if (auto const sizes = net_.child("input_shape").all("dim"); !sizes.empty()) take_input(sizes);
    for (auto const& f : net_.fields)
      if (is_layer(f)) take(*f.message);
    if (graph_.nodes.empty()) fail("no layer in it computes anything");
    return std::move(graph_);
  }

 private:
  // What keeps a hostile file from making a graph, or a sentence, that is much larger than the file.
  static constexpr std::size_t most_layers = 1536, most_values = 256, longest_text = 128;

  static void check_sizes(text_message const& m) {
    std::size_t values = 0;
    for (auto const& f : m.fields) {
      if (std::max(f.name.size(), f.scalar.size()) > longest_text)
        fail("line ", m.line, ": a name or value in this message has more than ", longest_text, " characters");
      if (f.message)
        check_sizes(*f.message);
      else if (++values > most_values)
        fail("line ", m.line, ": this message has more than ", most_values, " values; weights are read from caffemodels");
    }
  }

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
      for (auto const& top : tops) tops_[top] = planned_graph::image;
      if (auto const sizes = m.child("input_param").child("shape").all("dim"); !sizes.empty()) take_input(sizes);
      return;
    }
    std::vector<std::size_t> from;
    for (auto const& bottom : bottoms) {
      auto const found = tops_.find(bottom);
      if (found == tops_.end()) fail("layer '", name, "' reads '", bottom, "', which nothing before it makes");
      from.push_back(found->second);
    }
    std::string const plain = plain_type(type);
    if (plain == "silence") return;
    if (plain == "split") {
      for (auto const& top : tops) tops_[top] = from.front();
      return;
    }
    if (graph_.input == image_shape{}) fail("it does not say the shape of its input; pass it as the second argument");
    try {
      if (tops.size() != 1) fail("it has ", tops.size(), " tops; one is wanted");
      static_cast<void>(checked_product(graph_.input));
      add(name, operation(plain, m, shape_of(from.front())), from);
      tops_[tops.front()] = graph_.nodes.size() - 1;
    } catch (error const& e) {
      fail("layer '", name, "' of type '", type, "' (line ", m.line, "): ", e.what());
    }
  }

  [[nodiscard]] image_shape const& shape_of(std::size_t k) const { return k == planned_graph::image ? graph_.input : shapes_[k]; }

  void add(std::string const& name, layer::operation what, std::vector<std::size_t> from) {
    // The image has no name in a graph: only the first layer can read it.
    if (std::count(from.begin(), from.end(), planned_graph::image) != 0 && (from.size() > 1 || !shapes_.empty()))
      fail("it reads the image beside or behind other layers; only the first layer may read it");
    if (auto* const c = std::get_if<layer::convolution>(&what); c && pads_by_its_kernel(*c)) {
      auto const [vertical, horizontal] = std::exchange(c->padding, {});
      add(name + "/pad", layer::padding{vertical, horizontal, vertical, horizontal}, std::move(from));
      from = {shapes_.size() - 1};
    }
    infer shapes{.in = shape_of(from.front()), .all = {}};
    node n{name, std::move(what), {}};
    for (std::size_t const k : from) {
      shapes.all.push_back(shape_of(k));
      if (k != planned_graph::image && (from.size() > 1 || k + 1 != shapes_.size())) n.inputs.push_back(graph_.nodes[k].name);
    }
    shapes_.push_back(std::visit(shapes, n.what));
    static_cast<void>(checked_product(shapes_.back()));
    graph_.nodes.push_back(std::move(n));
  }

  /// Caffe pads by any width; in a graph a kernel is larger than its padding.
  static bool pads_by_its_kernel(layer::convolution const& c) {
    return (c.padding[0] > 0 && c.padding[0] >= c.kernel[0]) || (c.padding[1] > 0 && c.padding[1] >= c.kernel[1]);
  }

  static layer::operation operation(std::string const& type, text_message const& m, image_shape const& in) {
    if (type == "convolution") return convolution(m.child("convolution_param"));
    if (type == "innerproduct") {
      auto const& p = m.child("inner_product_param");
      return layer::inner_product{.outputs = number(p, "num_output", 0), .bias = truth(p, "bias_term", true)};
    }
    if (type == "pooling") return pooling(m.child("pooling_param"));
    if (type == "relu") return layer::activation{.slope = real(m.child("relu_param"), "negative_slope", 0)};
    if (type == "sigmoid") return layer::activation{layer::function::sigmoid};
    if (type == "tanh") return layer::activation{layer::function::tanh};
    if (type == "dropout") return layer::dropout{};
    if (type == "softmax") return layer::softmax{};
    if (type == "lrn") {
      auto const& p = m.child("lrn_param");
      auto const region = p.one("norm_region", "ACROSS_CHANNELS");
      if (region != "ACROSS_CHANNELS" && region != "WITHIN_CHANNEL")
        fail("norm_region is ", region, "; ACROSS_CHANNELS and WITHIN_CHANNEL are known");
      layer::lrn n{.size = number(p, "local_size", 5), .alpha = real(p, "alpha", 1), .beta = real(p, "beta", .75f), .k = real(p, "k", 1)};
      if (region == "WITHIN_CHANNEL") {
        n.over = layer::region::within_channel;
        n.k = 1;  // whatever it says
      }
      return n;
    }
    if (type == "batchnorm") return layer::batch_normalization{.epsilon = real(m.child("batch_norm_param"), "eps", 1e-5f), .affine = false};
    if (type == "scale") {
      auto const& p = m.child("scale_param");
      if (m.all("bottom").size() != 1) fail("only a scale with parameters of its own is supported, which has one bottom");
      if (p.one("axis", "1") != "1" || p.one("num_axes", "1") != "1") fail("only channels (axis 1, num_axes 1) can be scaled");
      return layer::scale{.bias = truth(p, "bias_term", false)};
    }
    if (type == "flatten") {
      auto const& p = m.child("flatten_param");
      if (p.one("axis", "1") != "1" || (p.one("end_axis", "-1") != "-1" && p.one("end_axis") != "3"))
        fail("only all axes of an image (axis 1, end_axis -1) can be flattened");
      return layer::flatten{};
    }
    if (type == "reshape") return reshape(m.child("reshape_param"), in);
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

  /// Each dim is an extent, 0 for that of the input, or -1, at most once, for what remains; images stay apart.
  static layer::reshape reshape(text_message const& p, image_shape const& in) {
    auto dims = p.child("shape").all("dim");
    if (p.one("axis", "0") == "1" && p.one("num_axes", "-1") == "-1") {
      dims.insert(dims.begin(), "0");
    } else if (p.one("axis", "0") != "0" || p.one("num_axes", "-1") != "-1") {
      fail("axis must be 0 or 1 and num_axes -1");
    }
    if (dims.size() < 2 || dims.size() > 4) fail("it has ", dims.size(), " dims; 2 to 4 are wanted (count, channels, height, width)");
    image_shape shape{1, 1, 1};
    std::size_t rest = checked_product(in), open = shape.size();
    for (std::size_t d = 0; d + 1 < dims.size(); ++d) {
      auto const& dim = dims[d + 1];
      if (dim == "-1") {
        if (open < shape.size()) fail("more than one dim is -1");
        open = d;
        continue;
      }
      shape[d] = dim == "0" ? in[d] : to_number(dim, "dim");
      if (shape[d] == 0 || rest % shape[d] != 0) fail("the input ", to_text(in), " cannot be reshaped to it");
      rest /= shape[d];
    }
    if (open < shape.size()) shape[open] = rest;
    if (dims[0] != "0" && (dims[0] != "-1" || open < shape.size())) fail("the first dim, the count of images, must be 0");
    return {shape};
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
  std::map<std::string, std::size_t> tops_;  // the node that makes it, or the image
  std::vector<image_shape> shapes_;          // of what each node gives
};

}  // namespace detail

/// The architecture in a Caffe deploy file (prototxt), layers of both generations; weights come from a caffemodel of the same names.
///
/// A BatchNorm is a normalisation without weight and bias, which the Scale behind it has; a convolution padded by its kernel or more
/// becomes a padding named name/pad and a convolution. Layers for training only are left out. Such files do not say how images are prepared
/// (mean, scale, order of channels): set `prepare` of the result. `input` (channels, height, width) is for files that do not say it, and
/// takes precedence. At most 1536 layers are read, of names up to 128 characters. Errors name the file and the layer: a type or option that
/// is not supported, a window that does not fit, a name that nothing makes, text that is not a prototxt.
[[nodiscard]] inline graph read_prototxt(std::filesystem::path const& path, image_shape const& input = {}) {
  std::string const text = detail::read_file(path, std::uintmax_t{1} << 24);
  try {
    return detail::prototxt_reader(detail::text_parser(text).parse()).read(input);
  } catch (error const& e) {
    detail::fail(path.string(), ": ", e.what());
  }
}

}  // namespace pareidolia
