// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/file.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace pareidolia::detail {

[[nodiscard]] inline bool is_gzip(file_reader& file) { return file.peek(0, 2).starts_with("\x1f\x8b"); }

/// The content of bytes [first, last) of a file, one deflate stream, unpacked while it is read. `what` begins the messages; window_bits
/// says how the stream is wrapped, as zlib's inflateInit2 wants it. Errors: damaged, cut short, followed by other bytes.
class inflate_reader {
 public:
  inflate_reader(file_reader const& file, std::uint64_t first, std::uint64_t last, int window_bits, char const* what)
      : file_(file), at_(first), last_(last), what_(what) {
    if (inflateInit2(&stream_, window_bits) != Z_OK) fail("zlib could not be started");
  }
  inflate_reader(inflate_reader const&) = delete;
  inflate_reader& operator=(inflate_reader const&) = delete;
  ~inflate_reader() { inflateEnd(&stream_); }

  /// The next bytes, as many as `out` has room for; fewer, as returned, only at the end.
  [[nodiscard]] std::size_t read(std::span<char> out) {
    std::size_t filled = 0;
    while (filled < out.size() && !ended_) {
      if (stream_.avail_in == 0) refill();
      auto const room = static_cast<uInt>(std::min<std::size_t>(out.size() - filled, std::numeric_limits<uInt>::max()));
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
      stream_.avail_out = room;
      int const status = inflate(&stream_, Z_NO_FLUSH);
      filled += room - stream_.avail_out;
      if (status == Z_STREAM_END)
        end();
      else if (status == Z_BUF_ERROR && at_ == last_)
        fail(what_, " is cut short");
      else if (status != Z_OK && status != Z_BUF_ERROR)
        fail(what_, " is damaged");
    }
    return filled;
  }

 private:
  void refill() {
    auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(packed_.size(), last_ - at_));
    file_.read(at_, std::span(packed_).first(count));
    at_ += count;
    stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
    stream_.avail_in = static_cast<uInt>(count);
  }
  void end() {
    ended_ = true;
    if (std::uint64_t const rest = stream_.avail_in + (last_ - at_); rest != 0) fail(what_, " is followed by ", rest, " other bytes");
  }

  file_reader const& file_;
  std::uint64_t at_, last_;
  char const* what_;
  bool ended_ = false;
  z_stream stream_{};
  std::array<char, 16384> packed_;
};

/// The content of a gzip file of one member.
struct gzip_reader : inflate_reader {
  explicit gzip_reader(file_reader const& file) : inflate_reader(file, 0, file.size(), MAX_WBITS + 16, "the gzip file") {}
};

}  // namespace pareidolia::detail
