// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pareidolia {

/// The layers a graph is made of. Symbols: input (C, H, W), output (C', H', W').
namespace layer {

using extent = std::array<std::size_t, 2>;  ///< (height, width)

/// Cross-correlation, as networks mean it: y(o, i, j) = b(o) + sum_{c, u, v} w(o, c, u, v) x(c, s i + u - p, s j + v - p).
/// H' = floor((H + 2 p - k) / s) + 1. With g groups, outputs [o C'/g, (o + 1) C'/g) see only channels [o C/g, (o + 1) C/g).
struct convolution {
  std::size_t outputs = 0;
  extent kernel{1, 1}, stride{1, 1}, padding{0, 0};
  std::size_t groups = 1;
  bool bias = true;
  friend bool operator==(convolution const&, convolution const&) = default;
};

/// y = W x + b over the flattened input.
struct inner_product {
  std::size_t outputs = 0;
  bool bias = true;
  friend bool operator==(inner_product const&, inner_product const&) = default;
};

/// Which windows at the far edge count: Caffe's rule H' = ceil((H + 2 p - k) / s) + 1, less one if the last window would start beyond the
/// input and its leading padding; or H' = floor((H + 2 p - k) / s) + 1.
enum class rounding { ceil, floor };
enum class pool { maximum, average };

/// Largest or mean value of each window. The mean divides by the part of the window inside the padded input, as Caffe's does, or, with
/// count_padding = false, by the part inside the input. `global`: one window, the whole input; kernel, stride and padding do not matter.
struct pooling {
  pool kind = pool::maximum;
  extent kernel{1, 1}, stride{1, 1}, padding{0, 0};
  rounding edge = rounding::ceil;
  bool count_padding = true;
  bool global = false;
  friend bool operator==(pooling const&, pooling const&) = default;
};

/// Elementwise: x for x > 0, else slope x (ReLU, leaky with slope > 0); 1 / (1 + exp(-x)); or tanh(x). Only relu has a slope, >= 0.
enum class function { relu, sigmoid, tanh };
struct activation {
  function kind = function::relu;
  float slope = 0;
  friend bool operator==(activation const&, activation const&) = default;
};

/// min(max(x, low), high), elementwise; ReLU6 as it stands. The derivative is 1 inside and 0 outside and at the limits.
struct clip {
  float low = 0, high = 6;
  friend bool operator==(clip const&, clip const&) = default;
};

/// y_c = w_c x_c + b_c for each channel.
struct scale {
  bool bias = true;
  friend bool operator==(scale const&, scale const&) = default;
};

/// Batch normalisation as trained networks use it: y_c = w_c (x_c - m_c) / sqrt(v_c + epsilon) + b_c, with the running mean m and variance
/// v of the training; w = 1 and b = 0 if not affine. Parameters: weight, bias, running_mean, running_var. Engines never meet it: fold()
/// makes it part of the layer before it, or a scale.
struct batch_normalization {
  float epsilon = 1e-5f;
  bool affine = true;
  friend bool operator==(batch_normalization const&, batch_normalization const&) = default;
};

/// The identity: networks are run as they are used, not as they are trained.
struct dropout {
  friend bool operator==(dropout const&, dropout const&) = default;
};

/// exp(x_c) / sum_c' exp(x_c') over the channels of each position.
struct softmax {
  friend bool operator==(softmax const&, softmax const&) = default;
};

/// Local response normalisation (Krizhevsky et al. 2012, as Caffe scales it), with h = (size - 1) / 2 and size odd. Across channels:
///   y_c = x_c (k + alpha / size sum_{c'} x_c'^2)^-beta, c' from c - h to c + h;
/// within each channel, over a square of positions:
///   y_ij = x_ij (k + alpha / size^2 sum_{i', j'} x_i'j'^2)^-beta, i' from i - h to i + h, j' likewise.
enum class region { across_channels, within_channel };
struct lrn {
  std::size_t size = 5;
  float alpha = 1e-4f, beta = .75f, k = 1;
  region over = region::across_channels;
  friend bool operator==(lrn const&, lrn const&) = default;
};

/// The channels of all inputs, one input after the other; they have equal height and width.
struct concat {
  friend bool operator==(concat const&, concat const&) = default;
};

/// The elementwise sum of all inputs, which have equal shapes.
struct sum {
  friend bool operator==(sum const&, sum const&) = default;
};

/// Zeros around each channel.
struct padding {
  std::size_t top = 0, left = 0, bottom = 0, right = 0;
  friend bool operator==(padding const&, padding const&) = default;
};

/// (C, H, W) as (C H W, 1, 1), row-major.
struct flatten {
  friend bool operator==(flatten const&, flatten const&) = default;
};

/// The same values, row-major, as another shape of as many.
struct reshape {
  image_shape shape{};
  friend bool operator==(reshape const&, reshape const&) = default;
};

using operation = std::variant<convolution, inner_product, pooling, activation, dropout, softmax, lrn, concat, sum, clip, scale,
                               batch_normalization, padding, flatten, reshape>;

}  // namespace layer

/// One layer of a graph. `inputs` names the layers it reads; empty: the one before it, or the image for the first.
struct node {
  std::string name;
  layer::operation what;
  std::vector<std::string> inputs = {};
};

/// In which order a network wants the channels of a colour image, which are red, green, blue everywhere else.
enum class channel_order { rgb, bgr };

/// What the network sees of an image x in [0, 1]: z = (scale x - mean) / deviation, in its order of channels. `mean`, in that order too,
/// has one value, one per channel, one per pixel, or none (0); `deviation` one per channel, or none (1).
struct preprocessing {
  float scale = 1;
  std::vector<float> mean = {};
  channel_order order = channel_order::rgb;
  std::vector<float> deviation = {};
};

/// A network as data: layers in an order in which each comes after its input; the last one gives the scores.
struct graph {
  std::string name;
  image_shape input{};
  preprocessing prepare = {};
  std::vector<node> nodes = {};
  std::vector<std::string> labels = {};  ///< what each score stands for; empty if not known
};

/// One parameter array of a graph: its name (layer.weight, layer.bias), shape, and place in the flat vector of all parameters.
struct parameter_slot {
  std::string name;
  std::vector<std::size_t> shape;
  std::size_t offset = 0, size = 0;
};

/// A graph with everything that follows from it.
struct planned_graph {
  graph source;
  std::vector<std::vector<std::size_t>> inputs;  ///< for each node, the indices of the nodes it reads; `image` for the image
  std::vector<image_shape> in, out;              ///< for each node, shapes of its first input and of its output
  std::vector<parameter_slot> slots;             ///< in order of the nodes, weight before bias
  std::vector<std::size_t> first_slot;           ///< for each node, its first slot
  std::size_t parameters = 0;                    ///< size of the flat vector
  static constexpr std::size_t image = static_cast<std::size_t>(-1);

  /// Shape of what node `k` gives, or of the image.
  [[nodiscard]] image_shape const& shape_of(std::size_t k) const { return k == image ? source.input : out[k]; }

  /// For each node, how many reads of it the scores and the `watched` nodes depend on; 0 for what they do not depend on. To be the last or
  /// to be watched counts as being read.
  [[nodiscard]] std::vector<std::size_t> readers(std::vector<std::size_t> const& watched = {}) const {
    std::vector<std::size_t> count(out.size());
    count.back() = 1;
    for (std::size_t k : watched) ++count[k];
    for (std::size_t k = out.size(); k-- > 0;)
      if (count[k] > 0)
        for (std::size_t from : inputs[k])
          if (from != image) ++count[from];
    return count;
  }
};

namespace detail {

inline std::string to_text(std::vector<std::size_t> const& shape) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + ")";
}
inline std::string to_text(image_shape const& s) { return to_text(std::vector<std::size_t>(s.begin(), s.end())); }

/// Sizes a graph may have: no layer, array or network of this field comes near, and products of them stay far from overflow.
constexpr std::size_t largest_extent = std::size_t{1} << 24, largest_array = std::size_t{1} << 36;

inline std::size_t checked_product(std::vector<std::size_t> const& extents) {
  std::size_t product = 1;
  for (std::size_t const e : extents) {
    if (e > largest_array || (e > 0 && product > largest_array / e)) fail("an array of shape ", to_text(extents), " is too large");
    product *= e;
  }
  return product;
}
inline std::size_t checked_product(image_shape const& s) { return checked_product(std::vector<std::size_t>(s.begin(), s.end())); }

/// Windows of size k at stride s over an extent n padded by p on both sides.
inline std::size_t window_count(std::size_t n, std::size_t k, std::size_t s, std::size_t p, layer::rounding edge) {
  if (edge == layer::rounding::floor) return (n + 2 * p - k) / s + 1;
  std::size_t count = (n + 2 * p - k + s - 1) / s + 1;
  if ((count - 1) * s >= n + p) --count;
  return count;
}

/// The pooling layer with its window spelled out.
inline layer::pooling resolved(layer::pooling p, image_shape const& in) {
  if (p.global) {
    p.kernel = {in[1], in[2]};
    p.stride = {1, 1};
    p.padding = {0, 0};
  }
  return p;
}

/// Shapes and parameters of one node; the operators throw a sentence without the layer's name, plan() adds it.
struct infer {
  image_shape in;                // of the first input
  std::vector<image_shape> all;  // of every input

  void window(layer::extent kernel, layer::extent stride, layer::extent padding) const {
    for (std::size_t d : {0u, 1u}) {
      if (std::max({kernel[d], stride[d], padding[d]}) > largest_extent)
        fail("kernel, stride and padding must be at most ", largest_extent);
      if (kernel[d] == 0 || stride[d] == 0) fail("kernel and stride must be at least 1");
      if (padding[d] >= kernel[d]) fail("padding must be smaller than the kernel");
      if (kernel[d] > in[1 + d] + 2 * padding[d]) fail("the kernel is larger than its padded input ", to_text(in));
    }
  }

  image_shape operator()(layer::convolution const& c) const {
    window(c.kernel, c.stride, c.padding);
    if (c.outputs == 0) fail("outputs must be at least 1");
    if (c.groups == 0 || in[0] % c.groups || c.outputs % c.groups)
      fail(c.groups, " groups do not divide ", in[0], " input and ", c.outputs, " output channels");
    return {c.outputs, window_count(in[1], c.kernel[0], c.stride[0], c.padding[0], layer::rounding::floor),
            window_count(in[2], c.kernel[1], c.stride[1], c.padding[1], layer::rounding::floor)};
  }
  image_shape operator()(layer::inner_product const& p) const {
    if (p.outputs == 0) fail("outputs must be at least 1");
    return {p.outputs, 1, 1};
  }
  image_shape operator()(layer::pooling const& given) const {
    auto const p = resolved(given, in);
    window(p.kernel, p.stride, p.padding);
    return {in[0], window_count(in[1], p.kernel[0], p.stride[0], p.padding[0], p.edge),
            window_count(in[2], p.kernel[1], p.stride[1], p.padding[1], p.edge)};
  }
  image_shape operator()(layer::activation const& a) const {
    if (!(a.slope >= 0 && a.slope <= std::numeric_limits<float>::max())) fail("slope is ", a.slope, "; it must be a number from 0");
    if (a.slope != 0 && a.kind != layer::function::relu) fail("slope is ", a.slope, "; only relu has one");
    return in;
  }
  image_shape operator()(layer::clip const& c) const {
    if (!(c.low < c.high)) fail("it clips to ", c.low, " .. ", c.high, "; low must be below high");
    return in;
  }
  image_shape operator()(layer::scale const&) const { return in; }
  image_shape operator()(layer::batch_normalization const& b) const {
    if (!(b.epsilon > 0 && b.epsilon < 1)) fail("epsilon is ", b.epsilon, "; it must be between 0 and 1");
    return in;
  }
  image_shape operator()(layer::padding const& p) const {
    if (std::max({p.top, p.left, p.bottom, p.right}) > largest_extent) fail("padding must be at most ", largest_extent);
    return {in[0], p.top + in[1] + p.bottom, p.left + in[2] + p.right};
  }
  image_shape operator()(layer::flatten const&) const { return {in[0] * in[1] * in[2], 1, 1}; }
  image_shape operator()(layer::reshape const& r) const {
    if (checked_product(r.shape) != checked_product(in)) fail("the input ", to_text(in), " has no shape ", to_text(r.shape));
    return r.shape;
  }
  image_shape operator()(layer::dropout const&) const { return in; }
  image_shape operator()(layer::softmax const&) const { return in; }
  image_shape operator()(layer::lrn const& n) const {
    if (n.size % 2 == 0 || n.size > largest_extent) fail("size is ", n.size, "; it must be odd and at most ", largest_extent);
    return in;
  }
  image_shape operator()(layer::concat const&) const {
    image_shape out = in;
    out[0] = 0;
    for (image_shape const& s : all) {
      if (s[1] != in[1] || s[2] != in[2]) fail("the inputs ", to_text(in), " and ", to_text(s), " differ in height or width");
      out[0] += s[0];
    }
    return out;
  }
  image_shape operator()(layer::sum const&) const {
    for (image_shape const& s : all)
      if (s != in) fail("the inputs ", to_text(in), " and ", to_text(s), " differ in shape");
    return in;
  }

  /// Name and shape of each parameter array.
  using arrays = std::vector<std::pair<std::string, std::vector<std::size_t>>>;
  static arrays weight(std::vector<std::size_t> shape, bool bias) {
    std::size_t const outputs = shape.front();
    arrays a{{"weight", std::move(shape)}};
    if (bias) a.push_back({"bias", {outputs}});
    return a;
  }
  arrays parameters(layer::convolution const& c) const { return weight({c.outputs, in[0] / c.groups, c.kernel[0], c.kernel[1]}, c.bias); }
  arrays parameters(layer::inner_product const& p) const { return weight({p.outputs, in[0] * in[1] * in[2]}, p.bias); }
  arrays parameters(layer::scale const& s) const { return weight({in[0]}, s.bias); }
  arrays parameters(layer::batch_normalization const& b) const {
    arrays a = b.affine ? weight({in[0]}, true) : arrays{};
    a.push_back({"running_mean", {in[0]}});
    a.push_back({"running_var", {in[0]}});
    return a;
  }
  template <class Layer>
  arrays parameters(Layer const&) const {
    return {};
  }
};

}  // namespace detail

/// Checks a graph and infers its shapes and parameters.
///
/// Errors: an empty graph or image, a duplicate or missing name, an unknown input, a window that does not fit, a mean of the wrong length.
[[nodiscard]] inline planned_graph plan(graph g) {
  std::string const where = "graph '" + g.name + "': ";
  if (g.nodes.empty()) detail::fail(where, "it has no layers");
  if (std::max({g.input[0], g.input[1], g.input[2]}) > detail::largest_extent ||
      g.input[0] * g.input[1] > detail::largest_array / std::max<std::size_t>(g.input[2], 1))
    detail::fail(where, "the input shape ", detail::to_text(g.input), " is too large");
  std::size_t const pixels = g.input[0] * g.input[1] * g.input[2];
  if (pixels == 0) detail::fail(where, "the input shape ", detail::to_text(g.input), " is empty");
  if (g.prepare.order == channel_order::bgr && g.input[0] != 3)
    detail::fail(where, "blue, green, red is an order of 3 channels, not of ", g.input[0]);
  if (std::size_t const m = g.prepare.mean.size(); m > 1 && m != g.input[0] && m != pixels)
    detail::fail(where, "the mean has ", m, " values; give 1, ", g.input[0], " (one per channel) or ", pixels, " (one per pixel)");

  auto const& deviation = g.prepare.deviation;
  if (!deviation.empty() && deviation.size() != g.input[0])
    detail::fail(where, "the deviation has ", deviation.size(), " values; give ", g.input[0], ", one per channel, or none");
  if (std::any_of(deviation.begin(), deviation.end(), [](float d) { return !(d > 0); }))
    detail::fail(where, "every deviation must be above 0");

  planned_graph result;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    node const& n = g.nodes[i];
    if (n.name.empty()) detail::fail(where, "layer ", i, " has no name");
    std::vector<std::size_t> from;
    for (std::string const& input : n.inputs) {
      auto const found = known.find(input);
      if (found == known.end()) detail::fail(where, "layer '", n.name, "' reads '", input, "', which is no earlier layer");
      from.push_back(found->second);
    }
    if (from.empty()) from.push_back(i == 0 ? planned_graph::image : i - 1);
    if (from.size() > 1 && !std::holds_alternative<layer::concat>(n.what) && !std::holds_alternative<layer::sum>(n.what))
      detail::fail(where, "layer '", n.name, "' reads ", from.size(), " layers; its kind reads one");
    if (!known.emplace(n.name, i).second) detail::fail(where, "two layers are named '", n.name, "'");

    detail::infer infer{};
    for (std::size_t k : from) infer.all.push_back(k == planned_graph::image ? g.input : result.out[k]);
    infer.in = infer.all.front();
    try {
      result.out.push_back(std::visit(infer, n.what));
      if (detail::checked_product(result.out.back()) == 0) detail::fail("its output ", detail::to_text(result.out.back()), " is empty");
      result.first_slot.push_back(result.slots.size());
      for (auto const& [array, shape] : std::visit([&](auto const& what) { return infer.parameters(what); }, n.what)) {
        std::size_t const size = detail::checked_product(shape);
        if (size > detail::largest_array - result.parameters) detail::fail("the network has too many parameters");
        result.slots.push_back({n.name + "." + array, shape, result.parameters, size});
        result.parameters += size;
      }
    } catch (error const& e) {
      detail::fail(where, "layer '", n.name, "': ", e.what());
    }
    result.inputs.push_back(std::move(from));
    result.in.push_back(infer.in);
  }
  if (!g.labels.empty() && g.labels.size() != detail::checked_product(result.out.back()))
    detail::fail(where, g.labels.size(), " labels for ", detail::checked_product(result.out.back()), " scores");
  result.source = std::move(g);
  return result;
}

namespace detail {

/// The place of node k among the watched ones.
inline std::size_t watched_index(std::string_view engine, planned_graph const& g, std::vector<std::size_t> const& watched, std::size_t k) {
  auto const found = std::find(watched.begin(), watched.end(), k);
  if (found == watched.end())
    fail(engine, ": layer '", k < g.out.size() ? g.source.nodes[k].name : "", "' is not watched; name it when the plan is made");
  return static_cast<std::size_t>(found - watched.begin());
}

}  // namespace detail

/// Multiplications of one forward pass of one image, in convolutions and inner products.
[[nodiscard]] inline std::size_t multiplications(planned_graph const& g) {
  std::size_t total = 0;
  for (std::size_t k = 0; k < g.out.size(); ++k) {
    auto const& what = g.source.nodes[k].what;
    if (std::holds_alternative<layer::convolution>(what) || std::holds_alternative<layer::inner_product>(what))
      total += g.slots[g.first_slot[k]].size * g.out[k][1] * g.out[k][2];
  }
  return total;
}

}  // namespace pareidolia
