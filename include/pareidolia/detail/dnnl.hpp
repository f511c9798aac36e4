// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <dnnl.hpp>

#include <vector>

// oneDNN 2.6 and 3.x behind one set of functions: the only place that knows the difference. 3.x has no operation descriptors, splits
// source and destination descriptors of elementwise layers, and has dropped Winograd convolutions on x64 since 3.2.

namespace pareidolia::detail::onednn {

using dim = dnnl::memory::dim;
using dims = dnnl::memory::dims;
using memory_desc = dnnl::memory::desc;
using tag = dnnl::memory::format_tag;

/// The one CPU engine of the process.
inline dnnl::engine const& cpu() {
  static dnnl::engine const engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

using number = dnnl::memory::data_type;  ///< f32, or bf16 where the engine was asked for it

inline memory_desc describe(dims const& shape, tag layout, number type = number::f32) { return {shape, type, layout}; }
inline number type_of(memory_desc const& d) {
#if DNNL_VERSION_MAJOR >= 3
  return d.get_data_type();
#else
  return d.data_type();
#endif
}
inline bool is_matrix(memory_desc const& d) {
#if DNNL_VERSION_MAJOR >= 3
  return d.get_ndims() == 2;
#else
  return d.dims().size() == 2;
#endif
}

/// Attributes common to all primitives: temporary memory comes from the caller, so one primitive may run on several threads at once.
inline dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}
/// y = x for x > 0, else slope x, behind the primitive.
inline dnnl::primitive_attr with_relu(dnnl::primitive_attr attr, float slope = 0) {
  dnnl::post_ops then;
#if DNNL_VERSION_MAJOR >= 3
  then.append_eltwise(dnnl::algorithm::eltwise_relu, slope, 0.f);
#else
  then.append_eltwise(1.f, dnnl::algorithm::eltwise_relu, slope, 0.f);
#endif
  attr.set_post_ops(then);
  return attr;
}

#if DNNL_VERSION_MAJOR >= 3
template <class Primitive, class... Arguments>
typename Primitive::primitive_desc make(dnnl::primitive_attr const& attr, Arguments const&... arguments) {
  return {cpu(), arguments..., attr};
}
#else
template <class Primitive, class... Arguments>
typename Primitive::primitive_desc make(dnnl::primitive_attr const& attr, Arguments const&... arguments) {
  return {typename Primitive::desc(arguments...), attr, cpu()};
}
/// For backward primitives, whose last argument in 3.x is the forward one.
template <class Primitive, class Hint, class... Arguments>
typename Primitive::primitive_desc make_backward(dnnl::primitive_attr const& attr, Hint const& hint, Arguments const&... arguments) {
  return {typename Primitive::desc(arguments...), attr, cpu(), hint};
}
#endif

/// Descriptors of a convolution layer; an empty `bias` means none.
struct convolution_shape {
  memory_desc source, weights, bias, destination;
  dims stride, padding_begin, padding_end;
};

inline auto convolution_forward(dnnl::algorithm how, convolution_shape const& s, dnnl::primitive_attr const& attr) {
  return make<dnnl::convolution_forward>(attr, dnnl::prop_kind::forward_inference, how, s.source, s.weights, s.bias, s.destination,
                                         s.stride, s.padding_begin, s.padding_end);
}

using convolution_hint = dnnl::convolution_forward::primitive_desc;

inline auto convolution_backward_data(dnnl::algorithm how, convolution_shape const& s, convolution_hint const& hint) {
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::convolution_backward_data>(attributes(), how, s.source, s.weights, s.destination, s.stride, s.padding_begin,
                                               s.padding_end, hint);
#else
  return make_backward<dnnl::convolution_backward_data>(attributes(), hint, how, s.source, s.weights, s.destination, s.stride,
                                                        s.padding_begin, s.padding_end);
#endif
}

inline auto convolution_backward_weights(convolution_shape const& s, convolution_hint const& hint) {
  auto const how = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::convolution_backward_weights>(attributes(), how, s.source, s.weights, s.bias, s.destination, s.stride, s.padding_begin,
                                                  s.padding_end, hint);
#else
  return make_backward<dnnl::convolution_backward_weights>(attributes(), hint, how, s.source, s.weights, s.bias, s.destination, s.stride,
                                                           s.padding_begin, s.padding_end);
#endif
}

inline auto inner_product_forward(memory_desc const& source, memory_desc const& weights, memory_desc const& bias,
                                  memory_desc const& destination, dnnl::primitive_attr const& attr) {
  return make<dnnl::inner_product_forward>(attr, dnnl::prop_kind::forward_inference, source, weights, bias, destination);
}

using inner_product_hint = dnnl::inner_product_forward::primitive_desc;

inline auto inner_product_backward_data(memory_desc const& source, memory_desc const& weights, memory_desc const& destination,
                                        inner_product_hint const& hint) {
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::inner_product_backward_data>(attributes(), source, weights, destination, hint);
#else
  return make_backward<dnnl::inner_product_backward_data>(attributes(), hint, source, weights, destination);
#endif
}

inline auto inner_product_backward_weights(memory_desc const& source, memory_desc const& weights, memory_desc const& bias,
                                           memory_desc const& destination, inner_product_hint const& hint) {
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::inner_product_backward_weights>(attributes(), source, weights, bias, destination, hint);
#else
  return make_backward<dnnl::inner_product_backward_weights>(attributes(), hint, source, weights, bias, destination);
#endif
}

/// Windows of a pooling layer. The end padding may be larger than the layer's: Caffe's last windows hang over the edge.
struct pooling_shape {
  dims stride, kernel, padding_begin, padding_end;
};

inline auto pooling_forward(bool keep_indices, dnnl::algorithm how, memory_desc const& source, memory_desc const& destination,
                            pooling_shape const& s) {
  auto const kind = keep_indices ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::pooling_forward>(attributes(), kind, how, source, destination, s.stride, s.kernel, dims{0, 0}, s.padding_begin,
                                     s.padding_end);
#else
  return make<dnnl::pooling_forward>(attributes(), kind, how, source, destination, s.stride, s.kernel, s.padding_begin, s.padding_end);
#endif
}

inline auto pooling_backward(dnnl::algorithm how, memory_desc const& source, memory_desc const& destination, pooling_shape const& s,
                             dnnl::pooling_forward::primitive_desc const& hint) {
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::pooling_backward>(attributes(), how, source, destination, s.stride, s.kernel, dims{0, 0}, s.padding_begin,
                                      s.padding_end, hint);
#else
  return make_backward<dnnl::pooling_backward>(attributes(), hint, how, source, destination, s.stride, s.kernel, s.padding_begin,
                                               s.padding_end);
#endif
}

/// An elementwise function, its parameters as oneDNN names them.
struct elementwise {
  dnnl::algorithm how;
  float alpha = 0, beta = 0;
};

inline auto eltwise_forward(elementwise const& f, memory_desc const& data) {
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::eltwise_forward>(attributes(), dnnl::prop_kind::forward_training, f.how, data, data, f.alpha, f.beta);
#else
  return make<dnnl::eltwise_forward>(attributes(), dnnl::prop_kind::forward_training, f.how, data, f.alpha, f.beta);
#endif
}

/// `f.how` is one of those that work from the output: eltwise_..._use_dst_for_bwd.
inline auto eltwise_backward(elementwise const& f, memory_desc const& data) {
  auto const hint = eltwise_forward(f, data);
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::eltwise_backward>(attributes(), f.how, data, data, data, f.alpha, f.beta, hint);
#else
  return make_backward<dnnl::eltwise_backward>(attributes(), hint, f.how, data, data, f.alpha, f.beta);
#endif
}

inline auto softmax_forward(memory_desc const& data) {
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::softmax_forward>(attributes(), dnnl::prop_kind::forward_training, dnnl::algorithm::softmax_accurate, data, data, 1);
#else
  return make<dnnl::softmax_forward>(attributes(), dnnl::prop_kind::forward_training, data, 1);
#endif
}

inline auto softmax_backward(memory_desc const& data) {
  auto const hint = softmax_forward(data);
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::softmax_backward>(attributes(), dnnl::algorithm::softmax_accurate, data, data, data, 1, hint);
#else
  return make_backward<dnnl::softmax_backward>(attributes(), hint, data, data, 1);
#endif
}

inline auto lrn_forward(bool keep, memory_desc const& data, dim size, float alpha, float beta, float k) {
  auto const kind = keep ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  auto const how = dnnl::algorithm::lrn_across_channels;
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::lrn_forward>(attributes(), kind, how, data, data, size, alpha, beta, k);
#else
  return make<dnnl::lrn_forward>(attributes(), kind, how, data, size, alpha, beta, k);
#endif
}

inline auto lrn_backward(memory_desc const& data, dim size, float alpha, float beta, float k,
                         dnnl::lrn_forward::primitive_desc const& hint) {
  auto const how = dnnl::algorithm::lrn_across_channels;
#if DNNL_VERSION_MAJOR >= 3
  return make<dnnl::lrn_backward>(attributes(), how, data, data, data, size, alpha, beta, k, hint);
#else
  return make_backward<dnnl::lrn_backward>(attributes(), hint, how, data, data, size, alpha, beta, k);
#endif
}

/// Whether this processor and this oneDNN compute in bfloat16.
inline bool has_bfloat16() {
  memory_desc const matrix = describe({16, 16}, tag::any, number::bf16);
  try {
    inner_product_forward(matrix, matrix, memory_desc(), matrix, attributes());
    return true;
  } catch (dnnl::error const&) {
    return false;
  }
}

inline dnnl::concat::primitive_desc concat(memory_desc const& to, std::vector<memory_desc> const& from) {
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), to, 1, from, attributes()};
#else
  return {to, 1, from, cpu(), attributes()};
#endif
}

inline dnnl::sum::primitive_desc sum(memory_desc const& to, std::vector<memory_desc> const& from) {
  std::vector<float> const ones(from.size(), 1.f);
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), to, ones, from, attributes()};
#else
  return {to, ones, from, cpu(), attributes()};
#endif
}

inline auto reorder(memory_desc const& from, memory_desc const& to) {
  return dnnl::reorder::primitive_desc(cpu(), from, cpu(), to, attributes());
}

}  // namespace pareidolia::detail::onednn
