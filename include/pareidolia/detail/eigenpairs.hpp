// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/detail/side_by_side.hpp>

#include <Spectra/LinAlg/TridiagEigen.h>
#include <Spectra/SymEigsSolver.h>
#include <xtensor-blas/xlinalg.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// Eigenvalues of a symmetric operator on R^d, in falling order, and unit eigenvectors.
struct eigenpairs {
  std::vector<double> values;
  tensor<float, 2> vectors;  ///< (values, d)
};

/// All eigenpairs of a symmetric matrix (d, d), by LAPACK, in doubles: of floats it forgets a digit of the workspace it needs once that has
/// more than 2^24 numbers. Cost: O(d^3).
[[nodiscard]] inline eigenpairs all_eigenpairs(tensor<float, 2> const& matrix) {
  tensor<double, 2> const exact = matrix;
  auto const found = xt::linalg::eigh(exact);
  auto const& [rising, columns] = found;
  std::size_t const d = rising.size();
  eigenpairs result{std::vector<double>(d), filled<float, 2>({d, d})};
  for (std::size_t i = 0; i < d; ++i) {
    result.values[i] = rising(d - 1 - i);
    for (std::size_t j = 0; j < d; ++j) result.vectors(i, j) = static_cast<float>(columns(j, d - 1 - i));
  }
  return result;
}

/// How extreme eigenpairs are sought.
struct extreme_search {
  std::size_t each_end = 10;   ///< of the largest and of the smallest eigenvalues
  std::size_t products = 200;  ///< with the operator, at most, but at least basis + 1; where few eigenvalues
                               ///< are different Spectra may take up to twice as many
  double tolerance = 1e-3;     ///< of a residual, relative to the eigenvalue + twice the root mean square of all

  /// Vectors of the Krylov space in R^d.
  [[nodiscard]] std::size_t basis(std::size_t d) const { return std::min(d, 4 * each_end + 20); }
};

/// What Spectra sees of an operator A on R^d whose products are asked for: A / s + 1, with s twice ||A x|| / ||x|| for the first, random x.
/// So no operator is too small for its thresholds, A = 0 among them, and eigenvalues near 0 converge.
template <class Ask>
class asked_operator {
 public:
  using Scalar = float;

  asked_operator(std::size_t d, Ask const& ask) : d_(d), ask_(ask) {}
  [[nodiscard]] Eigen::Index rows() const { return static_cast<Eigen::Index>(d_); }
  [[nodiscard]] Eigen::Index cols() const { return rows(); }
  void perform_op(float const* x, float* y) const {
    ask_(std::span(x, d_), std::span(y, d_));
    Eigen::Map<Eigen::VectorXf const> const from(x, rows());
    Eigen::Map<Eigen::VectorXf> to(y, rows());
    if (scale_ == 0) scale_ = to.stableNorm() > 0 ? 2 * to.stableNorm() / from.norm() : 1;
    to = to / scale_ + from;
  }
  /// That of A, for one that Spectra has found.
  [[nodiscard]] double eigenvalue(double found) const { return (found - 1) * double{scale_}; }

 private:
  std::size_t d_;
  Ask const& ask_;
  mutable float scale_ = 0;  // Spectra has a const operator
};

/// A Lanczos solver that tells how things stand whether or not it has converged.
template <class Operator>
class lanczos : public Spectra::SymEigsSolver<Operator> {
 public:
  using Spectra::SymEigsSolver<Operator>::SymEigsSolver;

  /// The Ritz pairs at both ends.
  [[nodiscard]] eigenpairs ends(std::size_t each) const {
    Eigen::MatrixXf const& v = this->m_fac.matrix_V();
    Spectra::TridiagEigen<float> const small(this->m_fac.matrix_H());
    Eigen::VectorXf const& values = small.eigenvalues();
    std::vector<Eigen::Index> order(static_cast<std::size_t>(values.size()));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Eigen::Index>(i);
    std::ranges::sort(order, [&](Eigen::Index a, Eigen::Index b) { return values[a] > values[b]; });
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(each), order.end() - static_cast<std::ptrdiff_t>(each));
    eigenpairs result{{}, filled<float, 2>({order.size(), static_cast<std::size_t>(v.rows())})};
    for (std::size_t i = 0; i < order.size(); ++i) {
      result.values.push_back(double{values[order[i]]});
      Eigen::Map<Eigen::VectorXf>(as_view(result.vectors).row(i).data(), v.rows()).noalias() = v * small.eigenvectors().col(order[i]);
    }
    return result;
  }
};

/// The extreme eigenpairs of n symmetric operators on R^d, `together` of them at a time, by the implicitly restarted Lanczos method
/// (Spectra), each from a random vector that depends on i alone. 2 each_end < d. product(questions) writes the products that are asked for,
/// at most one for each operator.
///
/// Memory: basis(d) vectors of d floats for each operator of those together.
template <class Product>
[[nodiscard]] std::vector<eigenpairs> extreme_eigenpairs(std::size_t n, std::size_t together, std::size_t d, extreme_search const& how,
                                                         Product const& product) {
  std::vector<eigenpairs> result(n);
  solve_side_by_side(
      n, together,
      [&](std::size_t i, auto const& ask) {
        asked_operator asked(d, ask);
        std::size_t const wanted = 2 * how.each_end, basis = how.basis(d);
        std::size_t const restarts = how.products > basis ? (how.products - basis - 1) / (basis - wanted) : 0;
        lanczos<decltype(asked)> solver(asked, static_cast<Eigen::Index>(wanted), static_cast<Eigen::Index>(basis));
        std::vector<float> start(d);  // of its own, so that what has not converged looks like no other's
        random_stream stream(0, i);
        for (float& v : start) v = stream.normal();
        solver.init(start.data());
        solver.compute(Spectra::SortRule::BothEnds, static_cast<Eigen::Index>(restarts), static_cast<float>(how.tolerance));
        result[i] = solver.ends(how.each_end);
        for (double& value : result[i].values) value = asked.eigenvalue(value);
      },
      product);
  return result;
}

}  // namespace pareidolia::detail
