// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// The part of cuBLASLt that the library calls, by its definition: matrices by columns, sums in float. The bias is of the result's type.

#include "emulation/machine.hpp"
#include "emulation/numbers.hpp"

#include <cublasLt.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace {

using pareidolia_test::emulation::device_access;
using pareidolia_test::emulation::enqueue;
using pareidolia_test::emulation::number;

struct operation {
  cublasOperation_t transpose_a = CUBLAS_OP_N, transpose_b = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  void const* bias = nullptr;
};
struct layout {
  number type;
  std::size_t rows, columns;
  std::int64_t leading;
};
constexpr std::size_t workspace = 512;

layout const& of(cublasLtMatrixLayout_t l) { return *reinterpret_cast<layout const*>(l); }

}  // namespace

char const* cublasLtGetStatusString(cublasStatus_t) { return "emulated error"; }
cublasStatus_t cublasLtCreate(cublasLtHandle_t* h) {
  static int one;
  *h = reinterpret_cast<cublasLtHandle_t>(&one);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* d, cublasComputeType_t, cudaDataType_t) {
  *d = reinterpret_cast<cublasLtMatmulDesc_t>(new operation);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d) {
  delete reinterpret_cast<operation*>(d);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t name, void const* value, size_t size) {
  auto& o = *reinterpret_cast<operation*>(d);
  void* to = nullptr;
  switch (name) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      to = &o.transpose_a;
      break;
    case CUBLASLT_MATMUL_DESC_TRANSB:
      to = &o.transpose_b;
      break;
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      to = &o.epilogue;
      break;
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      to = &o.bias;
      break;
    default:
      return CUBLAS_STATUS_INVALID_VALUE;
  }
  std::memcpy(to, value, size);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* l, cudaDataType type, uint64_t rows, uint64_t columns, int64_t leading) {
  if (type != CUDA_R_32F && type != CUDA_R_16BF && type != CUDA_R_16F) return CUBLAS_STATUS_NOT_SUPPORTED;
  number const stored = type == CUDA_R_32F ? number::float32 : type == CUDA_R_16BF ? number::bfloat16 : number::float16;
  *l = reinterpret_cast<cublasLtMatrixLayout_t>(new layout{stored, rows, columns, leading});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l) {
  delete reinterpret_cast<layout*>(l);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* p) {
  *p = reinterpret_cast<cublasLtMatmulPreference_t>(new int);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) {
  delete reinterpret_cast<int*>(p);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t, cublasLtMatmulPreferenceAttributes_t, void const*, size_t) {
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatmulPreference_t, int,
                                              cublasLtMatmulHeuristicResult_t results[], int* count) {
  results[0] = {};
  results[0].workspaceSize = workspace;
  *count = 1;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t d, void const* alpha, void const* a, cublasLtMatrixLayout_t a_layout,
                              void const* b, cublasLtMatrixLayout_t b_layout, void const* beta, void const*, cublasLtMatrixLayout_t,
                              void* result, cublasLtMatrixLayout_t layout_of_result, cublasLtMatmulAlgo_t const*, void* room, size_t size,
                              cudaStream_t) {
  auto const o = *reinterpret_cast<operation const*>(d);
  layout const la = of(a_layout), lb = of(b_layout), lc = of(layout_of_result);
  bool const ta = o.transpose_a == CUBLAS_OP_T, tb = o.transpose_b == CUBLAS_OP_T;
  std::size_t const depth = ta ? la.rows : la.columns;
  if ((ta ? la.columns : la.rows) != lc.rows || (tb ? lb.rows : lb.columns) != lc.columns || (tb ? lb.columns : lb.rows) != depth)
    return CUBLAS_STATUS_INVALID_VALUE;
  if (la.type != lb.type || (lc.type != la.type && lc.type != number::float32)) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (size < workspace || *static_cast<float const*>(alpha) != 1 || *static_cast<float const*>(beta) != 0)
    return CUBLAS_STATUS_INVALID_VALUE;
  enqueue([=] {
    device_access const access;
    std::memset(room, 0xff, workspace);
    auto const entry = [](void const* m, layout const& l, bool transposed, std::size_t row, std::size_t column) {
      if (transposed) std::swap(row, column);
      return pareidolia_test::emulation::load(m, l.type, row + column * static_cast<std::size_t>(l.leading));
    };
    bool const biased = o.epilogue == CUBLASLT_EPILOGUE_BIAS || o.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
    bool const relu = o.epilogue == CUBLASLT_EPILOGUE_RELU || o.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
    for (std::size_t i = 0; i < lc.rows; ++i)
      for (std::size_t j = 0; j < lc.columns; ++j) {
        float sum = biased ? pareidolia_test::emulation::load(o.bias, lc.type, i) : 0;
        for (std::size_t k = 0; k < depth; ++k) sum += entry(a, la, ta, i, k) * entry(b, lb, tb, k, j);
        pareidolia_test::emulation::store(result, lc.type, i + j * static_cast<std::size_t>(lc.leading), relu && !(sum > 0) ? 0 : sum);
      }
  });
  return CUBLAS_STATUS_SUCCESS;
}
