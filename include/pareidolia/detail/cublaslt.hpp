// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/cuda_numbers.hpp>
#include <pareidolia/detail/cuda_runtime.hpp>

#include <cublasLt.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

// Matrix products by cuBLASLt.

namespace pareidolia::detail::cublaslt {

inline void check(cublasStatus_t status, std::string const& what) {
  if (status != CUBLAS_STATUS_SUCCESS) fail("cuda engine: ", what, ": ", cublasLtGetStatusString(status));
}

template <auto Destroy>
struct destroyer {
  template <class T>
  void operator()(T* p) const {
    static_cast<void>(Destroy(p));
  }
};
template <class Handle, auto Destroy>
using owned = std::unique_ptr<std::remove_pointer_t<Handle>, destroyer<Destroy>>;

/// cuBLASLt on the current device.
class session {
 public:
  session() {
    cublasLtHandle_t handle = nullptr;
    check(cublasLtCreate(&handle), "cuBLASLt could not be started");
    handle_.reset(handle);
  }
  [[nodiscard]] cublasLtHandle_t get() const { return handle_.get(); }

 private:
  owned<cublasLtHandle_t, cublasLtDestroy> handle_;
};

/// One product of row-major matrices: c (rows, columns) = a b, with a (rows, depth), or (depth, rows) if it is to be transposed, and b
/// (depth, columns), or (columns, depth). A bias for each column and a ReLU may follow. All sums are float.
struct product {
  std::size_t rows = 1, columns = 1, depth = 1;
  bool transpose_a = false, transpose_b = false;
  cuda::number factors = cuda::number::float32, result = cuda::number::float32;  ///< what a and b are, what c and the bias are
  void const* bias = nullptr;                                                    ///< in device memory, or none
  bool relu = false;
  bool tensor_cores = false;  ///< allows TF32
};

/// How cuBLASLt computes one product. To it, whose matrices lie by columns, ours are transposed: c^T = b^T a^T.
class product_plan {
 public:
  product_plan(session const& on, product const& p) : on_(on.get()) {
    cublasLtMatmulDesc_t operation = nullptr;
    bool const rounds = p.tensor_cores && p.factors == cuda::number::float32;
    check(cublasLtMatmulDescCreate(&operation, rounds ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
          "a matrix product was refused");
    operation_.reset(operation);
    set(CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, p.bias != nullptr ? p.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS
                                       : p.relu          ? CUBLASLT_EPILOGUE_RELU
                                                         : CUBLASLT_EPILOGUE_DEFAULT);
    if (p.bias != nullptr) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    a_ = p.transpose_a ? matrix(p.depth, p.rows, p.factors) : matrix(p.rows, p.depth, p.factors);
    b_ = p.transpose_b ? matrix(p.columns, p.depth, p.factors) : matrix(p.depth, p.columns, p.factors);
    c_ = matrix(p.rows, p.columns, p.result);

    cublasLtMatmulPreference_t preference = nullptr;
    check(cublasLtMatmulPreferenceCreate(&preference), "a matrix product was refused");
    owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> const owner(preference);
    constexpr std::size_t most_workspace = std::size_t{32} << 20;  // what cuBLAS takes on Hopper
    auto const prefer = [&](cublasLtMatmulPreferenceAttributes_t name, auto const& value) {
      check(cublasLtMatmulPreferenceSetAttribute(preference, name, &value, sizeof value), "a matrix product was refused");
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, most_workspace);
    constexpr std::uint32_t in_float = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;  // parts of a sum are not rounded
    if (p.result != cuda::number::float32) prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, in_float);
    cublasLtMatmulHeuristicResult_t best{};
    int found = 0;
    check(cublasLtMatmulAlgoGetHeuristic(on_, operation_.get(), b_.get(), a_.get(), c_.get(), c_.get(), preference, 1, &best, &found),
          "cuBLASLt knows no way to multiply " + size_of(p));
    if (found == 0) fail("cuda engine: cuBLASLt knows no way to multiply ", size_of(p));
    algorithm_ = best.algo;
    workspace_ = best.workspaceSize;
  }

  [[nodiscard]] std::size_t workspace() const { return workspace_; }  ///< bytes

  /// a, b and c in device memory; `room` of workspace() bytes.
  void run(void const* a, void const* b, void* c, void* room) const {
    float const one = 1, zero = 0;
    check(cublasLtMatmul(on_, operation_.get(), &one, b, b_.get(), a, a_.get(), &zero, c, c_.get(), c, c_.get(), &algorithm_, room,
                         workspace_, cuda::stream()),
          "a matrix product could not be started");
  }

 private:
  using layout = owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;

  static layout matrix(std::size_t rows, std::size_t columns, cuda::number n) {
    cudaDataType_t const type = n == cuda::number::float32 ? CUDA_R_32F : n == cuda::number::bfloat16 ? CUDA_R_16BF : CUDA_R_16F;
    cublasLtMatrixLayout_t result = nullptr;
    check(cublasLtMatrixLayoutCreate(&result, type, columns, rows, static_cast<std::int64_t>(columns)), "a matrix was refused");
    return layout(result);
  }
  static std::string size_of(product const& p) { return text("(", p.rows, ", ", p.depth, ") by (", p.depth, ", ", p.columns, ")"); }
  template <class T>
  void set(cublasLtMatmulDescAttributes_t name, T const& value) {
    check(cublasLtMatmulDescSetAttribute(operation_.get(), name, &value, sizeof value), "a matrix product was refused");
  }

  cublasLtHandle_t on_;
  owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> operation_;
  layout a_, b_, c_;
  cublasLtMatmulAlgo_t algorithm_{};
  std::size_t workspace_ = 0;
};

}  // namespace pareidolia::detail::cublaslt
