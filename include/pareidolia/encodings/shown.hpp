// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/encoding.hpp>

#include <cstddef>

namespace pareidolia {
namespace detail {

/// Populations that numbers are enough to make.
template <class P>
inline constexpr bool is_numbers = VectorPopulation<P, space::host> || PackedPopulation<P>;

}  // namespace detail

/// A genotype that images share, outcome::shared, shown on other images: what a universal perturbation makes of them. Labels stay.
///
///     auto const found = run(attack, net, some, rng{1});
///     auto const changed = shown(attack.encoding, found.shared, others);
///
/// Errors: a genotype that is not one row of the length that the encoding has on these images.
template <class E>
requires detail::is_numbers<population_t<E, space::host>>
[[nodiscard]] labelled_images shown(E const& encoding, tensor<float, 2> const& shared, labelled_images const& images) {
  auto const canvas = as_view(images.images);
  auto genotype = encoding.buffer(1, canvas);
  if constexpr (PackedPopulation<population_t<E, space::host>>) {
    genotype.unpack(shared);
  } else {
    auto const rows = genotype.rows();
    if (shared.shape()[0] != 1 || shared.shape()[1] != rows.shape[1])
      detail::fail("shown: the genotype is of shape ", shared.shape()[0], "x", shared.shape()[1], ", for these images it must be 1x",
                   rows.shape[1]);
    copy(as_view(shared), rows);
  }
  labelled_images result{filled<float, 4>(canvas.shape), images.labels};
  encoding.decode(genotype, canvas, as_view(result.images));
  return result;
}

}  // namespace pareidolia
