// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/borrowed.hpp>
#include <pareidolia/detail/hasher.hpp>
#include <pareidolia/distributed/communicator.hpp>
#include <pareidolia/model.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace pareidolia {

/// The same model, with every batch spread over the ranks of a communicator.
///
///     mpi_session const mpi;
///     sharded const shared{net, mpi.world()};
///     outcome const found = run(dream, shared, blank(net.input()), rng{42});  // on every rank, with the same arguments
///
/// Every rank runs the same program on the same images. A batch is cut into chunks of `chunk` images, the last one may be smaller; rank r
/// of R computes the chunks from floor(r C / R) on, C of them in all, and the scores, and gradients, of all are gathered everywhere. A
/// chunk is the same whoever computes it, so results are the same bytes for every number of ranks, provided that the model's do not depend
/// on the threads that a rank has (cpu_engine says when they do: then give OMP_NUM_THREADS). The fingerprint is the model's.
///
/// Cost: T(R) = T_rest + ceil(C / R) T_chunk + T_gather. What is not the model, T_rest, is done by each rank, all of it; T_gather moves
/// count x classes numbers, and with gradients count x image. Batches should have a chunk or more for each rank.
/// Memory: a workspace for one chunk. From the first backward on one for each chunk of the rank, since backward may be called many times
/// after a forward; that first one repeats the last forward.
/// Errors: chunk is 0; ranks with different models or chunks. Whatever the model of one rank throws ends them all (mpi_session).
/// Space: host.
template <Model M>
requires(M::memory == space::host) class sharded {
 public:
  static constexpr space memory = space::host;
  struct workspace {
    std::size_t images;                                       // of a chunk, at most
    std::vector<std::unique_ptr<typename M::workspace>> own;  // one, or one for each chunk of this rank
    bool differentiated = false;
    std::vector<float> x, y;  // of this rank's chunks, until the first backward; of the chunk that is repeated
  };

  sharded(detail::borrowed<M> model, communicator const& ranks, std::size_t chunk = 16) : model_(model), ranks_(ranks), chunk_(chunk) {
    if (chunk == 0) detail::fail("sharded: chunk is 0; give at least 1");
    detail::hasher print;
    for (std::size_t extent : input()) print.add(extent);
    print.add(classes());
    print.add(chunk);
    if constexpr (FingerprintedModel<M>) print.add(std::uint64_t{model_->fingerprint()});
    std::uint64_t const mine = print.value();
    std::vector<std::byte> bytes(sizeof mine);
    std::memcpy(bytes.data(), &mine, sizeof mine);
    auto const all = ranks_.gather(std::move(bytes));
    for (std::size_t r = 1; r < all.size(); ++r)
      if (all[r] != all[0]) detail::fail("sharded: rank ", r, " has another model or chunk than rank 0; start all with the same arguments");
  }

  [[nodiscard]] image_shape input() const { return model_->input(); }
  [[nodiscard]] std::size_t classes() const { return model_.classes(); }
  [[nodiscard]] workspace prepare(std::size_t n) const { return {std::min(n, chunk_), {}, false, {}, {}}; }
  [[nodiscard]] std::uint64_t fingerprint() const requires FingerprintedModel<M> { return model_->fingerprint(); }

  void forward(const_image_view<memory> x, score_view<memory> y, workspace& w) const {
    std::size_t const count = x.shape[0];
    for_each_chunk(count, [&](std::size_t k, std::size_t first, std::size_t n) {
      model_->forward(x.rows(first, n), y.rows(first, n), inner(w, w.differentiated ? k : 0));
    });
    if constexpr (DifferentiableModel<M>)
      if (!w.differentiated) {
        auto const mine = rows_of(count);
        auto const own = x.rows(mine.first, mine.second);
        w.x.assign(own.data, own.data + own.size());
      }
    gather(y);
  }

  void backward(const_score_view<memory> dy, image_view<memory> dx, workspace& w) const requires DifferentiableModel<M> {
    std::size_t const count = dx.shape[0];
    if (!w.differentiated) repeat(count, w);
    for_each_chunk(
        count, [&](std::size_t k, std::size_t first, std::size_t n) { model_->backward(dy.rows(first, n), dx.rows(first, n), *w.own[k]); });
    gather(dx);
  }

 private:
  // The first image of each rank, and the number of all.
  [[nodiscard]] std::vector<std::size_t> shares(std::size_t count) const {
    std::size_t const chunks = (count + chunk_ - 1) / chunk_, ranks = ranks_.size();
    std::vector<std::size_t> first;
    for (std::size_t r = 0; r <= ranks; ++r) first.push_back(std::min(r * chunks / ranks * chunk_, count));
    return first;
  }
  // This rank's first image, and how many it has.
  [[nodiscard]] std::pair<std::size_t, std::size_t> rows_of(std::size_t count) const {
    auto const first = shares(count);
    std::size_t const r = ranks_.rank();
    return {first[r], first[r + 1] - first[r]};
  }

  // body(k, first, n) for chunk k of this rank, images [first, first + n).
  template <class Body>
  void for_each_chunk(std::size_t count, Body const& body) const {
    auto const [begin, own] = rows_of(count);
    for (std::size_t k = 0; k * chunk_ < own; ++k) body(k, begin + k * chunk_, std::min(chunk_, own - k * chunk_));
  }

  typename M::workspace& inner(workspace& w, std::size_t k) const {
    while (w.own.size() <= k) w.own.emplace_back(new typename M::workspace(model_->prepare(w.images)));
    return *w.own[k];
  }

  // The last forward, with a workspace for each chunk, and so from now on.
  void repeat(std::size_t count, workspace& w) const {
    image_shape const s = input();
    std::size_t const begin = rows_of(count).first;
    const_image_view<memory> const x{w.x.data(), {rows_of(count).second, s[0], s[1], s[2]}};
    for_each_chunk(count, [&](std::size_t k, std::size_t first, std::size_t n) {
      model_->forward(x.rows(first - begin, n), detail::scores_in(w.y, n, classes()), inner(w, k));
    });
    w.differentiated = true;
    w.x = {};
  }

  template <std::size_t Rank>
  void gather(view<float, Rank> rows) const {
    ranks_.gather_rows(rows, shares(rows.shape[0]));
  }

  detail::borrowed<M> model_;
  communicator ranks_;
  std::size_t chunk_;
};
template <class M>
sharded(M const&, communicator const&, std::size_t) -> sharded<M>;
template <class M>
sharded(M const&, communicator const&) -> sharded<M>;

}  // namespace pareidolia
