// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/batch.hpp>
#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/loaders/cifar10.hpp>
#include <pareidolia/loaders/folder.hpp>
#include <pareidolia/loaders/image.hpp>
#include <pareidolia/loaders/mnist.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pareidolia {

/// Images as a user of a program names them, the first `most` of them in order: PNG and JPEG files, folders of them, MNIST's files of
/// images, `...images-idx3-ubyte` with those of their labels beside them, and CIFAR-10's, `....bin`. Each is made to fit `shape` as
/// fit_image says, but those of data sets, which must have it.
///
/// Errors: those of the files, images of another shape, none at all.
[[nodiscard]] inline tensor<float, 4> read_any_images(std::vector<std::string> const& files, image_shape const& shape, std::size_t most) {
  constexpr std::string_view mnist = "images-idx3-ubyte", mnist_labels = "labels-idx1-ubyte";
  std::vector<tensor<float, 4>> parts;
  std::size_t count = 0;
  for (std::string const& file : files) {
    if (count >= most) break;
    if (auto const at = file.find(mnist); at != std::string::npos) {
      parts.push_back(read_mnist(file, std::string(file).replace(at, mnist.size(), mnist_labels)).images);
    } else if (file.ends_with(".bin")) {
      parts.push_back(read_cifar10(file).images);
    } else if (std::filesystem::is_directory(file)) {
      parts.push_back(read_images(file, shape).images);
    } else {
      auto const image = fit_image(as_view(read_image(file)), shape);
      parts.push_back(filled<float, 4>({1, shape[0], shape[1], shape[2]}));
      std::copy(image.begin(), image.end(), parts.back().begin());
    }
    auto const& s = parts.back().shape();
    if (image_shape const given{s[1], s[2], s[3]}; given != shape)
      detail::fail(file, ": its images are ", s[1], "x", s[2], "x", s[3], ", wanted are ", shape[0], "x", shape[1], "x", shape[2]);
    count += s[0];
  }
  count = std::min(count, most);
  if (count == 0) detail::fail("no images were given; name PNG or JPEG files, or a folder of them");
  auto all = filled<float, 4>({count, shape[0], shape[1], shape[2]});
  std::size_t first = 0;
  for (auto const& part : parts) {
    auto const some = as_view(part).rows(0, std::min(part.shape()[0], count - first));
    copy(some, as_view(all).rows(first, some.shape[0]));
    first += some.shape[0];
  }
  return all;
}

}  // namespace pareidolia
