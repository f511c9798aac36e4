// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/device/filters.hpp>
#include <pareidolia/core/device/rows.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/cuda_layers.hpp>
#include <pareidolia/detail/cuda_program.hpp>
#include <pareidolia/detail/cuda_transfers.hpp>
#include <pareidolia/detail/preprocess.hpp>
#include <pareidolia/encodings/device/cppn.hpp>
#include <pareidolia/encodings/device/patch.hpp>
#include <pareidolia/encodings/device/pixels.hpp>
#include <pareidolia/engine.hpp>
#include <pareidolia/models/parameters.hpp>
#include <pareidolia/objectives/device/class_probability.hpp>
#include <pareidolia/objectives/device/cross_entropy.hpp>
#include <pareidolia/objectives/device/distortion.hpp>
#include <pareidolia/objectives/device/logit.hpp>
#include <pareidolia/objectives/device/margin.hpp>
#include <pareidolia/objectives/device/misclassification.hpp>
#include <pareidolia/objectives/device/opposite.hpp>
#include <pareidolia/objectives/device/total_variation.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// What a device computes in. All sums are float; images, scores, gradients and parameters are floats to the outside.
///
/// With 16 bits, images (once prepared), weights, activations and their gradients are rounded to them from layer to layer, which halves
/// what has to be read and written; parameters are kept as floats besides. Scores, and what they are made of without another product, are
/// floats; a convolution at the end is rounded once, and so are gradients of a convolution's weights.
///
/// On SqueezeNet v1.1, scores are off by 5e-3 in bf16 and 4e-4 in fp16 (L2, relative to fp32), gradients of the image by 0.24 and 0.08,
/// and 7 and 2 % of their signs differ: mostly where a ReLU or a maximum is at a near-tie.
///
/// fp16 has no gradients below 2^-24. So each image's seed is multiplied by the power of two that brings its largest value to 2^8, and its
/// gradient by the inverse, in float: neither depends on the size of the seed, nor on the other images. For gradients of parameters, to
/// which all images add, it is one power for all, less the logarithm of their number. An overflow on the way, 2^8 times the seed's largest
/// value, gives infinities and no error; bf16 has the range of float and needs none of this.
enum class arithmetic : std::uint8_t {
  fp32,  ///< products of floats: the same scores as the CPU's up to rounding
  tf32,  ///< products on tensor cores, of factors rounded to 10 bits: several times faster; scores differ in the third or fourth digit
  bf16,  ///< products of bfloat16 on tensor cores: 8 bits, the range of float
  fp16,  ///< products of IEEE's binary16 on tensor cores: 11 bits, up to 65504
};

/// The engine of NVIDIA's GPUs, Ampere and newer: cuDNN 9, cuBLASLt, and kernels that NVRTC compiles for the device found.
///
/// Plans of convolutions are chosen by cuDNN's heuristics among those that add in the same order every time, where there are such. Chosen
/// plans and compiled kernels are kept in pareidolia/ in XDG_CACHE_HOME, else ~/.cache, for the next program.
/// Everything that a thread asks for is done in order on its own stream; calls return before the device has finished. Memory of a plan: its
/// parameters' and one arena, in which arrays that are not alive together share places; no call allocates once a batch size has been seen.
/// From its second run on, the work of a batch size is a CUDA graph, started as a whole.
///
/// Errors: no device or driver, a device before Ampere, a cuDNN before 9.8, too little device memory (what was asked for, what is free, how
/// many images would fit).
struct cuda_engine {
  arithmetic compute = arithmetic::fp32;
  bool timed = false;  ///< convolutions are chosen by the clock when a plan is first made, not by cuDNN's heuristics; machines may differ

  using scalar = float;
  static constexpr space memory = space::device;
  using parameters = detail::cuda::device_parameters;
  class plan;

  [[nodiscard]] parameters load(graph const& g, weights const& w) const { return {g, w}; }
  [[nodiscard]] plan compile(parameters const& p, std::size_t n, std::vector<std::size_t> watched = {}) const;
};

/// A network compiled for batches of up to n images. All views are of device memory.
///
/// The first backward through a plan compiles it anew, to keep what backward needs, and repeats the last forward once.
class cuda_engine::plan {
 public:
  /// `watched`: nodes whose activations can be read after each forward.
  plan(cuda_engine const& options, parameters const& p, std::size_t n, std::vector<std::size_t> watched)
      : parameters_(p.contents()),
        capacity_(n),
        unscale_(options.compute == arithmetic::fp16 ? n * sizeof(float) : 0, "the scales of gradients") {
    request_.tensor_cores = options.compute != arithmetic::fp32;
    request_.stored = stored_in(options.compute);
    request_.timed = options.timed;
    request_.watched = std::move(watched);
    std::size_t const image = size_of(graph().input) * detail::cuda::bytes(stored_in(options.compute));
    input_ = detail::cuda::buffer(n * image, "a batch of images", [&](std::size_t free) {
      try {
        return advice(free, image + program_for(1).arena.size);
      } catch (error const&) {
        return std::string("prepare the network for a smaller batch");
      }
    });
    mean_ = on_device(graph().prepare.mean);
    std::vector<float> inverse;
    for (std::size_t c = 0; c < graph().prepare.deviation.size(); ++c) inverse.push_back(detail::precision<float>(graph().prepare, c));
    inverse_deviation_ = on_device(inverse);
  }

  void forward(view<float const, 4, space::device> x, view<float, 2, space::device> y) {
    check(x, y);
    arrange(x.shape[0]);
    auto const& prepare = graph().prepare;
    kernels(request_.stored)
        .launch("preprocess", x.size(), x.data, input_.as<void>(), prepare.scale, mean_.as<float const>(),
                detail::cuda::kernel_count(prepare.mean.size()), inverse_deviation_.as<float const>(), reversed(),
                detail::cuda::kernel_count(x.size()), detail::cuda::kernel_count(x.shape[1]),
                detail::cuda::kernel_count(x.shape[2] * x.shape[3]));
    current_->run(0, code().forward);
    give(code().scores, y.data, planned().out.back());
  }

  /// The activations of node k, a watched one, in the last forward: to (count, channels, height, width).
  void activation(std::size_t k, view<float, 4, space::device> to) const {
    std::size_t const i = detail::watched_index("cuda engine", planned(), request_.watched, k);
    if (count() != to.shape[0]) detail::fail("cuda engine: activations of ", to.shape[0], " images after a forward of ", count());
    give(code().watched[i], to.data, planned().out[k]);
  }

  void backward(view<float const, 2, space::device> dy, view<float, 4, space::device> dx) {
    ready(true, request_.weights, dy.shape[0]);
    take_seed(dy.data, count(), largest_seed);
    current_->run(code().forward, code().input);
    kernels(request_.stored)
        .launch("preprocess_backward", dx.size(), current_->data(code().input_gradient), dx.data, graph().prepare.scale,
                inverse_deviation_.as<float const>(), unscale_.as<float const>(), reversed(), detail::cuda::kernel_count(dx.size()),
                detail::cuda::kernel_count(dx.shape[1]), detail::cuda::kernel_count(dx.shape[2] * dx.shape[3]));
  }

  /// dtheta, in host memory, is what a write() of the parameters takes.
  void backward_weights(view<float const, 2, space::device> dy, std::span<float> dtheta) {
    if (dtheta.size() != planned().parameters)
      detail::fail("cuda engine: room for ", dtheta.size(), " gradients; the network has ", planned().parameters, " parameters");
    ready(request_.input, true, dy.shape[0]);
    take_seed(dy.data, 1, largest_seed - static_cast<int>(std::bit_width(count() - 1)));  // gradients of all images are added
    current_->run(code().input, code().weights);
    std::fill(dtheta.begin(), dtheta.end(), 0.f);
    for (auto const& [slot, value] : code().gradients) {
      auto const& place = planned().slots[slot];
      auto* const gradient = static_cast<float*>(current_->data(value));
      if (scaled())
        kernels().launch("scale_channels", place.size, gradient, unscale_.as<float const>(), static_cast<float const*>(nullptr), gradient,
                         1.f, detail::cuda::kernel_count(place.size), 1u);
      detail::cuda::download(static_cast<float const*>(gradient), dtheta.subspan(place.offset, place.size));
    }
  }

 private:
  static constexpr std::size_t programs_kept = 8;
  static constexpr int largest_seed = 8;  // the power of two to which fp16 scales the largest value of a seed

  struct compiled {
    std::unique_ptr<detail::cuda::bound_program> program;
    std::size_t last_use = 0;
  };

  static std::size_t size_of(image_shape const& s) { return s[0] * s[1] * s[2]; }
  static detail::cuda::buffer on_device(std::vector<float> const& values) {
    detail::cuda::buffer result(values.size() * sizeof(float), "the mean of a network's images");
    if (!values.empty()) detail::cuda::upload(std::span<float const>(values), result.as<float>());
    detail::cuda::synchronize();
    return result;
  }
  using number = detail::cuda::number;
  static number stored_in(arithmetic a) {
    return a == arithmetic::bf16 ? number::bfloat16 : a == arithmetic::fp16 ? number::float16 : number::float32;
  }
  static detail::cuda::kernel_library const& kernels(number n = number::float32) {
    return detail::cuda::kernels<detail::cuda::elementwise_kernels>(n);
  }

  [[nodiscard]] planned_graph const& planned() const { return parameters_->plan(); }
  [[nodiscard]] pareidolia::graph const& graph() const { return planned().source; }
  [[nodiscard]] detail::cuda::program const& code() const { return current_->code(); }
  [[nodiscard]] std::size_t count() const { return current_ == nullptr ? 0 : code().count; }
  [[nodiscard]] int reversed() const { return graph().prepare.order == channel_order::bgr ? 1 : 0; }

  void check(view<float const, 4, space::device> x, view<float, 2, space::device> y) const {
    image_shape const& s = graph().input;
    if (x.shape[0] == 0 || x.shape[0] > capacity_)
      detail::fail("cuda engine: ", x.shape[0], " images given to a plan for 1 to ", capacity_, "; call prepare() with the largest batch");
    if (image_shape const given{x.shape[1], x.shape[2], x.shape[3]}; given != s)
      detail::fail("cuda engine: images of shape ", detail::to_text(given), " given to a network for ", detail::to_text(s));
    if (y.shape[0] != x.shape[0]) detail::fail("cuda engine: ", x.shape[0], " images but ", y.shape[0], " rows of scores");
  }

  /// Copies a value of count() images of a shape, channels last, to floats with the channels first.
  void give(std::size_t value, float* to, image_shape const& s) const { turn("to_float_nchw", type(value), current_->data(value), to, s); }
  /// Copies the seed into the program; in fp16, the largest value of each of its `parts` is scaled to 2^exponent, and unscale_ undoes that.
  void take_seed(float const* dy, std::size_t parts, int exponent) {
    auto* const seed = static_cast<float*>(current_->data(code().seed));
    turn("from_float_nchw", number::float32, dy, seed, planned().out.back());
    if (scaled())
      detail::cuda::kernels<detail::cuda::reduction_kernels>().launch_blocks(
          "scale_seeds", parts, seed, unscale_.as<float>(), exponent,
          detail::cuda::kernel_count(count() * size_of(planned().out.back()) / parts));
  }
  void turn(char const* kernel, number type, void const* from, void* to, image_shape const& s) const {
    std::size_t const size = count() * size_of(s);
    if (type == number::float32 && (s[0] == 1 || s[1] * s[2] == 1))
      detail::cuda::copy(static_cast<float const*>(from), static_cast<float*>(to), size);
    else
      kernels(type).launch(kernel, size, from, to, detail::cuda::kernel_count(size), detail::cuda::kernel_count(s[0]),
                           detail::cuda::kernel_count(s[1] * s[2]));
  }
  [[nodiscard]] number type(std::size_t value) const { return code().values[value].type; }
  [[nodiscard]] bool scaled() const { return unscale_.size() > 0; }

  [[nodiscard]] detail::cuda::program program_for(std::size_t n) const {
    auto request = request_;
    request.count = n;
    return detail::cuda::graph_compiler(*parameters_, std::move(request)).compile_graph();
  }

  /// What to do where this many bytes are free and an image takes `each`; with a margin, since workspaces need not shrink as batches do.
  [[nodiscard]] static std::string advice(std::size_t free, std::size_t each) {
    if (free < each) return "not even one image fits; free memory, or use cpu_engine";
    return detail::text("prepare the network for a smaller batch: ", std::max<std::size_t>(free / each * 15 / 16, 1), " images fit");
  }

  /// Makes a program for n images the current one.
  void arrange(std::size_t n) {
    current_ = nullptr;  // until it has memory
    compiled& work = programs_[n];
    work.last_use = ++now_;
    if (work.program == nullptr) {
      work.program = std::make_unique<detail::cuda::bound_program>(program_for(n));
      if (programs_.size() > programs_kept)
        programs_.erase(std::min_element(programs_.begin(), programs_.end(),
                                         [](auto const& a, auto const& b) { return a.second.last_use < b.second.last_use; }));
    }
    if (std::size_t const needed = work.program->code().arena.size; needed > arena_.size()) {
      detail::cuda::synchronize();  // what still runs in the old one
      arena_ = {};
      arena_ = detail::cuda::buffer(needed, "a batch's activations", [&](std::size_t free) {
        return advice(free + input_.size(), needed / n + input_.size() / capacity_);  // a smaller batch has fewer images, too
      });
    }
    current_ = work.program.get();
    current_->bind(arena_.data(), input_.data());
  }

  /// Makes the plan compute these gradients, repeating the last forward if what it left behind is not enough.
  void ready(bool input, bool weights, std::size_t n) {
    if (n == 0 || n != count()) detail::fail("cuda engine: backward of ", n, " images after a forward of ", count());
    if (input == request_.input && weights == request_.weights) return;
    request_.input = input;
    request_.weights = weights;
    current_ = nullptr;
    programs_.clear();
    arrange(n);
    current_->run(0, code().forward);
  }

  std::shared_ptr<parameters::content> parameters_;
  detail::cuda::program_request request_;
  std::size_t capacity_, now_ = 0;
  detail::cuda::buffer mean_, inverse_deviation_;
  detail::cuda::buffer input_, arena_;  // the batch, preprocessed; everything else of the current program
  detail::cuda::buffer unscale_;        // in fp16, by what gradients are multiplied in the end
  std::map<std::size_t, compiled> programs_;
  detail::cuda::bound_program* current_ = nullptr;
};

inline cuda_engine::plan cuda_engine::compile(parameters const& p, std::size_t n, std::vector<std::size_t> watched) const {
  return {*this, p, n, std::move(watched)};
}

}  // namespace pareidolia
