// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/cuda_elementwise.hpp>
#include <pareidolia/detail/cuda_kernels.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>
#include <pareidolia/detail/cuda_transfers.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/parameters.hpp>

#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia::detail::cuda {

/// Parameters of a network in device memory, each array aligned, and copies of weights in the order in which channels-last images want
/// them, and as the numbers that layers multiply. One content is shared by all plans of a network.
class device_parameters {
 public:
  class content {
   public:
    explicit content(planned_graph g) : plan_(std::move(g)) {
      std::size_t size = 0;
      for (parameter_slot const& slot : plan_.slots) {
        offsets_.push_back(size);
        size += (slot.size + line - 1) / line * line;
      }
      values_ = buffer(size * sizeof(float), "the parameters of a network");
    }

    [[nodiscard]] planned_graph const& plan() const { return plan_; }
    [[nodiscard]] float* array(std::size_t slot) const { return values_.as<float>() + offsets_[slot]; }

    /// Weights (outputs, channels, plane) of a slot as (outputs, plane, channels): made once, brought up to date by each write().
    [[nodiscard]] void* channels_last(number type, std::size_t slot, std::size_t channels, std::size_t plane) {
      if (type == number::float32 && (channels == 1 || plane == 1)) return array(slot);
      std::lock_guard const lock(mutex_);
      for (pack const& p : packs_)
        if (p.type == type && p.slot == slot && p.channels == channels) return p.values.data();
      packs_.push_back({type, slot, channels, plane, buffer(plan_.slots[slot].size * bytes(type), "the weights of a network")});
      fill(packs_.back());
      synchronize();  // plans of other threads read them on other streams
      return packs_.back().values.data();
    }
    /// The array of a slot as it is.
    [[nodiscard]] void* array(number type, std::size_t slot) { return channels_last(type, slot, 1, plan_.slots[slot].size); }

    void read(std::span<float> out) const {
      for (std::size_t s = 0; s < offsets_.size(); ++s)
        download(static_cast<float const*>(array(s)), out.subspan(plan_.slots[s].offset, plan_.slots[s].size));
    }
    void write(std::span<float const> in) {
      for (std::size_t s = 0; s < offsets_.size(); ++s) upload(in.subspan(plan_.slots[s].offset, plan_.slots[s].size), array(s));
      {
        std::lock_guard const lock(mutex_);
        for (pack const& p : packs_) fill(p);
      }
      synchronize();
    }

   private:
    static constexpr std::size_t line = 64;  // floats; cuDNN wants 16 bytes
    struct pack {
      number type;
      std::size_t slot, channels, plane;
      buffer values;
    };
    void fill(pack const& p) const {
      std::size_t const size = plan_.slots[p.slot].size;
      kernels<elementwise_kernels>(p.type).launch("from_float_nchw", size, array(p.slot), p.values.as<void>(), kernel_count(size),
                                                  kernel_count(p.channels), kernel_count(p.plane));
    }

    planned_graph plan_;
    std::vector<std::size_t> offsets_;
    buffer values_;
    std::mutex mutex_;
    std::list<pack> packs_;
  };

  /// Errors: those of host_parameters, no device, too little device memory.
  device_parameters(graph const& g, weights const& w) {
    host_parameters<float> const host(g, w);
    static_cast<void>(current_device());  // its errors are the clearest
    content_ = std::make_shared<content>(host.contents()->plan);
    content_->write(host.contents()->values);
  }
  device_parameters(device_parameters const& other) : content_(std::make_shared<content>(other.content_->plan())) {
    std::vector<float> values(other.size());
    other.read(values);
    content_->write(values);
  }
  device_parameters(device_parameters&&) = default;
  device_parameters& operator=(device_parameters const& other) { return *this = device_parameters(other); }
  device_parameters& operator=(device_parameters&&) = default;
  ~device_parameters() = default;

  [[nodiscard]] std::size_t size() const { return content_->plan().parameters; }
  void read(std::span<float> out) const {
    check_size(out.size());
    content_->read(out);
  }
  /// Not while another thread runs a plan of this network.
  void write(std::span<float const> in) {
    check_size(in.size());
    content_->write(in);
  }

  [[nodiscard]] std::shared_ptr<content> contents() const { return content_; }

 private:
  void check_size(std::size_t given) const {
    if (given != size()) fail("parameters: ", given, " values were given, the network has ", size());
  }

  std::shared_ptr<content> content_;
};

}  // namespace pareidolia::detail::cuda
