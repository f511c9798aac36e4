// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// LeNet on the cpu engine beside the same primitives called one after another, as a program without this library would. The counter
// images/s of `network` over that of `raw` is what the engine's planning costs or gains.
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/models/zoo.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

using namespace pareidolia;
namespace onednn = detail::onednn;

namespace {

graph const lenet = zoo::lenet5();
weights const parameters = xavier(lenet, rng{1});

tensor<float, 4> images(std::size_t count) {
  auto x = filled<float, 4>({count, 1, 28, 28});
  auto r = rng{2}.stream(0);
  for (float& v : x) v = r.uniform();
  return x;
}

/// The whole batch through each primitive in turn; layouts as oneDNN likes them, ReLU fused, weights reordered once.
class raw_lenet {
 public:
  using dim = dnnl::memory::dim;
  using tag = onednn::tag;

  raw_lenet(std::size_t batch, bool gradient) : n_(static_cast<dim>(batch)) {
    x_ = memory(desc({n_, 1, 28, 28}, tag::nchw));
    auto const c1 = convolution("conv1", x_, {n_, 20, 24, 24}, {20, 1, 5, 5});
    auto const p1 = pool(c1, {n_, 20, 12, 12}, gradient);
    auto const c2 = convolution("conv2", p1.y, {n_, 50, 8, 8}, {50, 20, 5, 5});
    auto const p2 = pool(c2, {n_, 50, 4, 4}, gradient);
    auto const i1 = inner_product("ip1", p2.y, {n_, 50, 4, 4}, {500, 50, 4, 4}, true);
    auto const i2 = inner_product("ip2", i1, {n_, 500}, {10, 500}, false);
    y_ = i2;
    forward_ = calls_.size();
    if (!gradient) return;

    dy_ = memory(desc({n_, 10}, tag::nc));
    auto d = inner_product_backward("ip2", dy_, i1.get_desc(), {10, 500});
    auto const relu = onednn::eltwise_backward({dnnl::algorithm::eltwise_relu_use_dst_for_bwd}, i1.get_desc());
    call(dnnl::eltwise_backward(relu), {{DNNL_ARG_DST, i1}, {DNNL_ARG_DIFF_DST, d}, {DNNL_ARG_DIFF_SRC, d}});
    d = inner_product_backward("ip1", d, p2.y.get_desc(), {500, 50, 4, 4});
    d = pool_backward(p2, d, c2.get_desc());
    d = in(convolution_backward("conv2", d, {50, 20, 5, 5}), p1.y.get_desc());
    d = pool_backward(p1, d, c1.get_desc());
    last_ = in(d, desc({n_, 20, 24, 24}, tag::nhwc));
    dx_.resize(batch * 784);
  }

  void forward(float const* x, float* y) {
    std::copy_n(x, n_ * 784, static_cast<float*>(x_.get_data_handle()));
    run(0, forward_);
    std::copy_n(static_cast<float const*>(y_.get_data_handle()), n_ * 10, y);
  }
  void backward(float const* dy, float* dx) {
    std::copy_n(dy, n_ * 10, static_cast<float*>(dy_.get_data_handle()));
    run(forward_, calls_.size());
    first_layer_(static_cast<std::size_t>(n_), parameters.parameters.at("conv1.weight").values.data(),
                 static_cast<float const*>(last_.get_data_handle()), dx);
  }

 private:
  struct pooled {
    dnnl::memory x, y, indices;
  };
  using arguments = std::unordered_map<int, dnnl::memory>;

  static onednn::memory_desc desc(onednn::dims const& d, tag t) { return onednn::describe(d, t); }
  static dnnl::memory memory(onednn::memory_desc const& d) { return {d, onednn::cpu()}; }
  void call(dnnl::primitive const& p, arguments a) { calls_.emplace_back(p, std::move(a)); }
  template <class Primitive, class Descriptor>
  void call(Descriptor const& d, arguments a) {
    a.emplace(DNNL_ARG_SCRATCHPAD, memory(d.scratchpad_desc()));
    calls_.emplace_back(Primitive(d), std::move(a));
  }
  void run(std::size_t first, std::size_t last) {
    for (std::size_t k = first; k < last; ++k) calls_[k].first.execute(stream_, calls_[k].second);
    stream_.wait();
  }
  dnnl::memory in(dnnl::memory const& m, onednn::memory_desc const& wanted) {
    if (m.get_desc() == wanted) return m;
    auto const to = memory(wanted);
    call(dnnl::reorder(m, to), {{DNNL_ARG_FROM, m}, {DNNL_ARG_TO, to}});
    return to;
  }
  dnnl::memory packed(std::string const& name, onednn::dims const& shape, onednn::memory_desc const& wanted) {
    auto const& values = parameters.parameters.at(name).values;
    tag const plain = shape.size() == 4 ? tag::oihw : shape.size() == 2 ? tag::oi : tag::x;
    dnnl::memory from(desc(shape, plain), onednn::cpu(), const_cast<float*>(values.data())), to = memory(wanted);
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    return to;
  }

  dnnl::memory convolution(std::string const& name, dnnl::memory const& x, onednn::dims const& y_shape, onednn::dims const& w_shape) {
    bool const first = w_shape[1] == 1;
    auto const bias = desc({w_shape[0]}, tag::x);
    onednn::dims const x_shape = first ? onednn::dims{n_, 1, 28, 28} : onednn::dims{n_, 20, 12, 12};
    onednn::convolution_shape const s{
        first ? x.get_desc() : desc(x_shape, tag::any), desc(w_shape, tag::any), bias, desc(y_shape, tag::any), {1, 1}, {0, 0}, {0, 0}};
    auto const pd = onednn::convolution_forward(dnnl::algorithm::convolution_direct, s, onednn::attributes());
    auto const y = memory(pd.dst_desc());
    call<dnnl::convolution_forward>(pd, {{DNNL_ARG_SRC, in(x, pd.src_desc())},
                                         {DNNL_ARG_WEIGHTS, packed(name + ".weight", w_shape, pd.weights_desc())},
                                         {DNNL_ARG_BIAS, packed(name + ".bias", {w_shape[0]}, bias)},
                                         {DNNL_ARG_DST, y}});
    return y;
  }
  dnnl::memory convolution_backward(std::string const& name, dnnl::memory const& dy, onednn::dims const& w_shape) {
    onednn::convolution_shape const s{desc({n_, 20, 12, 12}, tag::any),
                                      desc(w_shape, tag::any),
                                      desc({w_shape[0]}, tag::x),
                                      desc({n_, 50, 8, 8}, tag::any),
                                      {1, 1},
                                      {0, 0},
                                      {0, 0}};
    auto const hint = onednn::convolution_forward(dnnl::algorithm::convolution_direct, s, onednn::attributes());
    auto const pd = onednn::convolution_backward_data(dnnl::algorithm::convolution_direct, s, hint);
    auto const dx = memory(pd.diff_src_desc());
    call<dnnl::convolution_backward_data>(pd, {{DNNL_ARG_DIFF_DST, in(dy, pd.diff_dst_desc())},
                                               {DNNL_ARG_WEIGHTS, packed(name + ".weight", w_shape, pd.weights_desc())},
                                               {DNNL_ARG_DIFF_SRC, dx}});
    return dx;
  }
  static onednn::pooling_shape two_by_two() { return {{2, 2}, {2, 2}, {0, 0}, {0, 0}}; }
  pooled pool(dnnl::memory const& x, onednn::dims const& y_shape, bool keep) {
    auto const pd = onednn::pooling_forward(keep, dnnl::algorithm::pooling_max, x.get_desc(), desc(y_shape, tag::any), two_by_two());
    pooled p{x, memory(pd.dst_desc()), {}};
    arguments a{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, p.y}};
    if (keep) a.emplace(DNNL_ARG_WORKSPACE, p.indices = memory(pd.workspace_desc()));
    call<dnnl::pooling_forward>(pd, std::move(a));
    return p;
  }
  dnnl::memory pool_backward(pooled const& p, dnnl::memory const& dy, onednn::memory_desc const& x) {
    auto const hint = onednn::pooling_forward(true, dnnl::algorithm::pooling_max, x, p.y.get_desc(), two_by_two());
    auto const pd = onednn::pooling_backward(dnnl::algorithm::pooling_max, x, p.y.get_desc(), two_by_two(), hint);
    auto const dx = memory(x);
    call<dnnl::pooling_backward>(pd,
                                 {{DNNL_ARG_DIFF_DST, in(dy, p.y.get_desc())}, {DNNL_ARG_WORKSPACE, p.indices}, {DNNL_ARG_DIFF_SRC, dx}});
    return dx;
  }
  dnnl::memory inner_product(std::string const& name, dnnl::memory const& x, onednn::dims const& x_shape, onednn::dims const& w_shape,
                             bool relu) {
    auto const bias = desc({w_shape[0]}, tag::x), out = desc({n_, w_shape[0]}, tag::nc);
    auto const pd = onednn::inner_product_forward(desc(x_shape, tag::any), desc(w_shape, tag::any), bias, out,
                                                  relu ? onednn::with_relu(onednn::attributes()) : onednn::attributes());
    auto const y = memory(out);
    call<dnnl::inner_product_forward>(pd, {{DNNL_ARG_SRC, in(x, pd.src_desc())},
                                           {DNNL_ARG_WEIGHTS, packed(name + ".weight", w_shape, pd.weights_desc())},
                                           {DNNL_ARG_BIAS, packed(name + ".bias", {w_shape[0]}, bias)},
                                           {DNNL_ARG_DST, y}});
    return y;
  }
  dnnl::memory inner_product_backward(std::string const& name, dnnl::memory const& dy, onednn::memory_desc const& x,
                                      onednn::dims const& w_shape) {
    auto const out = desc({n_, w_shape[0]}, tag::nc), any = desc(w_shape, tag::any);
    auto const hint = onednn::inner_product_forward(x, any, desc({w_shape[0]}, tag::x), out, onednn::attributes());
    auto const pd = onednn::inner_product_backward_data(x, any, out, hint);
    auto const dx = memory(x);
    call<dnnl::inner_product_backward_data>(
        pd, {{DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WEIGHTS, packed(name + ".weight", w_shape, pd.weights_desc())}, {DNNL_ARG_DIFF_SRC, dx}});
    return dx;
  }

  dim n_;
  dnnl::stream stream_{onednn::cpu()};
  std::vector<std::pair<dnnl::primitive, arguments>> calls_;
  std::size_t forward_ = 0;
  dnnl::memory x_, y_, dy_, last_;
  std::vector<float> dx_;
  detail::few_channel_gradient first_layer_{{.outputs = 20, .kernel = {5, 5}}, {1, 28, 28}, {20, 24, 24}};
};

struct library_lenet {
  network<cpu_engine> net{cpu_engine{}, lenet, parameters};
  network<cpu_engine>::workspace work;
  std::size_t n;

  library_lenet(std::size_t batch, bool) : work(net.prepare(batch)), n(batch) {}
  void forward(float const* x, float* y) { net.forward({x, {n, 1, 28, 28}}, {y, {n, 10}}, work); }
  void backward(float const* dy, float* dx) { net.backward({dy, {n, 10}}, {dx, {n, 1, 28, 28}}, work); }
};

template <class LeNet>
void forward(benchmark::State& state) {
  auto const batch = static_cast<std::size_t>(state.range(0));
  LeNet net(batch, false);
  auto const x = images(batch);
  std::vector<float> y(batch * 10);
  for (auto _ : state) net.forward(x.data(), y.data());
  state.counters["images/s"] = benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
}

template <class LeNet>
void forward_backward(benchmark::State& state) {
  auto const batch = static_cast<std::size_t>(state.range(0));
  LeNet net(batch, true);
  auto const x = images(batch);
  std::vector<float> y(batch * 10), dy(batch * 10, 1.f), dx(batch * 784);
  net.forward(x.data(), y.data());
  net.backward(dy.data(), dx.data());  // compiles the gradient
  for (auto _ : state) {
    net.forward(x.data(), y.data());
    net.backward(dy.data(), dx.data());
  }
  state.counters["images/s"] = benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
}

}  // namespace

BENCHMARK(forward<raw_lenet>)->Name("lenet/forward/raw")->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();
BENCHMARK(forward<library_lenet>)->Name("lenet/forward/network")->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();
BENCHMARK(forward_backward<raw_lenet>)->Name("lenet/forward_backward/raw")->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();
BENCHMARK(forward_backward<library_lenet>)->Name("lenet/forward_backward/network")->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();
