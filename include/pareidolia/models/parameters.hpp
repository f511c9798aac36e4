// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/models/graph.hpp>
#include <pareidolia/models/weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pareidolia {

namespace detail {

/// Caffe's first generation wrote every array with four dimensions: (1, 1, outputs, inputs). Shapes are compared without leading ones.
inline std::vector<std::size_t> without_leading_ones(std::vector<std::size_t> const& shape) {
  auto const first = std::find_if(shape.begin(), shape.end(), [](std::size_t extent) { return extent != 1; });
  return {first, shape.end()};
}

/// The array of `w` that fills `slot`, or an error that names the source and the array.
inline parameter const& find_parameter(weights const& w, parameter_slot const& slot, std::string const& network) {
  auto const found = w.parameters.find(slot.name);
  if (found == w.parameters.end()) {
    std::string known;
    for (auto const& [name, array] : w.parameters) known += (known.empty() ? "" : ", ") + name;
    fail(w.source, ": no array '", slot.name, "' for graph '", network, "'; there are: ", known.empty() ? "none" : known);
  }
  parameter const& array = found->second;
  if (without_leading_ones(array.shape) != without_leading_ones(slot.shape) || array.values.size() != slot.size)
    fail(w.source, ": array '", slot.name, "' has shape ", to_text(array.shape), ", graph '", network, "' wants ", to_text(slot.shape));
  auto const bad = std::find_if(array.values.begin(), array.values.end(), [](float v) { return !std::isfinite(v); });
  if (bad != array.values.end())
    fail(w.source, ": array '", slot.name, "' holds ", *bad, " at index ", bad - array.values.begin(), "; the file is damaged");
  return array;
}

}  // namespace detail

/// Parameters in host memory as one flat vector, shared by the plans of a network: they hold `contents()` and read it again when its
/// version has changed. A copy is a deep copy: training it leaves the original and its plans alone.
template <class T>
class host_parameters {
 public:
  struct content {
    planned_graph plan;
    std::vector<T> values;
    std::uint64_t version = 1;
  };

  /// Arrays of `w` by the names of the graph's slots; others are ignored. Errors: a missing array, a wrong shape, a value that is not
  /// finite.
  host_parameters(graph const& g, weights const& w) : content_(std::make_shared<content>()) {
    content_->plan = plan(g);
    for (parameter_slot const& slot : content_->plan.slots) static_cast<void>(detail::find_parameter(w, slot, g.name));
    content_->values.resize(content_->plan.parameters);  // which is not more than w has
    for (parameter_slot const& slot : content_->plan.slots) {
      parameter const& array = detail::find_parameter(w, slot, g.name);
      std::transform(array.values.begin(), array.values.end(), content_->values.begin() + static_cast<std::ptrdiff_t>(slot.offset),
                     [](float v) { return static_cast<T>(v); });
    }
  }
  host_parameters(host_parameters const& other) : content_(std::make_shared<content>(*other.content_)) {}
  host_parameters(host_parameters&&) = default;
  host_parameters& operator=(host_parameters const& other) { return *this = host_parameters(other); }
  host_parameters& operator=(host_parameters&&) = default;
  ~host_parameters() = default;

  [[nodiscard]] std::size_t size() const { return content_->values.size(); }
  void read(std::span<T> out) const {
    check(out.size());
    std::copy(content_->values.begin(), content_->values.end(), out.begin());
  }
  void write(std::span<T const> in) {
    check(in.size());
    std::copy(in.begin(), in.end(), content_->values.begin());
    ++content_->version;
  }

  [[nodiscard]] std::shared_ptr<content const> contents() const { return content_; }

 private:
  void check(std::size_t given) const {
    if (given != size()) detail::fail("parameters: ", given, " values were given, the network has ", size());
  }

  std::shared_ptr<content> content_;
};

}  // namespace pareidolia
