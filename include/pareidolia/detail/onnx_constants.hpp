// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/detail/onnx_array.hpp>
#include <pareidolia/detail/onnx_message.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Nodes that compute constants from constants: what exporters make of shapes and of weights that they store in another shape.
namespace pareidolia::detail::onnx {

/// `axis` of a tensor of `rank` axes, counted from the end if negative.
inline std::size_t resolved_axis(std::int64_t axis, std::size_t rank) {
  auto const n = static_cast<std::int64_t>(rank);
  if (axis < -n || axis >= n) fail("axis ", axis, " is none of a tensor of ", rank, " dimensions");
  return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
}

/// The extents of a tensor of shape `from` as another shape: 0 is an extent that stays (unless `zeros` are meant), one -1 what is left.
inline extents reshaped(extents const& from, extents to, bool zeros) {
  checked_rank(to);
  std::int64_t unknown = -1;
  for (std::size_t d = 0; d < to.size(); ++d) {
    if (to[d] == 0 && !zeros) {
      if (d >= from.size()) fail("it keeps extent ", d, " of the shape ", to_text(from));
      to[d] = from[d];
    } else if (to[d] == -1) {
      if (unknown >= 0) fail("its shape ", to_text(to), " leaves two extents open");
      unknown = static_cast<std::int64_t>(d);
    }
  }
  std::uint64_t const size = count_of(from);
  if (unknown >= 0) {
    auto& open = to[static_cast<std::size_t>(unknown)];
    open = 1;
    std::uint64_t const rest = count_of(to);
    if (rest == 0) fail("its shape leaves an extent open beside one of 0");
    open = static_cast<std::int64_t>(size / rest);
  }
  if (count_of(to) != size) fail("the shape ", to_text(from), " is no ", to_text(to));
  return to;
}

inline extents flattened(extents const& from, std::int64_t axis) {
  auto const n = static_cast<std::int64_t>(from.size());
  if (axis < -n || axis > n) fail("axis ", axis, " is none of the shape ", to_text(from));
  auto const split = from.begin() + static_cast<std::ptrdiff_t>(axis < 0 ? axis + n : axis);
  return {static_cast<std::int64_t>(count_of({from.begin(), split})), static_cast<std::int64_t>(count_of({split, from.end()}))};
}

/// Without the extents of 1 on `axes`, or without all of them if no axes are given.
inline extents squeezed(extents const& from, extents const& axes) {
  std::vector<bool> goes(from.size());
  for (std::int64_t const axis : axes) {
    std::size_t const d = resolved_axis(axis, from.size());
    if (from[d] != 1) fail("it takes away axis ", axis, " of the shape ", to_text(from));
    goes[d] = true;
  }
  extents to;
  for (std::size_t d = 0; d < from.size(); ++d)
    if (axes.empty() ? from[d] != 1 : !goes[d]) to.push_back(from[d]);
  return to;
}
inline extents unsqueezed(extents const& from, extents const& axes) {
  std::size_t const rank = from.size() + axes.size();
  std::vector<bool> is_new(rank);
  for (std::int64_t const axis : axes) is_new[resolved_axis(axis, rank)] = true;
  if (static_cast<std::size_t>(std::count(is_new.begin(), is_new.end(), true)) != axes.size()) fail("it adds one axis twice");
  extents to(rank, 1);
  for (std::size_t d = 0, old = 0; d < rank; ++d)
    if (!is_new[d]) to[d] = from[old++];
  return checked_rank(to);
}

/// A node all of whose inputs are constant; inputs that are left out are null.
class constant_node {
 public:
  constant_node(node_message const& node, attributes const& options, std::vector<onnx::array const*> inputs, store& constants)
      : node_(node), options_(options), inputs_(std::move(inputs)), constants_(constants) {}

  /// Its output. Errors: an operator that is not computed at load.
  [[nodiscard]] onnx::array value() {
    std::string const& operation = node_.operation;
    if (operation == "Constant") return constant();
    if (operation == "ConstantOfShape") return filled();
    if (operation == "Concat") return concatenated();
    if (operation == "Shape") return shape();
    onnx::array result = input(0);
    if (operation == "Identity" || operation == "Dropout") return result;
    if (operation == "Reshape")
      result.dims = reshaped(result.dims, list("shape", 1), options_.integer("allowzero", 0) != 0);
    else if (operation == "Flatten")
      result.dims = flattened(result.dims, options_.integer("axis", 1));
    else if (operation == "Squeeze")
      result.dims = squeezed(result.dims, list("axes", 1));
    else if (operation == "Unsqueeze")
      result.dims = unsqueezed(result.dims, list("axes", 1));
    else if (operation == "Transpose")
      result = permuted(result);
    else if (operation == "Cast")
      result = cast(result);
    else if (operation == "Gather")
      result = gathered(result);
    else if (operation == "Slice")
      result = sliced(result);
    else if (operation == "Add" || operation == "Sub" || operation == "Mul" || operation == "Div")
      result = combined(result, input(1));
    else
      refuse("the library does not compute it for constants");
    return result;
  }

 private:
  onnx::array const& input(std::size_t i) const {
    if (i >= inputs_.size() || inputs_[i] == nullptr) fail("it has no input ", i);
    return *inputs_[i];
  }
  /// Integers that are an attribute in early opsets, an input later.
  std::vector<std::int64_t> list(std::string_view attribute, std::size_t i) const {
    if (i < inputs_.size() && inputs_[i] != nullptr) return constants_.integers(*inputs_[i]);
    return options_.integers(attribute);
  }

  onnx::array constant() {
    if (auto const tensor = options_.tensor("value")) return constants_.read(*tensor);
    if (options_.has("value_int")) return constants_.make({}, std::vector{options_.integer("value_int", 0)});
    if (options_.has("value_float")) return constants_.make({}, std::vector{options_.real("value_float", 0)});
    if (options_.has("value_ints")) return row(options_.integers("value_ints"));
    if (options_.has("value_floats")) {
      auto const values = options_.reals("value_floats");
      return constants_.make({static_cast<std::int64_t>(values.size())}, values);
    }
    refuse("it is neither a tensor nor numbers");
  }
  onnx::array row(std::vector<std::int64_t> const& values) { return constants_.make({static_cast<std::int64_t>(values.size())}, values); }

  /// Entries [first, last), counted from the end if negative, as far as there are such.
  static std::vector<std::int64_t> part(std::vector<std::int64_t> const& values, std::int64_t first, std::int64_t last) {
    auto const n = static_cast<std::int64_t>(values.size());
    auto const place = [n](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? std::max(i, -n) + n : i, 0, n); };
    return {values.begin() + place(first), values.begin() + std::max(place(first), place(last))};
  }

  onnx::array shape() {
    auto const& dims = input(0).dims;
    return row(part(dims, options_.integer("start", 0), options_.integer("end", static_cast<std::int64_t>(dims.size()))));
  }

  onnx::array filled() {
    extents const dims = checked_rank(constants_.integers(input(0)));
    auto const tensor = options_.tensor("value");
    onnx::array const one = tensor ? constants_.read(*tensor) : constants_.make({1}, std::vector{0.f});
    if (one.count() != 1) fail("its value is not one number");
    std::uint64_t const count = count_of(dims);
    if (!is_real(one.kind)) {
      if (count > longest_list) fail("it makes a list of ", count, " whole numbers; at most ", longest_list, " are read");
      return constants_.make(dims, std::vector<std::int64_t>(static_cast<std::size_t>(count), constants_.integers(one).front()));
    }
    constants_.memory.charge(count * sizeof(float));
    auto result = constants_.make(dims, std::vector<float>(static_cast<std::size_t>(count), constants_.floats(one).front()));
    constants_.memory.refund(count * sizeof(float));
    return result;
  }

  onnx::array concatenated() {
    std::vector<std::int64_t> values;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (input(i).dims.size() != 1) refuse("only lists of whole numbers are joined at load");
      auto const part = constants_.integers(input(i));
      values.insert(values.end(), part.begin(), part.end());
    }
    return row(values);
  }

  onnx::array cast(onnx::array const& from) {
    auto const to = static_cast<element>(options_.integer("to", 0));
    static_cast<void>(width_of(to));
    if (is_real(to) == is_real(from.kind)) return from;
    if (is_real(to)) return constants_.make(from.dims, constants_.floats(from));
    std::vector<std::int64_t> values;
    if (from.count() > longest_list) fail("a list of whole numbers has ", from.count(), "; at most ", longest_list, " are read");
    for (float const v : constants_.floats(from)) values.push_back(static_cast<std::int64_t>(std::clamp(v, -1e15f, 1e15f)));
    return constants_.make(from.dims, values);
  }

  /// Entries of the first axis of a list of whole numbers.
  onnx::array gathered(onnx::array const& from) {
    if (from.dims.size() != 1 || options_.integer("axis", 0) > 0) refuse("only entries of a list are taken at load");
    auto const values = constants_.integers(from);
    std::vector<std::int64_t> taken;
    for (std::int64_t const i : constants_.integers(input(1))) taken.push_back(values[resolved_axis(i, values.size())]);
    return constants_.make(input(1).dims, taken);
  }

  onnx::array sliced(onnx::array const& from) {
    if (from.dims.size() != 1) refuse("only a part of a list is taken at load");
    auto const values = constants_.integers(from);
    auto const starts = list("starts", 1), ends = list("ends", 2), steps = list("steps", 4);
    if (starts.size() != 1 || ends.size() != 1 || (!steps.empty() && steps.front() != 1)) refuse("only a whole part of a list is taken");
    return row(part(values, starts.front(), ends.front()));
  }

  onnx::array permuted(onnx::array const& from) {
    std::size_t const rank = from.dims.size();
    auto axes = options_.integers("perm");
    if (axes.empty()) {
      axes.resize(rank);
      std::iota(axes.rbegin(), axes.rend(), std::int64_t{0});
    }
    auto sorted = axes;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t d = 0; d < sorted.size(); ++d)
      if (sorted[d] != static_cast<std::int64_t>(d) || sorted.size() != rank) fail("its perm is no order of ", rank, " axes");
    std::vector<std::size_t> strides(rank, 1);
    for (std::size_t d = rank; d-- > 1;) strides[d - 1] = strides[d] * static_cast<std::size_t>(from.dims[d]);
    extents dims;
    for (std::int64_t const axis : axes) dims.push_back(from.dims[static_cast<std::size_t>(axis)]);
    auto const values = constants_.floats(from);
    constants_.memory.charge(values.size() * sizeof(float));
    std::vector<float> moved;
    moved.reserve(values.size());
    std::vector<std::int64_t> index(rank);
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::size_t at = 0;
      for (std::size_t d = 0; d < rank; ++d) at += static_cast<std::size_t>(index[d]) * strides[static_cast<std::size_t>(axes[d])];
      moved.push_back(values[at]);
      for (std::size_t d = rank; d-- > 0 && ++index[d] == dims[d];) index[d] = 0;
    }
    auto result = constants_.make(std::move(dims), moved);
    constants_.memory.refund(2 * values.size() * sizeof(float));
    return result;
  }

  /// Sums, differences, products and quotients with one number or between equal shapes.
  onnx::array combined(onnx::array const& a, onnx::array const& b) {
    if (a.dims != b.dims && a.count() != 1 && b.count() != 1)
      refuse("constants of shapes ", to_text(a.dims), " and ", to_text(b.dims), " are not combined at load");
    extents const& dims = a.dims == b.dims || b.count() == 1 ? a.dims : b.dims;
    if (!is_real(a.kind) && !is_real(b.kind)) return constants_.make(dims, combined(constants_.integers(a), constants_.integers(b)));
    auto const values = combined(constants_.floats(a), constants_.floats(b));
    auto result = constants_.make(dims, values);
    constants_.memory.refund((a.count() + b.count()) * sizeof(float));
    return result;
  }
  template <class T>
  std::vector<T> combined(std::vector<T> x, std::vector<T> const& y) const {
    auto const compute = [what = node_.operation.front()](double u, double v) {
      return what == 'A' ? u + v : what == 'S' ? u - v : what == 'M' ? u * v : u / v;
    };
    if (x.size() == 1) x.resize(y.size(), x.front());
    for (std::size_t i = 0; i < x.size(); ++i) {
      double const v = compute(static_cast<double>(x[i]), static_cast<double>(y[y.size() == 1 ? 0 : i]));
      if (!(std::abs(v) < 0x1p53)) fail("it computes ", v, ", which no weight or shape is");
      x[i] = static_cast<T>(v);
    }
    return x;
  }

  node_message const& node_;
  attributes const& options_;
  std::vector<onnx::array const*> inputs_;
  store& constants_;
};

}  // namespace pareidolia::detail::onnx
