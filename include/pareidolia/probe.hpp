// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/view.hpp>
#include <pareidolia/model.hpp>

#include <concepts>

namespace pareidolia {

/// A measurement of a model on images; it changes neither.
///
/// `p.measure(m, x, labels)` returns a P::result. x (count, channels, height, width) in [0, 1] in the model's memory; labels (count), or
/// empty when the probe needs none.
template <class P, class M>
concept Probe = Model<M> && requires(P const& p, M const& m, const_image_view<M::memory> x, label_view labels) {
  { p.measure(m, x, labels) } -> std::same_as<typename P::result>;
};

struct outcome;

/// A measurement of a model on what a run found, such as whether it fools another model too: `p.measure(m, found)` returns a P::result.
template <class P, class M>
concept OutcomeProbe = Model<M> && requires(P const& p, M const& m, outcome const& found) {
  { p.measure(m, found) } -> std::same_as<typename P::result>;
};

}  // namespace pareidolia
