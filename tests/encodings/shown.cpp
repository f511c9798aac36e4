// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/shown.hpp>

#include <pareidolia/core/error.hpp>
#include <pareidolia/encodings/patch.hpp>
#include <pareidolia/encodings/perturbation.hpp>

#include <doctest/doctest.h>

using namespace pareidolia;

TEST_CASE("one perturbation is shown on every image, which stays in the box and keeps its label") {
  labelled_images images{filled<float, 4>({3, 1, 1, 2}), {4, 5, 6}};
  images.images(1, 0, 0, 0) = .5f;
  images.images(2, 0, 0, 0) = .9f;
  auto shared = filled<float, 2>({1, 2});
  shared(0, 0) = .2f;
  shared(0, 1) = -.1f;
  auto const result = shown(perturbation{linf{.3f}}, shared, images);
  CHECK(result.images(0, 0, 0, 0) == .2f);
  CHECK(result.images(1, 0, 0, 0) == .7f);
  CHECK(result.images(2, 0, 0, 0) == 1);
  CHECK(result.images(2, 0, 0, 1) == 0);
  CHECK(result.labels == images.labels);
}

TEST_CASE("a genotype of another length is an error that says which it must have") {
  labelled_images const images{filled<float, 4>({3, 1, 1, 2}), {}};
  CHECK_THROWS_WITH_AS((void)shown(perturbation{linf{}}, filled<float, 2>({1, 3}), images),
                       doctest::Contains("shown: the genotype is of shape 1x3, for these images it must be 1x2"), error);
  CHECK_THROWS_AS((void)shown(perturbation{linf{}}, filled<float, 2>({0, 0}), images), error);
}

TEST_CASE("placements that images share are shown on others") {
  patch const e{.sources = all_windows(filled<float, 4>({1, 1, 2, 2}, 1.f), 1, 1), .copies = 2};
  labelled_images const images{filled<float, 4>({3, 1, 4, 4}), {}};
  auto list = e.buffer(1, as_view(images.images));
  list.row(0)[1] = {.source = 3, .top = 2, .left = 1, .scale = 1, .opacity = .5f};
  auto const result = shown(e, list.packed(), images);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 16; ++j) CHECK(as_view(result.images).row(i)[j] == (j == 9 ? .5f : 0.f));
}
