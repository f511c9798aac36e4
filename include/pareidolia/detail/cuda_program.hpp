// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/arena.hpp>
#include <pareidolia/detail/cuda_graph.hpp>
#include <pareidolia/detail/cuda_numbers.hpp>
#include <pareidolia/detail/liveness.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia::detail::cuda {

using pointers = std::span<void* const>;  ///< where the values of a step lie, in its order

/// One step of a program: something to start on the device.
struct step {
  std::vector<std::size_t> values;
  std::function<void(pointers)> start;
};

/// An array of a program: `count` images of a shape, channels last. Several may share one storage.
struct value {
  image_shape shape{};
  number type = number::float32;
  std::size_t storage = 0;
};

/// A straight-line program for a fixed number of images: values, the steps between them, and where the values lie in an arena. Steps [0,
/// forward) compute the scores, [forward, input) the gradient of the image, [input, weights) those of the parameters.
struct program {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  struct gradient {
    std::size_t slot, value;
  };

  std::size_t count = 0;
  std::vector<value> values;
  std::vector<step> steps;
  std::size_t forward = 0, input = 0, weights = 0;
  std::size_t image = none, scores = none, seed = none, input_gradient = none;
  std::vector<std::size_t> watched;  ///< values that stay readable after a forward
  std::vector<gradient> gradients;   ///< arrays as the flat vector holds them
  arena_layout arena;                ///< of the storages; that of the image has size 0, it lies outside
};

/// Grows a program.
class program_builder {
 public:
  explicit program_builder(std::size_t count) { result_.count = count; }

  [[nodiscard]] program& result() { return result_; }
  [[nodiscard]] std::size_t steps() const { return result_.steps.size(); }
  [[nodiscard]] image_shape const& shape(std::size_t v) const { return result_.values[v].shape; }
  [[nodiscard]] number type(std::size_t v) const { return result_.values[v].type; }
  /// How many elements v has.
  [[nodiscard]] std::size_t size(std::size_t v) const { return result_.count * shape(v)[0] * shape(v)[1] * shape(v)[2]; }

  /// Room for images of a shape.
  std::size_t add(image_shape const& shape, number type) {
    return add(shape, type, result_.count * shape[0] * shape[1] * shape[2] * bytes(type));
  }
  /// Room for an array as another one, maybe of another shape.
  std::size_t add_like(std::size_t v) { return add(shape(v), type(v)); }
  std::size_t add_like(std::size_t v, image_shape const& shape) { return add(shape, type(v)); }
  /// Room for anything else.
  std::size_t add_bytes(std::size_t bytes) { return add(image_shape{}, number::float32, bytes); }
  /// The memory of v as another shape of as many values.
  std::size_t alias(std::size_t v, image_shape const& as) {
    if (as == shape(v)) return v;
    result_.values.push_back({as, type(v), result_.values[v].storage});
    return result_.values.size() - 1;
  }

  void push(std::vector<std::size_t> values, std::function<void(pointers)> start) {
    result_.steps.push_back({std::move(values), std::move(start)});
  }

  /// Gives every storage a place. What a backward step reads keeps its own to the end, since backward may be called many times.
  program finish() {
    program& p = result_;
    constexpr std::size_t alignment = 256;  // what cuBLASLt expects
    bytes_[p.values[p.image].storage] = 0;
    liveness lives(bytes_, p.forward, p.steps.size());
    auto const storage = [&](std::size_t v) { return p.values[v].storage; };
    for (std::size_t k = 0; k < p.steps.size(); ++k)
      for (std::size_t v : p.steps[k].values) lives.touch(storage(v), k);
    lives.touch(storage(p.scores), p.forward);  // read after the last forward step
    for (std::size_t v : p.watched) lives.pin(storage(v), p.forward);
    for (std::size_t v : {p.seed, p.input_gradient})
      if (v != program::none) lives.pin(storage(v), p.forward);
    for (auto const& g : p.gradients) lives.touch(storage(g.value), p.steps.size());
    p.arena = lives.places(alignment);
    return std::move(result_);
  }

 private:
  std::size_t add(image_shape const& shape, number type, std::size_t size) {
    result_.values.push_back({shape, type, bytes_.size()});
    bytes_.push_back(size);
    return result_.values.size() - 1;
  }

  program result_;
  std::vector<std::size_t> bytes_;  // of each storage
};

/// A program with its values in a piece of device memory.
class bound_program {
 public:
  explicit bound_program(program code) : code_(std::move(code)) {}

  [[nodiscard]] program const& code() const { return code_; }

  /// Puts the values into `arena`, of code().arena.size bytes, and the images at `image`.
  void bind(std::byte* arena, std::byte* image) {
    if (arena == arena_ && image == image_) return;
    arena_ = arena;
    image_ = image;
    recordings_.clear();
    pointers_.clear();
    for (step const& s : code_.steps) {
      auto& bound = pointers_.emplace_back();
      for (std::size_t v : s.values) bound.push_back(data(v));
    }
  }

  [[nodiscard]] void* data(std::size_t v) const {
    std::size_t const storage = code_.values[v].storage;
    if (storage == code_.values[code_.image].storage) return image_;
    return arena_ + code_.arena.offsets[storage];
  }

  /// Starts steps [first, last). The second time they are recorded, if that can be done, and from then on started as a whole; the first
  /// time loads what they need.
  void run(std::size_t first, std::size_t last) {
    if (last - first < 2) return start(first, last);
    auto const [found, is_first] = recordings_.try_emplace({first, last});
    recording& known = found->second;
    if (!is_first && !known.tried) {
      known.tried = true;
      known.work = record([&] { start(first, last); });
    }
    known.work ? known.work.start() : start(first, last);
  }

 private:
  struct recording {
    bool tried = false;
    recorded_work work;
  };

  void start(std::size_t first, std::size_t last) const {
    for (std::size_t k = first; k < last; ++k) code_.steps[k].start(pointers_[k]);
  }

  program code_;
  std::byte* arena_ = nullptr;
  std::byte* image_ = nullptr;
  std::vector<std::vector<void*>> pointers_;  // of each step
  std::map<std::pair<std::size_t, std::size_t>, recording> recordings_;
};

}  // namespace pareidolia::detail::cuda
