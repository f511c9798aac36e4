// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>

#include <cudnn.h>
#include <cudnn_backend.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Owners of what cuDNN's graph interface (cudnn_backend.h) hands out, and errors for its status codes.

namespace pareidolia::detail::cudnn {

/// Throws cuDNN's own words behind `what` unless `status` is success.
inline void check(cudnnStatus_t status, std::string const& what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char reason[512] = "";
  cudnnGetLastErrorString(reason, sizeof reason);
  fail("cuda engine: ", what, ": ", cudnnGetErrorString(status), reason[0] ? ", " : "", reason);
}

/// How cuDNN names the type of an attribute.
template <class T>
constexpr cudnnBackendAttributeType_t attribute_type = [] {
  if constexpr (std::same_as<T, std::int64_t>)
    return CUDNN_TYPE_INT64;
  else if constexpr (std::same_as<T, float>)
    return CUDNN_TYPE_FLOAT;
  else if constexpr (std::same_as<T, double>)
    return CUDNN_TYPE_DOUBLE;
  else if constexpr (std::same_as<T, bool>)
    return CUDNN_TYPE_BOOLEAN;
  else if constexpr (std::same_as<T, char>)
    return CUDNN_TYPE_CHAR;
  else if constexpr (std::same_as<T, void*>)
    return CUDNN_TYPE_VOID_PTR;
  else if constexpr (std::same_as<T, cudnnHandle_t>)
    return CUDNN_TYPE_HANDLE;
  else if constexpr (std::same_as<T, cudnnDataType_t>)
    return CUDNN_TYPE_DATA_TYPE;
  else if constexpr (std::same_as<T, cudnnConvolutionMode_t>)
    return CUDNN_TYPE_CONVOLUTION_MODE;
  else if constexpr (std::same_as<T, cudnnPointwiseMode_t>)
    return CUDNN_TYPE_POINTWISE_MODE;
  else if constexpr (std::same_as<T, cudnnBackendHeurMode_t>)
    return CUDNN_TYPE_HEUR_MODE;
  else if constexpr (std::same_as<T, cudnnBackendNumericalNote_t>)
    return CUDNN_TYPE_NUMERICAL_NOTE;
}();

/// One descriptor: made, given attributes, finalised, and from then on constant.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(cudnnBackendDescriptorType_t type) {
    check(cudnnBackendCreateDescriptor(type, &handle_), "a cuDNN descriptor could not be created");
  }
  descriptor(descriptor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~descriptor() {
    if (handle_ != nullptr) static_cast<void>(cudnnBackendDestroyDescriptor(handle_));
  }

  [[nodiscard]] cudnnBackendDescriptor_t get() const { return handle_; }

  template <class T>
  descriptor& set(cudnnBackendAttributeName_t name, std::span<T const> values) {
    return set(name, attribute_type<T>, values.size(), values.data());
  }
  template <class T>
  descriptor& set(cudnnBackendAttributeName_t name, std::vector<T> const& values) {
    return set(name, std::span<T const>(values));
  }
  template <class T>
  descriptor& set(cudnnBackendAttributeName_t name, T const& value) {
    return set(name, std::span<T const>(&value, 1));
  }
  descriptor& set(cudnnBackendAttributeName_t name, descriptor const& value) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.handle_);
  }
  descriptor& set(cudnnBackendAttributeName_t name, std::vector<descriptor> const& values) {
    std::vector<cudnnBackendDescriptor_t> handles;
    for (descriptor const& value : values) handles.push_back(value.handle_);
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, handles.size(), handles.data());
  }

  /// Is it complete and valid?
  [[nodiscard]] bool try_finalize() { return cudnnBackendFinalize(handle_) == CUDNN_STATUS_SUCCESS; }
  descriptor& finalize(char const* what) {
    check(cudnnBackendFinalize(handle_), what);
    return *this;
  }

  /// The values of an attribute; none where cuDNN does not tell.
  template <class T>
  [[nodiscard]] std::vector<T> values(cudnnBackendAttributeName_t name) const {
    std::int64_t count = 0;
    if (cudnnBackendGetAttribute(handle_, name, attribute_type<T>, 0, &count, nullptr) != CUDNN_STATUS_SUCCESS || count <= 0) return {};
    std::vector<T> result(static_cast<std::size_t>(count));
    if (cudnnBackendGetAttribute(handle_, name, attribute_type<T>, count, &count, result.data()) != CUDNN_STATUS_SUCCESS) return {};
    result.resize(static_cast<std::size_t>(count));
    return result;
  }
  /// The descriptors of an attribute, at most `most`, each of `type`; those that cuDNN does not hand out are left out.
  [[nodiscard]] std::vector<descriptor> parts(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type, std::size_t most) const {
    std::vector<descriptor> result;
    std::vector<cudnnBackendDescriptor_t> handles;
    for (std::size_t i = 0; i < most; ++i) handles.push_back(result.emplace_back(type).handle_);
    std::int64_t count = 0;
    if (cudnnBackendGetAttribute(handle_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(most), &count, handles.data()) !=
        CUDNN_STATUS_SUCCESS)
      return {};
    result.resize(std::min(most, static_cast<std::size_t>(count)));
    return result;
  }

 private:
  descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::size_t count, void const* values) {
    check(cudnnBackendSetAttribute(handle_, name, type, static_cast<std::int64_t>(count), values),
          "attribute " + std::to_string(static_cast<int>(name)) + " of a cuDNN descriptor was refused");
    return *this;
  }

  cudnnBackendDescriptor_t handle_ = nullptr;
};

/// cuDNN on the current device, on the stream of the calling thread.
class session {
 public:
  session() {
    if (std::size_t const v = cudnnGetVersion(); v < 90800)
      fail("cuda engine: cuDNN ", v / 10000, '.', v / 100 % 100, '.', v % 100,
           " was loaded, and 9.8 or newer is needed; install it, or let LD_LIBRARY_PATH name its folder first");
    name_ = cuda::device_name();
    check(cudnnCreate(&handle_), "cuDNN could not be started");
    check(cudnnSetStream(handle_, cuda::stream()), "cuDNN refused the stream");
  }
  session(session const&) = delete;
  session& operator=(session const&) = delete;
  ~session() { static_cast<void>(cudnnDestroy(handle_)); }

  [[nodiscard]] cudnnHandle_t get() const { return handle_; }
  /// Tells kinds of devices apart.
  [[nodiscard]] std::string const& name() const { return name_; }

 private:
  cudnnHandle_t handle_ = nullptr;
  std::string name_;
};

/// What plans are made for: the current device, or one that is not there but described.
class target {
 public:
  /// The device of `on`, which must outlive the target.
  explicit target(session const& on) : handle_(on.get()), name_(on.name()) {}
  /// A device described by cuDNN's JSON, to see on any machine which plans there are for it.
  explicit target(std::string_view json) : name_(json), description_(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR) {
    description_.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, std::span<char const>(json))
        .finalize("cuDNN does not understand the description of a device");
  }

  /// The same for devices for which the same plans are made.
  [[nodiscard]] std::string const& name() const { return name_; }

  void apply_to_graph(descriptor& graph) const {
    if (handle_ != nullptr) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle_);
  }
  void apply_to_heuristics(descriptor& heuristics) const {
    if (handle_ == nullptr) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, description_);
  }
  void apply_to_plan(descriptor& plan) const {
    if (handle_ == nullptr)
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, description_);
    else
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle_);
  }

 private:
  cudnnHandle_t handle_ = nullptr;
  std::string name_;
  descriptor description_;
};

}  // namespace pareidolia::detail::cudnn
