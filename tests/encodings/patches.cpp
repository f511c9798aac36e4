// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/patches.hpp>

#include <doctest/doctest.h>

#include <support/small_models.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace pareidolia_test {
namespace {

using windows = std::vector<patch_window>;

std::string message(windows w, std::vector<int> evokes = {}, std::vector<float> strength = {}) {
  return message_of([&] { patches(noise(2, {3, 8, 6}, 1), std::move(w), std::move(evokes), std::move(strength)); });
}

}  // namespace

TEST_CASE("a grid of windows stands in the middle of what is left over") {
  window_grid const grid({3, 10, 13}, 4, 3);
  CHECK(grid.rows == 3);
  CHECK(grid.columns == 4);
  CHECK(grid.count() == 12);
  CHECK(grid(0) == patch_window{0, 0, 0, 4, 4});
  CHECK(grid(6, 5) == patch_window{5, 3, 6, 4, 4});

  window_grid const loose({1, 11, 12}, 4, 3);  // 1 and 2 pixels are left over
  CHECK(loose.count() == 9);
  CHECK(loose(0) == patch_window{0, 0, 1, 4, 4});
  CHECK(loose(8) == patch_window{0, 6, 7, 4, 4});
}

TEST_CASE("every window of a grid is inside the image, and no further one would fit") {
  for (std::size_t height : {5u, 8u, 13u})
    for (std::size_t size : {1u, 3u, 5u})
      for (std::size_t stride : {1u, 2u, 4u, 9u}) {
        window_grid const grid({1, height, height + 3}, size, stride);
        for (std::size_t k = 0; k < grid.count(); ++k) {
          CHECK(grid(k).top + size <= height);
          CHECK(grid(k).left + size <= height + 3);
        }
        CHECK(grid.rows * stride + size > height);
        CHECK(grid.columns * stride + size > height + 3);
      }
}

TEST_CASE("a grid that has no window is refused") {
  CHECK(message_of([] { window_grid({1, 8, 8}, 0, 1); }) == "window_grid: a size of 0 with a stride of 1; give at least 1");
  CHECK(message_of([] { window_grid({1, 8, 8}, 1, 0); }) == "window_grid: a size of 1 with a stride of 0; give at least 1");
  CHECK(message_of([] { window_grid({1, 8, 5}, 6, 1); }) == "window_grid: a window of 6 pixels on images of 8x5; give a smaller one");
}

TEST_CASE("copies of a set of patches share its images") {
  patches const some(noise(2, {3, 8, 6}, 1), {{0, 0, 0, 8, 6}, {1, 7, 5, 1, 1}}, {4, 9}, {.5f, .25f});
  patches const copy = some;
  CHECK(copy.size() == 2);
  CHECK(copy.channels() == 3);
  CHECK(copy.images().data == some.images().data);
  CHECK(copy.windows()[1] == patch_window{1, 7, 5, 1, 1});
  CHECK(copy.evokes()[0] == 4);
  CHECK(copy.strength()[1] == .25f);
}

TEST_CASE("all windows of a grid are those of each image in turn") {
  patches const all = all_windows(noise(3, {1, 6, 6}, 1), 4, 2);
  CHECK(all.size() == 12);
  CHECK(all.windows()[3] == patch_window{0, 2, 2, 4, 4});
  CHECK(all.windows()[4] == patch_window{1, 0, 0, 4, 4});
  CHECK(all.evokes().empty());
  CHECK(all.images().shape[0] == 3);
}

TEST_CASE("patches that are no part of an image are refused") {
  CHECK(message({}) == "patches: no windows; give at least one");
  CHECK(message({{0, 0, 0, 1, 1}, {2, 0, 0, 1, 1}}) == "patches: window 1 is 1x1 at (0, 0) of image 2, but there are 2 images of 8x6");
  auto const most = std::numeric_limits<std::size_t>::max();
  for (patch_window const& w : windows{{0, 0, 0, 0, 1},
                                       {0, 0, 0, 1, 0},
                                       {0, 0, 0, 9, 1},
                                       {0, 0, 0, 1, 7},
                                       {0, 4, 0, 5, 1},
                                       {0, 0, 4, 1, 3},
                                       {0, most, 0, 1, 1},
                                       {0, 0, most, 1, 1},
                                       {0, 1, 1, most, most}}) {
    std::string const said = message({w});
    CHECK_MESSAGE(said.find("patches: window 0 is ") == 0, said);
  }
  CHECK(message({{0, 4, 2, 4, 4}}) == "nothing was thrown");
}

TEST_CASE("a class and a strength for each patch or for none") {
  windows const two{{0, 0, 0, 1, 1}, {0, 0, 0, 1, 1}};
  CHECK(message(two, {1}) == "patches: 2 windows but 1 classes or strengths; give one for each");
  CHECK(message(two, {}, {1, 2, 3}) == "patches: 2 windows but 3 classes or strengths; give one for each");
  CHECK(message(two, {1, 2}) == "nothing was thrown");
}

TEST_CASE("donors with pixels outside [0, 1] are refused") {
  for (float const wrong : {-.5f, 1.5f, std::numeric_limits<float>::quiet_NaN()}) {
    auto images = noise(2, {3, 8, 6}, 1);
    images(1, 2, 7, 5) = wrong;
    CHECK(message_of([&] {
            patches(images, {{0, 0, 0, 1, 1}});
          }) == detail::text("patches: image 1 has a pixel of ", wrong, "; pixels must be in [0, 1]"));
  }
}

TEST_CASE("a copy in another memory is made once for each device and shared") {
  patches const some = all_windows(noise(1, {1, 4, 4}, 1), 2, 1), same = some;
  int made = 0;
  auto const make = [&](const_image_view<host> images) {
    ++made;
    return std::vector<float>(images.data, images.data + images.size());
  };
  auto const& first = some.elsewhere(0, make);
  CHECK(first.size() == 16);
  CHECK(&same.elsewhere(0, make) == &first);
  CHECK(&some.elsewhere(1, make) != &first);
  CHECK(made == 2);
}

}  // namespace pareidolia_test
