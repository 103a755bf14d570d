// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Matrix products on a card: cuBLASLt, one description and one algorithm per shape, found once and kept.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>

#include <lrp/backend/primitives.hpp>
#include <lrp/thrust/cuda_error.hpp>

namespace lrp::detail {

/// One strided batch of products as cuBLASLt sees it. cuBLASLt counts columns first: a row-major C = A B is its C^T = B^T A^T, so the operands
/// change places and nothing is copied. `left` is our B, `right` our A.
struct CudaProductShape {
    cudaDataType_t operand, result;
    cublasComputeType_t compute;
    bool transpose_left, transpose_right;
    std::int64_t m, n, k;
    std::int64_t left_stride, right_stride, result_stride;  // between rows of the row-major matrices
    std::int64_t batch, left_step, right_step, result_step;
    std::uint32_t alignment;

    auto operator<=>(const CudaProductShape&) const = default;
};

/// A description of cuBLASLt's, which goes with its owner.
template <class Handle, cublasStatus_t (*Destroy)(Handle)>
class CudaDescription {
  public:
    CudaDescription() = default;
    CudaDescription(const CudaDescription&) = delete;
    CudaDescription& operator=(const CudaDescription&) = delete;
    ~CudaDescription() {
        if (made_ != nullptr) Destroy(made_);
    }
    [[nodiscard]] Handle* address() { return &made_; }
    [[nodiscard]] Handle get() const { return made_; }

  private:
    Handle made_ = nullptr;
};

/// A shape's descriptions and algorithm.
class CudaProductPlan {
  public:
    CudaProductPlan(cublasLtHandle_t handle, const CudaProductShape& s, std::size_t workspace) {
        const cudaDataType_t scale = s.compute == CUBLAS_COMPUTE_64F ? CUDA_R_64F : CUDA_R_32F;
        const auto check = [&](cublasStatus_t code, const char* what) {
            cublas_check(code, what, " for a product [", s.n, ", ", s.k, "] [", s.k, ", ", s.m, "], ", s.batch, " of them");
        };
        const auto transposed = [](bool yes) { return yes ? CUBLAS_OP_T : CUBLAS_OP_N; };
        const cublasOperation_t op_left = transposed(s.transpose_left), op_right = transposed(s.transpose_right);
        check(cublasLtMatmulDescCreate(product_.address(), s.compute, scale), "cublasLtMatmulDescCreate");
        check(cublasLtMatmulDescSetAttribute(product_.get(), CUBLASLT_MATMUL_DESC_TRANSA, &op_left, sizeof op_left), "cublasLtMatmulDescSetAttribute");
        check(cublasLtMatmulDescSetAttribute(product_.get(), CUBLASLT_MATMUL_DESC_TRANSB, &op_right, sizeof op_right), "cublasLtMatmulDescSetAttribute");
        const auto layout = [&](Layout& to, cudaDataType_t type, std::int64_t rows, std::int64_t cols, std::int64_t stride, std::int64_t step) {
            const auto count = static_cast<std::int32_t>(s.batch);
            check(cublasLtMatrixLayoutCreate(to.address(), type, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(cols), stride), "cublasLtMatrixLayoutCreate");
            check(cublasLtMatrixLayoutSetAttribute(to.get(), CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count), "cublasLtMatrixLayoutSetAttribute");
            check(cublasLtMatrixLayoutSetAttribute(to.get(), CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &step, sizeof step), "cublasLtMatrixLayoutSetAttribute");
        };
        layout(left_, s.operand, s.transpose_left ? s.k : s.m, s.transpose_left ? s.m : s.k, s.left_stride, s.left_step);
        layout(right_, s.operand, s.transpose_right ? s.n : s.k, s.transpose_right ? s.k : s.n, s.right_stride, s.right_step);
        layout(result_, s.result, s.m, s.n, s.result_stride, s.result_step);

        CudaDescription<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> wanted;
        check(cublasLtMatmulPreferenceCreate(wanted.address()), "cublasLtMatmulPreferenceCreate");
        // Sums that are split over k are joined in the compute type, never in a narrower one: relevance cancels.
        const std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
        const auto want = [&](cublasLtMatmulPreferenceAttributes_t which, const auto& value) {
            check(cublasLtMatmulPreferenceSetAttribute(wanted.get(), which, &value, sizeof value), "cublasLtMatmulPreferenceSetAttribute");
        };
        want(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace);
        want(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions);
        for (const auto which : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                                 CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
            want(which, s.alignment);
        int found = 0;
        check(cublasLtMatmulAlgoGetHeuristic(handle, product_.get(), left_.get(), right_.get(), result_.get(), result_.get(), wanted.get(), 1, &algorithm_, &found), "cublasLtMatmulAlgoGetHeuristic");
        check(found == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : algorithm_.state, "cublasLtMatmulAlgoGetHeuristic");
    }

    cublasStatus_t run(cublasLtHandle_t handle, cudaStream_t stream, const void* alpha, const void* left, const void* right, const void* beta, void* result,
                       void* workspace, std::size_t workspace_bytes) const {
        return cublasLtMatmul(handle, product_.get(), alpha, left, left_.get(), right, right_.get(), beta, result, result_.get(), result, result_.get(),
                              &algorithm_.algo, workspace, workspace_bytes, stream);
    }

  private:
    using Layout = CudaDescription<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
    CudaDescription<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> product_;
    Layout left_, right_, result_;
    cublasLtMatmulHeuristicResult_t algorithm_{};
};

/// cuBLASLt with a workspace of its own (so that results repeat from run to run) and the plans made so far.
class CudaProducts {
  public:
    explicit CudaProducts(std::size_t workspace_bytes) : workspace_bytes_(workspace_bytes) {
        cublas_check(cublasLtCreate(&handle_), "cublasLtCreate");
        const cudaError_t code = cudaMalloc(&workspace_, workspace_bytes);
        if (code != cudaSuccess) cublasLtDestroy(handle_);
        cuda_check(code, "cudaMalloc of a cuBLASLt workspace of ", workspace_bytes, " bytes");
    }
    CudaProducts(const CudaProducts&) = delete;
    CudaProducts& operator=(const CudaProducts&) = delete;
    ~CudaProducts() {
        plans_.clear();
        cudaFree(workspace_);
        cublasLtDestroy(handle_);
    }

    /// C[h] <- alpha op(A[h]) op(B[h]) + beta C[h], operands of type U (A has been rounded to it where it differs from T).
    template <class T, class U>
    void run(cudaStream_t stream, const Product& p, const BatchView<const U>& a, const BatchView<const U>& b, const BatchView<T>& c) {
        const Index members = std::max({a.group, b.group, c.group});
        const auto step = [&](const auto& batch) { return static_cast<std::int64_t>(batch.group == members ? batch.step : batch.step * members); };
        for (Index member = 0; member < members; ++member) {  // heads that share a matrix: one strided batch per place in the group
            const auto begin = [&](const auto& batch) { return batch.first.data + (batch.group == members ? 0 : member * batch.step); };
            const U *left = begin(b), *right = begin(a);
            T* result = begin(c);
            CudaProductShape shape{type<U>(), type<T>(), sizeof(T) == 8 ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F, p.transpose_b, p.transpose_a,
                                         c.first.cols, c.first.rows, p.transpose_a ? a.first.rows : a.first.cols, b.first.stride, a.first.stride, c.first.stride,
                                         c.count / members, step(b), step(a), step(c), 1};
            if (shape.m == 0 || shape.n == 0 || shape.batch == 0) return;
            shape.alignment = alignment(shape, left, right, result);
            auto& plan = plans_[shape];
            if (!plan) plan = std::make_unique<CudaProductPlan>(handle_, shape, workspace_bytes_);
            const T alpha = static_cast<T>(p.alpha), beta = c.group == members && member > 0 ? T(1) : static_cast<T>(p.beta);
            cublas_check(plan->run(handle_, stream, &alpha, left, right, &beta, result, workspace_, workspace_bytes_), "cublasLtMatmul [", shape.n, ", ",
                         shape.k, "] [", shape.k, ", ", shape.m, "], ", shape.batch, " of them");
        }
    }

  private:
    template <class E>
    static constexpr cudaDataType_t type() {
        return std::is_same_v<E, bf16> ? CUDA_R_16BF : std::is_same_v<E, double> ? CUDA_R_64F : CUDA_R_32F;
    }
    /// The largest power of two, up to 256, that divides the addresses of all matrices of the batch.
    template <class T, class U>
    static std::uint32_t alignment(const CudaProductShape& s, const U* left, const U* right, const T* result) {
        std::uintptr_t bits = reinterpret_cast<std::uintptr_t>(left) | reinterpret_cast<std::uintptr_t>(right) | reinterpret_cast<std::uintptr_t>(result) | 256u;
        if (s.batch > 1) bits |= static_cast<std::uintptr_t>(s.left_step | s.right_step) * sizeof(U) | static_cast<std::uintptr_t>(s.result_step) * sizeof(T);
        return static_cast<std::uint32_t>(bits & (~bits + 1));
    }

    cublasLtHandle_t handle_ = nullptr;
    void* workspace_ = nullptr;
    std::size_t workspace_bytes_;
    std::map<CudaProductShape, std::unique_ptr<CudaProductPlan>> plans_;
};

}  // namespace lrp::detail
