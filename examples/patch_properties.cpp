// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
//
// The four properties of Ouarti and Carmona (2018), measured on as many networks as are named: what parts of an image evoke its class, what
// a part does in other places, where it helps and where it hinders, and what many copies of it do. Writes a report with maps and curves.
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/io/model_table.hpp>
#include <pareidolia/io/patch_report.hpp>
#include <pareidolia/io/report.hpp>
#include <pareidolia/loaders/any_images.hpp>
#include <pareidolia/loaders/any_network.hpp>
#include <pareidolia/loaders/class_names.hpp>
#include <pareidolia/pareidolia.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace pareidolia;

namespace {

struct settings {
  std::vector<std::vector<std::string>> networks;
  std::vector<std::string> files;
  std::size_t images = 50, copies = 9, batch = 64, shown = 3;
  double size = .25, stride = .0625;
  background_kind background = background_kind::mean_colour;
  std::uint64_t seed = 1;
  std::string names, folder = "out/patch_properties";
};

std::map<std::string, background_kind> const backgrounds{{"grey", background_kind::grey},
                                                         {"mean", background_kind::mean_colour},
                                                         {"black", background_kind::black},
                                                         {"blurred", background_kind::blurred},
                                                         {"noise", background_kind::noise}};

settings read_options(int argc, char** argv) {
  settings s;
  CLI::App options("Measures what patches of images do to networks.");
  options
      .add_option(
          "--network", s.networks,
          "a network of the zoo by name, or a prototxt, then its weights, and the mean of its images if it wants one; or an ONNX file. "
          "May be given several times")
      ->required();
  options.add_option("--images", s.files, "PNG and JPEG files, folders of them, MNIST's or CIFAR-10's files")->required();
  options.add_option("--most", s.images, "images that are measured, spread evenly over those there are")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.add_option("--size", s.size, "of a patch, share of the image's side")->check(CLI::Range(.01, 1.))->capture_default_str();
  options.add_option("--stride", s.stride, "between places, share of the image's side")->check(CLI::Range(.001, 1.))->capture_default_str();
  options.add_option("--background", s.background, "around a patch")
      ->transform(CLI::CheckedTransformer(backgrounds))
      ->option_text("grey|mean|black|blurred|noise [mean]");
  options.add_option("--copies", s.copies, "of a patch, at most")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--shown", s.shown, "images of each kind in the report")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--batch", s.batch, "images at a time")->check(CLI::PositiveNumber)->capture_default_str();
  options.add_option("--names", s.names, "of the classes, one a line");
  options.add_option("--seed", s.seed, "of all randomness")->capture_default_str();
  options.add_option("--output", s.folder, "folder for the report")->capture_default_str();
  try {
    options.parse(argc, argv);
  } catch (CLI::ParseError const& problem) {
    std::exit(options.exit(problem));
  }
  return s;
}

/// A network, and the images as it takes them.
struct entry {
  std::string name;
  network<cpu_engine> net;
  labelled_images photos;
};

/// What these print as, side by side.
template <class... Ts>
std::string text(Ts const&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

std::string percent(double share) { return text(std::lround(100 * share), " %"); }

/// Whether a network shows a property of the abstract, and by what figure. What counts as showing it is ours.
struct judgement {
  bool seen;
  std::string sentence;
};

judgement judge(std::string const& net, local_response::result const& r) {
  double const decades = r.maps.front().median_decades();
  return {decades > 1, text(net, ": parts of one image evoke its class with probabilities ", decades,
                            " decades apart (median over images; more than 1 counts)")};
}
judgement judge(std::string const& net, spatial_response::result const& r) {
  return {r.map.share_above(2) >= .5,
          text(net, ": between its best and worst place one patch differs by more than 2 decades in ", percent(r.map.share_above(2)),
               " of the images and by more than 3 in ", percent(r.map.share_above(3)), " (half of them above 2 counts)")};
}
judgement judge(std::string const& net, activation_inhibition::result const& r) {
  return {r.share_with_both() >= .5,
          text(net, ": ", percent(r.share_of_activators()), " of the places raise the probability, ", percent(r.share_of_inhibitors()),
               " lower it; ", percent(r.share_with_both()), " of the images have both (half of them counts)")};
}
judgement judge(std::string const& net, cumulative_response::result const& r) {
  auto const best = r.quantile(pasting_order::best_first, .5), worst = r.quantile(pasting_order::worst_first, .5);
  double const up = *std::max_element(best.begin() + 1, best.end()) - best[1];
  double const down = worst[1] - *std::min_element(worst.begin() + 1, worst.end());
  return {up > .1 || down > .1, text(net, ": copies beside the first add up to ", up, " decades, pasted best first, and take up to ", down,
                                     " away, pasted worst first (median over images; more than 0.1 counts)")};
}

/// Measures one property on all networks, and adds what it shows to the report: a table, a sentence for each network, pictures.
template <class P, class Show>
void add_property(report& page, std::string const& property, P const& of, std::deque<entry> const& entries, Show const& show) {
  std::vector<measurement<typename P::result_type>> found;
  for (entry const& e : entries) {
    std::fprintf(stderr, "%s: %s\n", e.name.c_str(), property.c_str());
    found.push_back({e.name, measure(of(e.net.input()), e.net, e.photos)});
  }
  table figures = table_of(property, found);
  std::size_t seen = 0;
  for (std::size_t k = 0; k < found.size(); ++k) {
    auto const verdict = judge(found[k].model, found[k].result);
    seen += verdict.seen;
    std::string const line = verdict.sentence + (verdict.seen ? ": seen. " : ": not seen. ");
    figures.note += line;
    std::printf("%s: %s\n", property.c_str(), line.c_str());
    for (auto& array : found[k].result.arrays(property + "." + found[k].model + ".")) page.arrays.push_back(std::move(array));
    show(found[k], entries[k].photos);
  }
  page.summary += text(property, ": seen in ", seen, " of ", found.size(), " networks. ");
  page.tables.push_back(std::move(figures));
}

/// A probe for images of a shape.
template <class R, class F>
struct property_of {
  using result_type = R;
  F make;
  auto operator()(image_shape const& shape) const { return make(shape); }
};
template <class R, class F>
property_of<R, F> for_shape(F make) {
  return {make};
}

}  // namespace

int main(int argc, char** argv) try {
  settings const s = read_options(argc, argv);
  prepare_report(s.folder);
  std::deque<entry> entries;
  for (auto files : s.networks) {
    if (files.empty()) throw error("--network names nothing; give a network and its weights");
    std::string const model = files.front();
    files.erase(files.begin());
    auto [architecture, trained] = read_any_network(model, files);
    if (!files.empty()) throw error(files.front() + ": --network takes a network, its weights and the mean of its images, no more");
    network<cpu_engine> net{cpu_engine{}, architecture, trained};
    auto photos = spread_images({read_any_images(s.files, net.input(), static_cast<std::size_t>(-1)), {}}, s.images);
    photos.labels = classified(net, photos.images, s.batch);
    entries.push_back({architecture.name, std::move(net), std::move(photos)});
  }

  rng const random{s.seed};
  background const around{.kind = s.background, .random = random.fork(0)};
  auto const pixels_of = [](image_shape const& shape, double share) {
    return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * static_cast<double>(std::min(shape[1], shape[2])))));
  };
  auto const size = [&](image_shape const& shape) { return pixels_of(shape, s.size); };
  auto const stride = [&](image_shape const& shape) { return pixels_of(shape, s.stride); };

  report page{
      .title = "What patches do",
      .summary = "The properties that Ouarti and Carmona (2018) name in their abstract, by a protocol of ours. ",
      .settings = {{"images", std::to_string(entries.front().photos.size())},
                   {"patch, share of the side", text(s.size)},
                   {"stride, share of the side", text(s.stride)},
                   {"background",
                    std::find_if(backgrounds.begin(), backgrounds.end(), [&](auto const& b) { return b.second == s.background; })->first},
                   {"seed", std::to_string(s.seed)}}};
  auto const names = s.names.empty() ? std::vector<std::string>{} : read_class_names(s.names);
  auto const title = [](std::string const& what, auto const& found) { return what + ", " + found.model; };

  for (double share : {1., .5})
    add_property(page, share == 1 ? "local" : "local, half the size", for_shape<local_response::result>([&](image_shape const& shape) {
                   return local_response{.windows = {{pixels_of(shape, share * s.size), stride(shape)}}, .where = around, .batch = s.batch};
                 }),
                 entries, [&](auto const& found, labelled_images const& photos) {
                   page.charts.push_back(chart_of(title(share == 1 ? "Local" : "Local, half the size", found), found.result));
                   page.galleries.push_back(
                       gallery_of(title(share == 1 ? "Local" : "Local, half the size", found), found.result, photos, s.shown, names));
                 });
  add_property(page, "spatial", for_shape<spatial_response::result>([&](image_shape const& shape) {
                 return spatial_response{
                     .size = size(shape), .stride = stride(shape), .local_stride = stride(shape), .where = around, .batch = s.batch};
               }),
               entries, [&](auto const& found, labelled_images const& photos) {
                 page.galleries.push_back(gallery_of(title("Spatial", found), found.result, photos, s.shown, names));
               });
  for (base_kind base : {base_kind::background, base_kind::image}) {
    std::string const on = base == base_kind::image ? " on the image itself" : "";
    add_property(
        page, "activation and inhibition" + on, for_shape<activation_inhibition::result>([&](image_shape const& shape) {
          return activation_inhibition{
              .size = size(shape), .stride = stride(shape), .local_stride = stride(shape), .where = around, .base = base, .batch = s.batch};
        }),
        entries, [&](auto const& found, labelled_images const& photos) {
          page.galleries.push_back(gallery_of(title("Activation and inhibition" + on, found), found.result, photos, s.shown, names, base));
        });
  }
  add_property(page, "cumulative", for_shape<cumulative_response::result>([&](image_shape const& shape) {
                 return cumulative_response{.random = random.fork(1),
                                            .size = size(shape),
                                            .stride = stride(shape),
                                            .local_stride = stride(shape),
                                            .where = around,
                                            .copies = s.copies,
                                            .batch = s.batch};
               }),
               entries, [&](auto const& found, labelled_images const&) {
                 page.charts.push_back(chart_of(title("Cumulative", found), found.result));
               });
  write_report(s.folder, page);
  std::printf("%s/report.html\n", s.folder.c_str());
} catch (error const& problem) {
  std::fprintf(stderr, "patch_properties: %s\n", problem.what());
  return 1;
}
