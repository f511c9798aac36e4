// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/attack.hpp>
#include <pareidolia/core/cost.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/named_array.hpp>
#include <pareidolia/core/random.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/curvature_readings.hpp>
#include <pareidolia/detail/patch_findings.hpp>
#include <pareidolia/detail/quantile.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/probes/nearest_boundary.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia {

/// Where curvature_detector looks.
enum class curvature_at {
  boundary,  ///< the point of the region's boundary that is nearest to the image
  image      ///< the image itself
};

/// Whether an image was perturbed to be misclassified, from the mean curvature of the boundary beside it (Fawzi, Moosavi-Dezfooli, Frossard
/// and Soatto 2017), and the class that it had.
///
///   F_i = f_i - f_k,  rho_i = (tr H_i - n_i^T H_i n_i) / ((d - 1) ||grad F_i||),  rho = mean over the candidates i of rho_i
///
/// k is the class that the model sees, H_i the Hessian of F_i, n_i the direction of its gradient: rho_i is the mean of the principal
/// curvatures, 1/R where the region of k is a ball of radius R and -1/R where it is the outside of one. An image is taken for perturbed
/// where rho > threshold, and is then said to have been of class argmax rho_i.
///
/// So boundaries beside natural images bend away from them, and an image that has just crossed one sees it from behind; with f_k - f_i, as
/// in an early summary of the paper, the signs are the opposite ones. The paper looks at the image itself, as far as we know. Here it is
/// the nearest point of the boundary, and the class beyond it is the only candidate, unless told otherwise: LeNet and CIFAR-10 quick then
/// agree about the sign, a threshold of 0 finds nine of ten images that DeepFool perturbed, and one of twenty clean images, and the class
/// beyond is nearly always the right one. At the image itself they disagree: digits have flat areas, whose ties in max-pooling any
/// perturbation breaks. Perturbations that lead farther than DeepFool's are found far less often, by any of this.
///
/// tr H is estimated from second differences of scores along `directions` unit vectors, the same for all images. Networks of rectified
/// linear units bend at their kinks alone, so it matters how far apart the differences are; boundaries are told apart best by small ones.
///
/// Cost, beside that of nearest_boundary: 1 + 2 directions + 2 classes forwards and `classes` backwards for each image. Memory: 5 + classes
/// vectors of d numbers for each image, and the directions. Errors: a setting out of its range, a model of one class or of one value.
///
///     auto const detector = calibrate(curvature_detector{rng{1}}, lenet, digits, .05);
///     double const found = measure(detector, lenet, fooled).share_perturbed();
struct curvature_detector {
  rng random;
  curvature_at at = curvature_at::boundary;
  std::size_t directions = 20;  ///< from 10 on more make little difference
  std::size_t classes = 1;      ///< candidates: the class beyond the boundary, then those of highest score; all there are, at most
  float step = .005f;           ///< root mean square change of a value
  double threshold = 0;         ///< of rho; calibrate() finds one
  boundary_search search = {};
  std::size_t batch = 64;

  struct result {
    std::vector<double> statistic;        ///< (images), rho; -infinity where no boundary was found or scores are flat
    tensor<double, 2> curvatures;         ///< (images, candidates), rho_i
    tensor<int, 2> candidates;            ///< (images, candidates), i
    std::vector<int> seen, recovered;     ///< (images), k, and the class that is said: k where the image is taken for natural
    std::vector<std::uint8_t> perturbed;  ///< (images), 1 where rho > threshold
    std::vector<double> distances;        ///< (images), of the boundary, infinite where none was found; empty with curvature_at::image
    cost spent;

    [[nodiscard]] std::size_t size() const { return statistic.size(); }
    [[nodiscard]] double share_perturbed() const {
      return share([&](std::size_t i) { return perturbed[i] != 0; });
    }
    /// Share of the images of which the recovered class is the given one.
    [[nodiscard]] double share_recovered(label_view labels) const {
      if (labels.size() != size())
        detail::fail("curvature_detector: ", labels.size(), " labels for ", size(), " images; give one for each");
      return share([&](std::size_t i) { return recovered[i] == labels[i]; });
    }

    [[nodiscard]] std::vector<named_figure> figures() const {
      return {{"share perturbed", share_perturbed()},
              {"share positive", share([&](std::size_t i) { return statistic[i] > 0; })},
              {"median mean curvature", detail::quantile_of(statistic, .5)}};
    }
    [[nodiscard]] std::vector<named_array> arrays(std::string const& prefix) const {
      auto const matrix = [&](char const* name, auto const& t) {
        named_array result{prefix + name, {t.shape().begin(), t.shape().end()}, {}};
        for (auto const v : t) result.values.push_back(static_cast<float>(v));
        return result;
      };
      return {detail::named_values(prefix + "statistic", statistic),
              matrix("curvatures", curvatures),
              matrix("candidates", candidates),
              detail::named_values(prefix + "seen", seen),
              detail::named_values(prefix + "recovered", recovered),
              detail::named_values(prefix + "perturbed", perturbed),
              detail::named_values(prefix + "distances", distances)};
    }

   private:
    template <class Counts>
    [[nodiscard]] double share(Counts const& counts) const {
      std::size_t counted = 0;
      for (std::size_t i = 0; i < size(); ++i) counted += counts(i);
      return size() == 0 ? 0 : static_cast<double>(counted) / static_cast<double>(size());
    }
  };

  void check() const {
    search.check("curvature_detector");
    if (directions == 0) detail::fail("curvature_detector: directions is 0; give at least 1");
    if (classes == 0) detail::fail("curvature_detector: classes is 0; give at least 1");
    if (!(step > 0 && step < 1)) detail::fail("curvature_detector: step is ", step, "; give one between 0 and 1, such as .005");
    if (!std::isfinite(threshold)) detail::fail("curvature_detector: threshold is ", threshold, "; give a finite number");
  }

  template <Model M>
  [[nodiscard]] result measure(M const& model, const_image_view<M::memory> x, label_view) const;
};

namespace detail {

/// The curvatures beside the rows of x (n, d), those that the detector looks at.
template <class M>
[[nodiscard]] curvature_readings read_curvatures(landscape<M>& f, tensor<float, 2> x, curvature_detector const& how) {
  how.check();
  std::size_t const n = x.shape()[0], d = f.length(), others = f.classes() - 1;
  if (d < 2 || others == 0)
    fail("curvature_detector: the model has ", d, " values and ", f.classes(), " classes; boundaries that bend need at least 2 of each");
  boundary_points beyond;
  if (how.at == curvature_at::boundary) {
    beyond = find_boundaries(f, as_view(std::as_const(x)), how.search);
    x = std::move(beyond.points);
  }
  bool const crossed = beyond.size() == n;
  auto result = read_curvatures(f, std::move(x), std::min(how.classes, others), shared_directions(how.random, how.directions, d),
                                stride_of(how.step, d), [&](std::size_t i, std::span<float const> y, int& own, std::span<int> candidates) {
                                  own = crossed ? beyond.own[i] : highest(y);
                                  auto order = highest_classes(y, candidates.size() + 2, own);
                                  if (crossed && beyond.reached[i]) {
                                    std::erase(order, beyond.other[i]);
                                    order.insert(order.begin(), beyond.other[i]);
                                  }
                                  std::copy_n(order.begin(), candidates.size(), candidates.begin());
                                });
  result.distances = std::move(beyond.distances);
  for (std::size_t i = 0; i < beyond.size(); ++i)
    if (!beyond.reached[i]) std::ranges::fill(as_view(result.mean).row(i), -std::numeric_limits<double>::infinity());
  return result;
}

}  // namespace detail

template <Model M>
curvature_detector::result curvature_detector::measure(M const& model, const_image_view<M::memory> x, label_view) const {
  detail::landscape f("curvature_detector", model, batch);
  auto const r = detail::read_curvatures(f, detail::rows_of(x), *this);
  result found{.statistic = {},
               .curvatures = r.mean,
               .candidates = r.other,
               .seen = r.own,
               .recovered = r.own,
               .perturbed = {},
               .distances = r.distances,
               .spent = {}};
  for (std::size_t i = 0; i < r.own.size(); ++i) {
    found.statistic.push_back(r.statistic(i));
    found.perturbed.push_back(found.statistic[i] > threshold);
    if (found.perturbed[i]) found.recovered[i] = r.most_curved(i);
  }
  found.spent = f.cost();
  return found;
}

/// The detector with the lowest threshold that takes at most `rate` of clean images for perturbed: of n, floor(rate n).
///
/// Cost: that of the probe. Errors: no images, a rate outside [0, 1).
template <Model M>
[[nodiscard]] curvature_detector calibrate(curvature_detector detector, M const& model, labelled_images const& clean, double rate) {
  if (clean.size() == 0 || !(rate >= 0 && rate < 1))
    detail::fail("calibrate: a rate of ", rate, " of ", clean.size(), " images; give a rate from 0 to below 1, and images");
  auto statistic = measure(detector, model, clean).statistic;
  std::ranges::sort(statistic, std::greater<>{});
  detector.threshold = statistic[static_cast<std::size_t>(rate * static_cast<double>(statistic.size()))];
  return detector;
}

}  // namespace pareidolia
