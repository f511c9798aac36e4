// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/arena.hpp>
#include <pareidolia/detail/dnnl.hpp>
#include <pareidolia/detail/dnnl_parameters.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia::detail::onednn {

/// What a step works on: a value of the frame, or an array of packed_parameters.
struct operand {
  std::size_t index = 0;
  bool parameter = false;
};

using pointers = std::span<float* const>;  ///< where the operands of a step lie, in its order

/// One step of a program: a oneDNN primitive, or a kernel of our own.
struct step {
  dnnl::primitive primitive;
  std::vector<std::pair<int, operand>> operands;  ///< DNNL_ARG_... of the primitive
  std::function<void(pointers)> own;              ///< instead of the primitive, if set
};

/// An array of a program. Several may share one storage: the same memory under another description.
struct value {
  memory_desc desc;
  std::size_t storage = 0;
};

/// Which steps: [0, forward) computes the scores, [forward, input) the gradient of the image, [input, weights) those of the parameters.
struct ranges {
  std::size_t forward = 0, input = 0, weights = 0;
};

/// A straight-line program for a fixed number of images: values, the steps between them, and which of them share memory.
struct program {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  struct gradient {
    std::size_t slot, value;
  };

  std::size_t count = 0;
  std::vector<value> values;
  std::vector<step> steps;
  ranges until;
  std::size_t image = none, scores = none, seed = none, input_gradient = none;
  std::vector<std::size_t> watched;  ///< values that stay readable after a forward, row-major
  std::vector<gradient> gradients;   ///< plain arrays, as the flat vector holds them
  arena_layout arena;                ///< of the storages; that of the image has size 0, it lies outside
};

/// Grows a program: values, steps, and at the end the places in memory.
class program_builder {
 public:
  explicit program_builder(std::size_t count) { result_.count = count; }

  [[nodiscard]] memory_desc const& desc(std::size_t v) const { return result_.values[v].desc; }

  std::size_t add(memory_desc const& d) {
    result_.values.push_back({d, storages_++});
    return result_.values.size() - 1;
  }
  /// The memory of v under another description.
  std::size_t alias(std::size_t v, memory_desc const& d) {
    if (d == desc(v)) return v;
    result_.values.push_back({d, result_.values[v].storage});
    return result_.values.size() - 1;
  }

  template <class Primitive, class Descriptor>
  void push(Descriptor const& d, std::vector<std::pair<int, operand>> operands) {
    if (memory_desc const scratch = d.scratchpad_desc(); scratch.get_size() > 0) operands.push_back({DNNL_ARG_SCRATCHPAD, {add(scratch)}});
    result_.steps.push_back({Primitive(d), std::move(operands), {}});
  }
  void push(std::vector<operand> const& operands, std::function<void(pointers)> own) {
    std::vector<std::pair<int, operand>> numbered;
    for (operand const& o : operands) numbered.emplace_back(0, o);
    result_.steps.push_back({{}, std::move(numbered), std::move(own)});
  }

  /// v in the wanted layout: itself, or a copy made by a reorder.
  std::size_t in_layout(std::size_t v, memory_desc const& wanted) {
    if (desc(v) == wanted) return v;
    std::size_t const copy = add(wanted);
    push<dnnl::reorder>(reorder(desc(v), wanted), {{DNNL_ARG_FROM, {v}}, {DNNL_ARG_TO, {copy}}});
    return copy;
  }

  [[nodiscard]] std::size_t steps() const { return result_.steps.size(); }
  [[nodiscard]] program& result() { return result_; }

  /// Gives every storage a place. One that a backward step reads keeps its place to the end, since backward may be called many times.
  program finish() {
    program& p = result_;
    std::size_t const end = p.steps.size(), backward = p.until.forward;
    constexpr std::size_t unused = program::none;
    std::vector<lifetime> lives(storages_, lifetime{0, unused, 0});
    for (value const& v : p.values) lives[v.storage].size = std::max(lives[v.storage].size, v.desc.get_size());
    auto const touch = [&](std::size_t v, std::size_t when) {
      lifetime& life = lives[p.values[v].storage];
      bool const kept = when >= backward && life.first < backward;
      life.first = std::min(life.first, when);
      life.last = std::max(life.last, kept ? end : when);
    };
    for (std::size_t k = 0; k < end; ++k)
      for (auto const& [argument, o] : p.steps[k].operands)
        if (!o.parameter) touch(o.index, k);
    touch(p.scores, backward);  // read after the last forward step
    for (std::size_t v : p.watched) touch(v, backward), touch(v, end);
    for (std::size_t pinned : {p.seed, p.input_gradient})
      if (pinned != program::none) touch(pinned, backward), touch(pinned, end);
    for (auto const& g : p.gradients) touch(g.value, end);
    lives[p.values[p.image].storage].size = 0;
    for (lifetime& life : lives)
      if (life.first == unused) life = {};
    p.arena = arrange(lives);
    return std::move(result_);
  }

 private:
  program result_;
  std::size_t storages_ = 0;
};

/// The memory of one execution of a program: an arena, and the arguments of every step bound to it.
class frame {
 public:
  frame(program const& p, packed_parameters const& parameters)
      : program_(&p), arena_(std::max<std::size_t>(p.arena.size, 1)), stream_(cpu()) {
    for (value const& v : p.values) memories_.emplace_back(v.desc, cpu(), arena_.data() + p.arena.offsets[v.storage]);
    for (step const& s : p.steps) {
      bound& b = bound_.emplace_back();
      for (auto const& [argument, o] : s.operands) {
        dnnl::memory const& m = o.parameter ? parameters[o.index] : memories_[o.index];
        b.arguments.push_back({argument, m.get()});
        b.pointers.push_back(static_cast<float*>(m.get_data_handle()));
      }
    }
  }

  /// Where the (preprocessed) images lie: row-major, `program.count` of them.
  void set_image(float* images) {
    if (image_ == images) return;
    image_ = images;
    for (std::size_t v = 0; v < memories_.size(); ++v)
      if (program_->values[v].storage == program_->values[program_->image].storage) memories_[v].set_data_handle(images);
    for (std::size_t k = 0; k < bound_.size(); ++k)
      for (std::size_t a = 0; a < bound_[k].pointers.size(); ++a) {
        operand const& o = program_->steps[k].operands[a].second;
        if (!o.parameter) bound_[k].pointers[a] = data(o.index);
      }
  }

  [[nodiscard]] float* data(std::size_t v) const { return static_cast<float*>(memories_[v].get_data_handle()); }

  void execute(std::size_t first, std::size_t last) {
    for (std::size_t k = first; k < last; ++k) {
      bound const& b = bound_[k];
      if (program_->steps[k].own) {
        program_->steps[k].own(b.pointers);
      } else {
        auto const status = dnnl_primitive_execute(program_->steps[k].primitive.get(), stream_.get(), static_cast<int>(b.arguments.size()),
                                                   b.arguments.data());
        dnnl::error::wrap_c_api(status, "could not execute a primitive");
      }
    }
  }

 private:
  struct bound {
    std::vector<dnnl_exec_arg_t> arguments;
    std::vector<float*> pointers;
  };

  program const* program_;
  aligned_block arena_;
  dnnl::stream stream_;
  std::vector<dnnl::memory> memories_;
  std::vector<bound> bound_;
  float* image_ = nullptr;
};

}  // namespace pareidolia::detail::onednn
