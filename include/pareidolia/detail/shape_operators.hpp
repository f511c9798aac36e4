// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/curvature.hpp>
#include <pareidolia/detail/landscape.hpp>
#include <pareidolia/detail/tangent_frame.hpp>
#include <pareidolia/detail/vectors.hpp>
#include <pareidolia/probes/nearest_boundary.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// G = P H P / ||grad F|| at the boundary point of each image that has one, in coordinates of its tangents: R^(d - 1).
template <class M>
class shape_operators {
 public:
  shape_operators(landscape<M>& f, boundary_points const& z, float step)
      : f_(f), z_(z), h_(stride_of(step, f.length())), images_(z.found()) {
    for (std::size_t i : images_) frames_.emplace_back(as_view(z_.normals).row(i));
  }

  [[nodiscard]] std::size_t size() const { return images_.size(); }
  [[nodiscard]] std::size_t length() const { return f_.length() - 1; }
  [[nodiscard]] std::size_t batch() const { return std::max<std::size_t>(1, f_.batch() / 2); }  ///< products in one batch
  [[nodiscard]] std::size_t image(std::size_t k) const { return images_[k]; }
  [[nodiscard]] tangent_frame const& frame(std::size_t k) const { return frames_[k]; }

  /// n products: y(k, gx) is given G x, G the operator who(k), for the x that x(k, to) writes; both (d - 1), from several threads.
  template <class Who, class X, class Y>
  void products(std::size_t n, Who const& who, X const& x, Y const& y) {
    std::vector<double> lengths(n);
    hessian_products(
        f_, n, h_, [&](std::size_t k) { return as_view(z_.points).row(images_[who(k)]); },
        [&](std::size_t k) {
          std::size_t const i = images_[who(k)];
          return typename landscape<M>::difference{z_.other[i], z_.own[i]};
        },
        [&](std::size_t k, std::span<float> v) {
          std::vector<float> at(length());
          x(k, std::span(at));
          frames_[who(k)].raise(at, v);
          lengths[k] = to_unit_length(v);
        },
        [&](std::size_t k, std::span<float const>, std::span<float const> hv) {
          std::vector<float> gx(length());
          frames_[who(k)].lower(hv, gx);
          double const scale = lengths[k] / z_.slopes[images_[who(k)]];
          for (float& v : gx) v = static_cast<float>(double{v} * scale);
          y(k, std::span<float const>(gx));
        });
  }

 private:
  landscape<M>& f_;
  boundary_points const& z_;
  double h_;
  std::vector<std::size_t> images_;
  std::vector<tangent_frame> frames_;
};

}  // namespace pareidolia::detail
