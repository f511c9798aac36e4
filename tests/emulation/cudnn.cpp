// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// The part of cuDNN's graph interface that the library calls, by its definition: descriptors hold the attributes they were given, and a
// plan computes its operations one after the other in float. As in cuDNN, all arrays outside a graph are of one type, those inside float.

#include "emulation/machine.hpp"
#include "emulation/numbers.hpp"

#include <cudnn.h>
#include <cudnn_backend.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <istream>
#include <limits>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace emulation = pareidolia_test::emulation;
using pareidolia_test::emulation::device_access;
using pareidolia_test::emulation::number;

struct content;
using shared = std::shared_ptr<content>;

struct content {
  cudnnBackendDescriptorType_t type;
  bool final = false;
  std::map<cudnnBackendAttributeName_t, std::vector<std::byte>> plain;
  std::map<cudnnBackendAttributeName_t, std::vector<shared>> parts;

  template <class T>
  [[nodiscard]] std::vector<T> values(cudnnBackendAttributeName_t name) const {
    auto const found = plain.find(name);
    if (found == plain.end()) return {};
    std::vector<T> result(found->second.size() / sizeof(T));
    std::memcpy(result.data(), found->second.data(), found->second.size());
    return result;
  }
  template <class T>
  [[nodiscard]] T value(cudnnBackendAttributeName_t name) const {
    return values<T>(name).at(0);
  }
  [[nodiscard]] content const& part(cudnnBackendAttributeName_t name) const { return *parts.at(name).at(0); }
};

/// A content as text: numbers, each followed by a blank.
void write(std::ostream& out, content const& c) {
  out << static_cast<int>(c.type) << ' ' << c.plain.size() << ' ';
  for (auto const& [name, bytes] : c.plain) {
    out << static_cast<int>(name) << ' ' << bytes.size() << ' ';
    for (std::byte const b : bytes) out << std::to_integer<int>(b) << ' ';
  }
  out << c.parts.size() << ' ';
  for (auto const& [name, parts] : c.parts) {
    out << static_cast<int>(name) << ' ' << parts.size() << ' ';
    for (shared const& part : parts) write(out, *part);
  }
}
std::string written(content const& c) {
  std::ostringstream out;
  write(out, c);
  out << "end";
  return out.str();
}
shared read(std::istream& in) {
  auto const number = [&in] {
    int value = 0;
    if (!(in >> value)) throw std::runtime_error("this is no plan");
    return value;
  };
  auto result = std::make_shared<content>(content{static_cast<cudnnBackendDescriptorType_t>(number()), true, {}, {}});
  for (int attributes = number(); attributes > 0; --attributes) {
    auto& bytes = result->plain[static_cast<cudnnBackendAttributeName_t>(number())];
    for (int size = number(); size > 0; --size) bytes.push_back(static_cast<std::byte>(number()));
  }
  for (int attributes = number(); attributes > 0; --attributes) {
    auto& parts = result->parts[static_cast<cudnnBackendAttributeName_t>(number())];
    for (int size = number(); size > 0; --size) parts.push_back(read(in));
  }
  return result;
}
shared read(std::string const& text) {
  std::istringstream in(text);
  shared result = read(in);
  std::string end;
  if (!(in >> end) || end != "end") throw std::runtime_error("this is no plan");
  return result;
}

/// What the library holds: descriptors may be destroyed while others still refer to their content.
struct handle {
  shared data;
};
handle& of(cudnnBackendDescriptor_t d) { return *static_cast<handle*>(d); }

std::size_t size_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_HANDLE:
      return 8;
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR:
      return 1;
    default:
      return 4;
  }
}

number type_of(content const& tensor) {
  switch (tensor.value<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE)) {
    case CUDNN_DATA_FLOAT:
      return number::float32;
    case CUDNN_DATA_BFLOAT16:
      return number::bfloat16;
    case CUDNN_DATA_HALF:
      return number::float16;
    default:
      throw std::logic_error("a data type that is not emulated");
  }
}

/// The values of an array of a graph, and where they lie in memory: in that of the variant pack, or, if it is virtual, of the graph itself.
/// A dimension of 1 is as long as it has to.
struct array {
  void* memory;
  number type;
  std::vector<std::int64_t> dims, strides;
  std::vector<float> values = {};
  float& at(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
    return values[static_cast<std::size_t>(a * strides[0] + b * strides[1] + c * strides[2] + d * strides[3])];
  }
  void load() {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = pareidolia_test::emulation::load(memory, type, i);
  }
  void store() const {
    for (std::size_t i = 0; i < values.size(); ++i) pareidolia_test::emulation::store(memory, type, i, values[i]);
  }
};

class execution {
 public:
  explicit execution(content const& pack) {
    auto const ids = pack.values<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    auto const data = pack.values<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    if (ids.size() != data.size()) throw std::logic_error("a variant pack with more ids than pointers, or fewer");
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (data[i] == nullptr || reinterpret_cast<std::uintptr_t>(data[i]) % 16 != 0) throw std::logic_error("a misaligned array");
      given_[ids[i]] = data[i];
    }
  }

  void run(content const& operation) {
    switch (operation.type) {
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR: {
        auto x = get(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X)),
             w = get(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W)),
             y = cleared(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));
        each(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC), x, w, y,
             [](float const& a, float const& b, float& c) { c += a * b; });
        y.store();
        break;
      }
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR: {
        auto x = cleared(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX)),
             w = get(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W)),
             y = get(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY));
        each(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC), x, w, y,
             [](float& a, float const& b, float const& c) { a += b * c; });
        x.store();
        break;
      }
      case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR: {
        auto x = get(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X)),
             w = cleared(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW)),
             y = get(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY));
        each(operation.part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC), x, w, y,
             [](float const& a, float& b, float const& c) { b += a * c; });
        w.store();
        break;
      }
      case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
        pointwise(operation);
        break;
      default:
        throw std::logic_error("an operation that is not emulated");
    }
  }

 private:
  array place(content const& tensor) {
    auto const id = tensor.value<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
    array result{nullptr, type_of(tensor), tensor.values<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS),
                 tensor.values<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES)};
    std::int64_t size = 1;
    for (std::int64_t extent : result.dims) size *= extent;
    result.values.resize(static_cast<std::size_t>(size));
    if (tensor.value<unsigned char>(CUDNN_ATTR_TENSOR_IS_VIRTUAL)) {
      auto& own = virtual_[id];
      own.resize(result.values.size(), std::numeric_limits<float>::quiet_NaN());
      result.memory = own.data();
    } else {
      result.memory = given_.at(id);
    }
    for (std::size_t i = 0; i < result.dims.size(); ++i)
      if (result.dims[i] == 1) result.strides[i] = 0;
    return result;
  }
  array get(content const& tensor) {
    array result = place(tensor);
    result.load();
    return result;
  }
  array cleared(content const& tensor) { return place(tensor); }

  template <class F>
  static void each_entry(array const& of, F const& f) {
    for (std::int64_t a = 0; a < of.dims[0]; ++a)
      for (std::int64_t b = 0; b < of.dims[1]; ++b)
        for (std::int64_t c = 0; c < of.dims[2]; ++c)
          for (std::int64_t d = 0; d < of.dims[3]; ++d) f(a, b, c, d);
  }

  /// Calls f(x value, weight, y value) for each product of a convolution.
  template <class F>
  static void each(content const& how, array& x, array& w, array& y, F const& f) {
    auto const padding = how.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
    auto const stride = how.values<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
    std::int64_t const groups = x.dims[1] / w.dims[1], outputs = y.dims[1] / groups;
    each_entry(y, [&](std::int64_t n, std::int64_t k, std::int64_t p, std::int64_t q) {
      for (std::int64_t c = 0; c < w.dims[1]; ++c)
        for (std::int64_t r = 0; r < w.dims[2]; ++r)
          for (std::int64_t s = 0; s < w.dims[3]; ++s) {
            std::int64_t const h = p * stride[0] - padding[0] + r, v = q * stride[1] - padding[1] + s;
            if (h >= 0 && h < x.dims[2] && v >= 0 && v < x.dims[3])
              f(x.at(n, k / outputs * w.dims[1] + c, h, v), w.at(k, c, r, s), y.at(n, k, p, q));
          }
    });
  }

  void pointwise(content const& operation) {
    content const& how = operation.part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    auto x = get(operation.part(CUDNN_ATTR_OPERATION_POINTWISE_XDESC)), y = place(operation.part(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
    auto const mode = how.value<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
    if (mode == CUDNN_POINTWISE_ADD) {
      auto b = get(operation.part(CUDNN_ATTR_OPERATION_POINTWISE_BDESC));
      each_entry(y, [&](auto... i) { y.at(i...) = x.at(i...) + b.at(i...); });
    } else if (mode == CUDNN_POINTWISE_RELU_FWD) {
      auto const slopes = how.values<double>(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE);
      float const slope = slopes.empty() ? 0.f : static_cast<float>(slopes[0]);
      each_entry(y, [&](auto... i) { y.at(i...) = x.at(i...) > 0 ? x.at(i...) : slope * x.at(i...); });
    } else {
      throw std::logic_error("a pointwise mode that is not emulated");
    }
    y.store();
  }

  std::map<std::int64_t, void*> given_;
  std::map<std::int64_t, std::vector<float>> virtual_;
};

constexpr std::int64_t workspace = 512;  // bytes that every plan wants

/// Nothing is offered for arrays of several types. Nothing is fused for odd numbers of outputs, so that an engine's other way is tested
/// too.
bool offered(content const& graph) {
  auto const& operations = graph.parts.at(CUDNN_ATTR_OPERATIONGRAPH_OPS);
  std::set<number> outside;
  for (auto const& operation : operations)
    for (auto const& [name, parts] : operation->parts)
      for (auto const& part : parts)
        if (part->type == CUDNN_BACKEND_TENSOR_DESCRIPTOR) {
          bool const inside = part->value<unsigned char>(CUDNN_ATTR_TENSOR_IS_VIRTUAL) != 0;
          if (!inside) outside.insert(type_of(*part));
          if (inside && type_of(*part) != number::float32) return false;
        }
  if (outside.size() != 1) return false;
  if (operations.size() == 1) return true;
  auto const& y = operations[0]->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
  return y.values<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS)[1] % 2 == 0;
}

}  // namespace

size_t cudnnGetVersion() { return emulation::emulated.cudnn_version > 0 ? emulation::emulated.cudnn_version : CUDNN_VERSION; }
char const* cudnnGetErrorString(cudnnStatus_t) { return "emulated error"; }
void cudnnGetLastErrorString(char* message, size_t) { *message = '\0'; }
cudnnStatus_t cudnnCreate(cudnnHandle_t* h) {
  static int one;
  *h = reinterpret_cast<cudnnHandle_t>(&one);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t) { return CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) { return CUDNN_STATUS_SUCCESS; }

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* d) {
  *d = new handle{std::make_shared<content>(content{type, false, {}, {}})};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d) {
  delete &of(d);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                       int64_t count, void const* values) {
  content& c = *of(d).data;
  if (c.final) return CUDNN_STATUS_BAD_PARAM;
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    auto const* const handles = static_cast<cudnnBackendDescriptor_t const*>(values);
    auto& parts = c.parts[name];
    parts.clear();
    for (int64_t i = 0; i < count; ++i) {
      if (!of(handles[i]).data->final) return CUDNN_STATUS_BAD_PARAM;
      parts.push_back(of(handles[i]).data);
    }
  } else {
    auto const* const bytes = static_cast<std::byte const*>(values);
    c.plain[name].assign(bytes, bytes + static_cast<std::size_t>(count) * size_of(type));
  }
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t,
                                       int64_t requested, int64_t* count, void* values) {
  content& c = *of(d).data;
  if (!c.final) return CUDNN_STATUS_NOT_INITIALIZED;
  auto const give_number = [&](int64_t number) {
    *count = 1;
    if (requested > 0) std::memcpy(values, &number, sizeof number);
    return CUDNN_STATUS_SUCCESS;
  };
  auto const give_part = [&](content part) {
    *count = 1;
    part.final = true;
    if (requested > 0) of(*static_cast<cudnnBackendDescriptor_t*>(values)).data = std::make_shared<content>(std::move(part));
    return CUDNN_STATUS_SUCCESS;
  };
  switch (name) {
    case CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION: {
      std::string const text = written(c.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG));
      *count = static_cast<int64_t>(text.size());
      std::memcpy(values, text.data(), std::min(text.size(), static_cast<std::size_t>(requested)));
      return CUDNN_STATUS_SUCCESS;
    }
    case CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG:
      return give_part(c.part(name));
    case CUDNN_ATTR_ENGINEHEUR_RESULTS:
      *count = std::min<int64_t>(requested, 2);  // the same one twice
      for (int64_t i = 0; i < *count; ++i)
        of(static_cast<cudnnBackendDescriptor_t*>(values)[i]).data =
            std::make_shared<content>(content{CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, true, {}, c.parts});
      return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINECFG_ENGINE:
      return give_part({CUDNN_BACKEND_ENGINE_DESCRIPTOR, true, {}, {}});
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX:
      return give_number(0);
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
      *count = 0;
      return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
      return give_number(workspace);
    default:
      return CUDNN_STATUS_BAD_PARAM;
  }
}
cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t d) {
  content& c = *of(d).data;
  if (c.type == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR) {
    ++emulation::made.heuristics;
    if (!offered(c.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH))) return CUDNN_STATUS_NOT_SUPPORTED;
  }
  if (auto const kept = c.plain.find(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION); kept != c.plain.end()) try {
      c.parts[CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG] = {read({reinterpret_cast<char const*>(kept->second.data()), kept->second.size()})};
    } catch (std::exception const&) {
      return CUDNN_STATUS_BAD_PARAM;
    }
  c.final = true;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBackendExecute(cudnnHandle_t, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
  emulation::enqueue([what = of(plan).data, given = of(pack).data] {
    emulation::device_access const access;
    execution now(*given);
    std::memset(given->value<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE), 0xff, workspace);
    content const& config = what->part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    for (auto const& operation : config.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH).parts.at(CUDNN_ATTR_OPERATIONGRAPH_OPS))
      now.run(*operation);
  });
  return CUDNN_STATUS_SUCCESS;
}
