// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/detail/dnnl.hpp>
#include <pareidolia/detail/first_layer_folded.hpp>
#include <pareidolia/models/parameters.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace pareidolia::detail::onednn {

/// Parameters of a network in the layouts that primitives ask for: each reordered once, shared by all programs that want the same.
class packed_parameters {
 public:
  using content = host_parameters<float>::content;

  explicit packed_parameters(std::shared_ptr<content const> source) : source_(std::move(source)), version_(source_->version) {}

  [[nodiscard]] planned_graph const& graph() const { return source_->plan; }

  /// The array of `slot`, described by `plain` as it lies in the flat vector, as `wanted`. If they are equal, that very memory.
  std::size_t add(std::size_t slot, memory_desc const& plain, memory_desc const& wanted) {
    return add({slot, plain, plain, plain, wanted, {}});
  }

  /// Weights of an inner product over flattened images: `plain` (outputs, channels, height, width) is brought to `layout`, the order in
  /// which the images lie, and from there, read as a matrix, to `wanted`.
  std::size_t add_flattened(std::size_t slot, memory_desc const& plain, memory_desc const& layout, memory_desc const& matrix,
                            memory_desc const& wanted) {
    return add({slot, plain, layout, matrix, wanted, {}});
  }

  /// Weights of a convolution whose strides are folded into channels; `plain` describes the folded ones.
  std::size_t add_folded(std::size_t slot, folded_strides const& fold, memory_desc const& plain, memory_desc const& wanted) {
    return add({slot, plain, plain, plain, wanted, fold});
  }

  [[nodiscard]] dnnl::memory const& operator[](std::size_t index) const { return packs_[index].result; }

  /// Reads the parameters again if they have been written since.
  void refresh() {
    if (version_ == source_->version) return;
    version_ = source_->version;
    for (pack const& p : packs_) fill(p);
  }

 private:
  struct recipe {
    std::size_t slot;
    memory_desc plain, layout, matrix, wanted;
    std::optional<folded_strides> fold;
    friend bool operator==(recipe const&, recipe const&) = default;
  };
  struct pack {
    recipe how;
    dnnl::memory source, result;
  };

  std::size_t add(recipe const& how) {
    for (std::size_t i = 0; i < packs_.size(); ++i)
      if (packs_[i].how == how) return i;
    // oneDNN takes no constant memory; nothing writes to a source.
    dnnl::memory source(how.plain, cpu(), const_cast<float*>(source_->values.data() + source_->plan.slots[how.slot].offset));
    bool const in_place = how.layout == how.plain && how.wanted == how.matrix && !how.fold;
    packs_.push_back({how, source, in_place ? dnnl::memory(how.wanted, cpu(), source.get_data_handle()) : dnnl::memory(how.wanted, cpu())});
    fill(packs_.back());
    return packs_.size() - 1;
  }

  static void fill(pack const& p) {
    dnnl::stream stream(cpu());
    auto const copy = [&](dnnl::memory from, dnnl::memory to) {
      dnnl::reorder(from, to).execute(stream, from, to);
      stream.wait();
    };
    if (p.result.get_data_handle() == p.source.get_data_handle()) return;
    if (p.how.fold) {
      dnnl::memory const folded(p.how.plain, cpu());
      p.how.fold->weights(static_cast<float const*>(p.source.get_data_handle()), static_cast<float*>(folded.get_data_handle()));
      copy(folded, p.result);
    } else if (p.how.layout == p.how.plain) {
      copy(dnnl::memory(p.how.matrix, cpu(), p.source.get_data_handle()), p.result);
    } else {
      dnnl::memory const turned(p.how.layout, cpu());
      copy(p.source, turned);
      copy(dnnl::memory(p.how.matrix, cpu(), turned.get_data_handle()), p.result);
    }
  }

  std::shared_ptr<content const> source_;
  std::uint64_t version_;
  std::vector<pack> packs_;
};

}  // namespace pareidolia::detail::onednn
