// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// What a network sees in images: the five likeliest classes of each, and the same as JSON.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/atomic_file.hpp>
#include <pareidolia/loaders/any_network.hpp>
#include <pareidolia/loaders/class_names.hpp>
#include <pareidolia/loaders/folder.hpp>
#include <pareidolia/pareidolia.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

int main(int argc, char** argv) try {
  std::string model, names_file, output;
  std::vector<std::string> files;
  std::size_t side = 0;
  bool torchvision = false;
  float scale = 1;
  CLI::App options("Says what a network sees in images.");
  options.add_option("model", model, "a network of the zoo by name, a prototxt of one that sees colours as Caffe's do, or an ONNX file")
      ->required();
  options.add_option("files", files, "the weights (caffemodel or safetensors; an ONNX file has its own), then PNG and JPEG files")
      ->required();
  options.add_flag("--torchvision", torchvision, "the network is torchvision's: its names of weights, and images as it prepares them");
  options.add_option("--scale", scale, "multiplies pixels, which are from 0 to 1: 255 for an ONNX network that wants 0 to 255");
  options.add_option("--names", names_file, "of the classes, one a line");
  options.add_option(
      "--side", side,
      "images are brought to this height and width, of which the network sees the centre; 256 if it is not given, but all of "
      "the image for networks that see less than 128");
  options.add_option("--json", output, "file for the result");
  CLI11_PARSE(options, argc, argv);

  auto [architecture, trained] = read_any_network(model, files, torchvision);
  architecture.prepare.scale *= scale;
  if (files.empty()) throw error("no images were given; name PNG or JPEG files behind the network");
  network const net{cpu_engine{}, architecture, trained};
  if (side == 0) side = net.input()[1] < 128 ? net.input()[1] : 256;
  center_crop const centre{net, std::max(side, net.input()[1]), std::max(side, net.input()[2])};
  auto const names = names_file.empty() ? architecture.labels : read_class_names(names_file);
  auto const name = [&](std::size_t k) { return k < names.size() ? names[k] : "class " + std::to_string(k); };

  image_shape const shape = centre.input();
  auto x = filled<float, 4>({1, shape[0], shape[1], shape[2]});
  auto p = filled<float, 2>({1, net.classes()});
  auto work = centre.prepare(1);
  centre.forward(as_view(std::as_const(x)), as_view(p), work);  // plans, which is not to be timed
  std::vector<std::size_t> order(net.classes());
  nlohmann::json result = nlohmann::json::array();
  double seconds = 0;
  for (std::string const& file : files) {
    auto const image = fit_image(as_view(read_image(file)), shape);
    std::copy(image.begin(), image.end(), x.begin());
    auto const begin = std::chrono::steady_clock::now();
    centre.forward(as_view(std::as_const(x)), as_view(p), work);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    softmax_rows(as_view(std::as_const(p)), as_view(p));
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::size_t const shown = std::min<std::size_t>(5, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                      [&](std::size_t a, std::size_t b) { return p(0, a) > p(0, b); });
    std::printf("%s\n", file.c_str());
    nlohmann::json found = nlohmann::json::array();
    for (std::size_t i = 0; i < shown; ++i) {
      std::printf("  %7.3f %%  %s\n", 100 * static_cast<double>(p(0, order[i])), name(order[i]).c_str());
      found.push_back({{"class", order[i]}, {"name", name(order[i])}, {"probability", p(0, order[i])}});
    }
    result.push_back({{"file", file}, {"classes", std::move(found)}});
  }
  std::printf("%.1f ms an image in %s\n", 1e3 * seconds / static_cast<double>(files.size()), architecture.name.c_str());
  if (!output.empty()) {
    std::string const text = result.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    atomic_file file(output);
    file.write(std::as_bytes(std::span(text)));
    file.commit();
  }
} catch (error const& problem) {
  std::fprintf(stderr, "classify: %s\n", problem.what());
  return 1;
}
